"""A loss still hangs on its graph; the next step calls backward on it.

expected: equal
fused: backward
"""
# %% [imports]
import torch
# %% [step:forward]
w = torch.ones(2, requires_grad=True)
loss = (w * 3).sum()
# %% [step:backward]
loss.backward()
loss = loss.item()
# %% [step:check]
print(w.grad, loss)

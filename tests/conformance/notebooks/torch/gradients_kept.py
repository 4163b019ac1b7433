"""Gradients accumulate over two steps before the optimizer uses them.

expected: equal
fused:
"""
# %% [imports]
import torch
# %% [step:first_batch]
torch.manual_seed(0)
w = torch.ones(3, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9)
(w * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
# %% [step:second_batch]
(w ** 2).sum().backward()
# %% [step:update]
optimizer.step()
result = w
print(w, w.grad, w.is_leaf)

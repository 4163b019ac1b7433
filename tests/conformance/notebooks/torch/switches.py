"""Default type, gradient mode and print options of torch are set in one step.

expected: equal
fused:
"""
# %% [imports]
import torch
# %% [step:set]
torch.set_default_dtype(torch.float64)
torch.set_printoptions(precision=2)
previous = torch.set_grad_enabled(False)
# %% [step:use]
x = torch.ones(2) / 3
layer = torch.nn.Linear(2, 2)
# %% [step:check]
print(x, x.dtype, torch.is_grad_enabled(), layer(x).requires_grad)

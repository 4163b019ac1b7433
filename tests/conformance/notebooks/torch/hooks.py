"""Hooks of a module, of a tensor and of all modules note what passes, steps after they were set.

expected: equal
"""
# %% [imports]
import torch
from torch import nn
# %% [step:hook]
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
seen = []
handle = net[1].register_forward_hook(lambda module, given, out: seen.append(tuple(out.shape)))
net[0].weight.register_hook(lambda gradient: seen.append("gradient") or gradient * 2)
everywhere = nn.modules.module.register_module_forward_hook(
    lambda module, given, out: seen.append(type(module).__name__))
# %% [step:train]
net(torch.ones(4, 2)).sum().backward()
weights = net[0].weight.grad.clone()
# %% [step:unhook]
handle.remove()
everywhere.remove()
net(torch.ones(1, 2))
print(seen, weights)
del handle, everywhere

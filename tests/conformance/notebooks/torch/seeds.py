"""torch draws from a global generator and from one of its own.

expected: equal
fused:
"""
# %% [imports]
import torch
# %% [step:seed]
torch.manual_seed(11)
own = torch.Generator().manual_seed(5)
first = torch.rand(2)
# %% [step:draw]
second = torch.rand(2)
third = torch.rand(2, generator=own)
order = torch.randperm(6)
# %% [step:draw_again]
fourth = torch.rand(2)
fifth = torch.rand(2, generator=own)
print(first, second, third, order, fourth, fifth)

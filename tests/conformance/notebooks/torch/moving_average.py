"""An averaged copy of a model is updated beside the model it follows.

expected: equal
fused:
"""
# %% [imports]
import copy
import torch
from torch import nn
# %% [step:make]
torch.manual_seed(0)
net = nn.Linear(4, 2)
ema = copy.deepcopy(net)
for parameter in ema.parameters():
    parameter.requires_grad_(False)
pairs = list(zip(ema.parameters(), net.parameters()))
averaged = torch.optim.swa_utils.AveragedModel(net)
# %% [step:train]
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for _ in range(4):
    optimizer.zero_grad()
    net(torch.ones(3, 4)).pow(2).mean().backward()
    optimizer.step()
    averaged.update_parameters(net)
    for slow, fast in pairs:
        slow.mul_(0.9).add_(fast.data, alpha=0.1)
# %% [step:check]
weights = ema.weight
tracked = pairs[0][0] is ema.weight and pairs[0][1] is net.weight
count = averaged.n_averaged.item()
print(tracked, count, ema.weight, averaged.module.bias)

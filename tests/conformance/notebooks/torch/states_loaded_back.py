"""A checkpoint in memory is loaded back later: copies and references behave as they were taken.

expected: equal
"""
# %% [imports]
import copy, io
import torch
from torch import nn
# %% [step:train]
torch.manual_seed(4)
net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout(0.5))
optimizer = torch.optim.SGD(net.parameters(), lr=0.3, momentum=0.9)
def advance():
    optimizer.zero_grad()
    net(torch.rand(6, 2)).sum().backward()
    optimizer.step()
advance()
best = copy.deepcopy(net.state_dict())
alias = net.state_dict()
buffer = io.BytesIO()
torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, buffer)
# %% [step:more]
advance()
moved = bool((alias["0.weight"] == net[0].weight).all()), bool((best["0.weight"] == net[0].weight).all())
net.eval()
# %% [step:back]
buffer.seek(0)
saved = torch.load(buffer, weights_only=True)
net.load_state_dict(best)
optimizer.load_state_dict(saved["optimizer"])
same = bool((alias["0.weight"] == best["0.weight"]).all())
advance()
print(moved, same, net.training, net[1].running_mean, net[1].num_batches_tracked, net[0].weight)
del buffer

"""Two layers share one weight, and a tensor is a view of another one.

expected: equal
fused:
"""
# %% [imports]
import torch
from torch import nn
# %% [step:make]
torch.manual_seed(3)
class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(5, 4)
        self.out = nn.Linear(4, 5, bias=False)
        self.out.weight = self.embed.weight
    def forward(self, x):
        return self.out(self.embed(x))


net = Tied()
flat = torch.zeros(6)
grid = flat.view(2, 3)
corner = grid[1:, 1:]
# %% [step:change]
with torch.no_grad():
    net.embed.weight[0] = 7.0
corner += 5
# %% [step:check]
tied = net.out.weight is net.embed.weight
total = net.out.weight[0].sum().item()
print(tied, total, flat, grid, net(torch.tensor([1])))

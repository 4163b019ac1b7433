"""A learning rate scheduler drives the optimizer that it was made for, over three steps.

expected: equal
fused:
"""
# %% [imports]
import torch
from torch import nn
# %% [step:data]
torch.manual_seed(1)
X = torch.randn(32, 3)
y = X.sum(1, keepdim=True)
net = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
# %% [step:train]
def epoch():
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(net(X), y)
    loss.backward()
    optimizer.step()
    scheduler.step()
    return loss.item()


losses = [epoch() for _ in range(3)]
# %% [step:train_more]
losses += [epoch() for _ in range(3)]
# %% [step:report]
rate = optimizer.param_groups[0]["lr"]
same = scheduler.optimizer is optimizer
print(losses, rate, same)
final = net

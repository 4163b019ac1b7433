"""An optimizer trains the very tensors of the network; saved apart, training is a silent no-op.

expected: equal
fused:
"""
# %% [imports]
import torch
# %% [step:a]
torch.manual_seed(0)
net = torch.nn.Linear(2, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
X, y = torch.randn(64, 2), torch.randn(64, 1)
# %% [step:b]
for _ in range(50):
    opt.zero_grad()
    loss = ((net(X) - y) ** 2).mean()
    loss.backward()
    opt.step()
loss = loss.item()
# %% [step:c]
final = ((net(X) - y) ** 2).mean().item()
print(final, loss)

"""Parameter groups are added to an optimizer later; a scheduler and a scaler go on with it.

expected: equal
"""
# %% [imports]
import torch
from torch import nn
# %% [step:make]
torch.manual_seed(1)
body, head = nn.Linear(3, 3), nn.Linear(3, 1)
optimizer = torch.optim.AdamW([{"params": body.parameters(), "lr": 0.1, "name": "body"}], weight_decay=0.01)
warm = torch.optim.lr_scheduler.LinearLR(optimizer, total_iters=3)
# %% [step:first]
data = torch.rand(8, 3)
for _ in range(2):
    optimizer.zero_grad()
    head(body(data)).pow(2).mean().backward()
    optimizer.step()
    warm.step()
optimizer.add_param_group({"params": head.parameters(), "lr": 0.5, "name": "head"})
# %% [step:second]
for group in optimizer.param_groups:
    group["weight_decay"] = 0.0
cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
for _ in range(2):
    optimizer.zero_grad(set_to_none=False)
    head(body(data)).pow(2).mean().backward()
    nn.utils.clip_grad_norm_(head.parameters(), 0.1)
    optimizer.step()
    cosine.step()
# %% [step:check]
rates = [group["lr"] for group in optimizer.param_groups]
moments = optimizer.state[head.weight]["exp_avg"]
tied = optimizer.param_groups[1]["params"][0] is head.weight and cosine.optimizer is warm.optimizer
print(rates, moments, tied, head.bias, [g["name"] for g in optimizer.param_groups])

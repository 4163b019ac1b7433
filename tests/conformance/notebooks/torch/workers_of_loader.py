"""A loader with seeded workers and one with a sampler draw on, epoch by epoch, step by step.

expected: equal
"""
# %% [imports]
import random
import numpy as np
import torch
from torch.utils.data import DataLoader, SubsetRandomSampler, TensorDataset, random_split
# %% [step:make]
torch.manual_seed(3)
def seed(number):
    random.seed(torch.initial_seed() % 2**32)
    np.random.seed(torch.initial_seed() % 2**32)
data = TensorDataset(torch.arange(12))
train, test = random_split(data, [8, 4])
loader = DataLoader(train, batch_size=4, shuffle=True, worker_init_fn=seed)
sampler = SubsetRandomSampler(test.indices, generator=torch.Generator().manual_seed(1))
rest = DataLoader(data, batch_size=2, sampler=sampler)
# %% [step:first]
one = [[batch.tolist() for (batch,) in each] for each in (loader, rest)]
# %% [step:half]
feed = iter(loader)
half = next(feed)[0].tolist()
# %% [step:second]
two = [[batch.tolist() for (batch,) in each] for each in (feed, rest)]
three = [batch.tolist() for (batch,) in loader]
print(one, half, two, three, test.indices)
del feed

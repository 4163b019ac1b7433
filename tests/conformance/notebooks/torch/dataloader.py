"""A data loader shuffles with its own generator, one epoch a step.

expected: equal
fused:
"""
# %% [imports]
import torch
from torch.utils.data import DataLoader, Dataset
# %% [step:make]
class Squares(Dataset):
    def __len__(self):
        return 10
    def __getitem__(self, i):
        return torch.tensor(i * i)


loader = DataLoader(Squares(), batch_size=4, shuffle=True, generator=torch.Generator().manual_seed(2))
# %% [step:first]
one = [batch.tolist() for batch in loader]
# %% [step:second]
two = [batch.tolist() for batch in loader]
print(one, two, isinstance(loader.dataset, Squares))

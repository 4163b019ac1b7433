"""Functions bound by 'from random import random' follow the global seed.

expected: equal
fused:
"""
# %% [imports]
from random import random, seed, choice
from numpy.random import rand, seed as np_seed, mtrand
# %% [step:a]
seed(1)
np_seed(2)
a = (random(), rand())
# %% [step:b]
seed(1)
b = (random(), rand(), choice("abcdef"))
# %% [step:c]
np_seed(2)
c = (random(), rand())
print(a, b, c, mtrand._rand is not None)

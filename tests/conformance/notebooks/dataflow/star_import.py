"""A star import gives names that no line of the notebook writes.

expected: equal
fused:
"""
# %% [step:a]
r = 2
# %% [step:b]
from math import *
area = pi * r ** 2
# %% [step:c]
print(area, sqrt(area))

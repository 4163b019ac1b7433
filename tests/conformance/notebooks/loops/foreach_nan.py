"""Rounds give the one NaN that everybody knows, and NaNs of their own.

expected: equal
"""
# %% [imports]
import math
import numpy as np
# %% [step:load]
own = float("nan")
values, kinds = [], {}
# %% [step:fill, foreach]
for n in range(4):
    value = [math.nan, np.nan, own, float("nan")][n]
    values.append(value)
    kinds[n] = type(value)
# %% [step:show]
print(math.nan in values, own in values, values.index(np.nan), kinds, values[2] is own)

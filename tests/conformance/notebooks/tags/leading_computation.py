"""Cells before the first step compute something that no step owns.

expected: refused: belongs to no step
expected script: equal
"""
# %%
import math
# %%
total = sum(math.sqrt(i) for i in range(4))
# %% [step:use]
print(total)

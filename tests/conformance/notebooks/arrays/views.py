"""Slices, transposes and flattened views write into the array that they look at.

expected: equal
fused:
"""
# %% [imports]
import numpy as np
# %% [step:make]
base = np.arange(12.0).reshape(3, 4)
row = base[1]
turned = base.T
every = base[:, ::2]
frozen = base.view()
frozen.flags.writeable = False
# %% [step:write]
row[0] = 100
every[0, 1] = -1
# %% [step:check]
turned[3, 2] = 55
print(base, frozen, np.shares_memory(row, base), turned.base is every.base)

"""A module imported for all steps is deleted in the first.

expected: equal
fused:
"""
# %% [imports]
import os
# %% [step:a]
del os
# %% [step:b]
x = "os" in globals()
# %% [step:c]
print(x, "os" in globals())

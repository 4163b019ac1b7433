"""A seed set once rules the draws of all later steps.

expected: equal
fused:
"""
# %% [imports]
import numpy as np
# %% [step:a]
np.random.seed(0)
a = np.random.rand()
# %% [step:b]
b = np.random.rand()
# %% [step:c]
print(a, b, np.random.rand())

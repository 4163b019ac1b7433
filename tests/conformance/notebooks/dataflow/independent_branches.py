"""Two branches do not touch one another, then a step joins them; order shows in what they print.

expected: equal
"""
# %% [imports]
import numpy as np
# %% [step:load]
X = np.arange(6.0)
# %% [step:left]
left = X.sum()
print("left", left)
# %% [step:right]
right = X.prod()
print("right", right)
# %% [step:join]
result = (left, right)
print(result)

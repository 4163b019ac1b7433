"""A lambda lies in a dict and reads a global.

expected: equal
fused:
"""
# %% [step:a]
k = 2
fs = {"sq": lambda v: v ** k}
# %% [step:b]
y = fs["sq"](3)
# %% [step:c]
print(y)

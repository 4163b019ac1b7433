"""A value passes through three steps.

expected: equal
fused:
"""
# %% [step:a]
x = 1
# %% [step:b]
y = x + 1
# %% [step:c]
print(y)

"""A step shall run after one that the notebook runs later.

expected: refused: shall run after
expected script: equal
"""
# %% [step:a, after:b]
x = 1
# %% [step:b]
y = x + 1
# %% [step:c]
print(y)

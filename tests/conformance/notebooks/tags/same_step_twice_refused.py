"""A step goes on after another one that its second part depends on.

expected: refused: cannot be moved up
expected script: equal
"""
# %% [step:a]
x = 1
# %% [step:b]
x = x * 10
# %% [step:a]
z = x + 1
# %% [step:c]
print(x, z)

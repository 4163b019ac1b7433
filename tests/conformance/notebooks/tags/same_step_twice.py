"""A step goes on after another one; its cells can be moved together without a change.

expected: equal
"""
# %% [step:a]
x = 1
# %% [step:b]
y = 2
# %% [step:a]
z = x + 1
# %% [step:c]
print(x, y, z)

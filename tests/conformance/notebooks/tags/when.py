"""A step asks for a condition, and it holds.

expected: equal
expected script: refused: is not supported here
"""
# %% [step:a]
x = 2
# %% [step:b, when:x>1]
y = x + 1
# %% [step:c]
print(x, y)

"""A step asks for a condition that this version does not keep.

expected: refused: when
"""
# %% [step:a]
x = 1
# %% [step:b, when:x>1]
print(x)

"""A condition is code that could do anything.

expected: refused: when
"""
# %% [step:a]
x = 1
# %% [step:b, when:__import__('os')]
print(x)

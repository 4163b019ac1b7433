"""A tag is misspelt: the step would silently be lost.

expected: refused: Did you mean 'step:train'
"""
# %% [step:load]
x = 1
# %% [stpe:train]
print(x)

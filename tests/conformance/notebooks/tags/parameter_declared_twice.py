"""Two cells are tagged as parameters and both set the same name.

expected: refused: 'a'
"""
# %% [parameters]
a = 1
# %% [parameters]
a = 2
# %% [step:use]
print(a)

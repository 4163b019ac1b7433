"""Two cells are tagged as parameters; each may be given a value.

expected: equal
params: {"b": 20}
"""
# %% [parameters]
a = 1
# %% [parameters]
b = 2
# %% [step:first]
a += 1
# %% [step:use]
print(a, b)

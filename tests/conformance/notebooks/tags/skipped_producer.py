"""A cell tagged skip makes a name that a later step uses.

expected: refused: is tagged 'skip'
expected script: refused: 
"""
# %% [step:a]
x = 1
# %% [skip]
y = 2
# %% [step:b]
print(x, y)

"""A cell tagged skip makes a name that a later step uses.

expected: refused: is tagged 'skip'
skip script: the script ends with the NameError of the notebook without its skipped cell
"""
# %% [step:a]
x = 1
# %% [skip]
y = 2
# %% [step:b]
print(x, y)

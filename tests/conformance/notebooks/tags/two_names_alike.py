"""Two steps would have one name where names know no case and no dash.

expected: refused: would have the same name
expected script: equal
"""
# %% [step:Train-Model]
x = 1
# %% [step:train_model]
print(x)

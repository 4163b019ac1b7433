"""A cell is allowed to fail; what it did before counts.

expected: equal
expected script: refused: raises-exception
"""
# %% [step:a]
log = []
# %% [step:b, raises-exception]
log.append("before")
y = 1
[][3]
log.append("never")
# %%
log.append("after")
# %% [step:c]
print(log, y)

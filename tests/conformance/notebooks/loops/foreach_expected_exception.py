"""The cell may fail, and the notebook goes on with what the rounds before have left.

expected: equal
"""
# %% [step:load]
inverse = {}
# %% [step:divide, foreach, raises-exception]
for n in [2, 1, 0, 4]:
    inverse[n] = 1 / n
# %% [step:show]
print(inverse, n)

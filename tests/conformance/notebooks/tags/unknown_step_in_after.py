"""'after' names a step that is not there.

expected: refused: names no step
expected script: equal
"""
# %% [step:load]
x = 1
# %% [step:train, after:lod]
print(x)

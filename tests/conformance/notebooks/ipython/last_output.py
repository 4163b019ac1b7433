"""The history of outputs is used: `_` and Out.

expected: equal
expected script: refused: output history
fused:
"""
# %% [step:a]
40 + 2
# %% [step:b]
y = _ + 1
y
# %% [step:c]
print(y, _, Out)

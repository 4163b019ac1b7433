"""Outputs are read by number: _2, Out[3], and the last three.

expected: equal
expected script: refused: output history
"""
# %% [step:a]
10
# %%
20
# %% [step:b]
z = _2 + Out[1] + _ + __
z
# %% [step:c]
print(z, _3, sorted(Out), _ih[1])

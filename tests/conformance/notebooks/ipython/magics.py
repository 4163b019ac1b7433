"""Magics and shell lines stand among the code.

expected: equal
fused:
"""
# %% [step:a]
%matplotlib inline
files = !echo one two
# %% [step:b]
%%time
n = len(files)
# %% [step:c]
print(n, list(files))

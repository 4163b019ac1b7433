"""A variable is read by a name that is a text.

expected: equal
fused:
"""
# %% [step:a]
a1 = 5
name = "a1"
# %% [step:b]
v = globals()[name]
# %% [step:c]
print(v)

"""A name gets new values of another type, step by step.

expected: equal
fused:
"""
# %% [step:a]
x = 1
# %% [step:b]
x = x + 1
x = str(x)
# %% [step:c]
print(x + "!")

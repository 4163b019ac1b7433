"""A function sees the newest value of a global, not the one of its birth.

expected: equal
fused:
"""
# %% [step:a]
k = 2
def f(v):
    return v * k
# %% [step:b]
k = 10
y = f(1)
# %% [step:c]
print(y, f(2))

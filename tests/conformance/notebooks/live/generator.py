"""A generator that has begun cannot be saved: the next step runs in its kernel.

expected: equal
fused: b
"""
# %% [step:a]
g = (i * i for i in range(5))
first = next(g)
# %% [step:b]
rest = list(g)
# %% [step:c]
print(first, rest)

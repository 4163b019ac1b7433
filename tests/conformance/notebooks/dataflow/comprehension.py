"""A comprehension has a variable of its own, which is no new value of the notebook's x.

expected: equal
fused:
"""
# %% [step:a]
x = 10
# %% [step:b]
q = [x * x for x in range(3)]
# %% [step:c]
print(x, q)

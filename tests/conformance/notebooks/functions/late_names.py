"""A function uses names that are defined steps after it.

expected: equal
fused:
"""
# %% [step:define]
def predict(x):
    return helper(x) * weight
# %% [step:helper]
def helper(x):
    return x + offset
# %% [step:values]
weight, offset = 3, 4
# %% [step:use]
result = predict(1)
weight = 30
print(result, predict(1))

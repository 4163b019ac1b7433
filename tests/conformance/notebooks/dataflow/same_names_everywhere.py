"""Function arguments, comprehension variables and attributes are spelled like globals.

expected: equal
fused:
"""
# %% [step:a]
data, model, x = [1, 2], "model", 100
# %% [step:b]
def f(data, model=3):
    x = sum(data)
    return x + model
class C:
    x = x
    data = [d for d in (7, 8)]
y = f([10])
# %% [step:c]
print(data, model, x, y, C.x, C.data, [data for data in "ab"], (lambda model: model)(5), model)

"""Names are deleted in one step: they are gone in the next, and may be made anew.

expected: equal
fused:
"""
# %% [step:a]
x, y, z = 1, [2], 3
data = {"a": 1, "b": 2}
items = [1, 2, 3]
# %% [step:b]
del x, data["a"], items[0]
del y
y = "new"
# %% [step:c]
gone = "x" not in globals()
try:
    x
except NameError as error:
    message = str(error)
print(gone, message, y, z, data, items)

"""No items, and one item: variables of the loop are there only where a round was.

expected: equal
"""
# %% [step:load]
names, result = [], {}
# %% [step:none, foreach]
for missing in names:
    length = len(missing)
    result[missing] = length
# %% [step:one, foreach]
for single in ["x"]:
    size = len(single)
    result[single] = size
# %% [step:show]
print(result, "missing" in globals(), "length" in globals(), single, size)

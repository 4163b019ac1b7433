"""What is there afterwards: parts of the items, what only some rounds bind, nothing where none was.

expected: equal
"""
# %% [step:load]
points = [{"x": 1, "w": [1]}, {"x": 2, "w": [2]}, {"x": 3, "w": [3]}]
best, table, names = None, {}, []
sums, seen, result = [], [], {}
# %% [step:add, foreach]
for name, (position, point) in zip(["  a", "b ", " c "], enumerate(points)):
    name = name.strip()
    weights = point["w"]
    seen.append(point)
    sums.append(point["x"] + sum(weights) + position)
# %%
weights.append(9)
point["x"] = 0
# %% [step:search, foreach]
for row in (3, 4, 5, 6):
    for column in [1, 2, 3, 4, 5]:
        if column * column >= row * 2:
            break
    if row == 4:
        best = (row, column)
    table[row, column] = [row] * column
# %% [step:none, foreach]
for missing in names:
    length = len(missing)
    result[missing] = length
# %% [step:one, foreach]
for single in ["x"]:
    size = len(single)
    result[single] = size
# %% [step:show]
print(name, position, point is points[-1], weights is points[-1]["w"], seen[-1] is point, points)
print(sums, best, table, row, column, result, single, size)
print("missing" in globals(), "length" in globals())

"""What the loop's own variables hold afterwards: parts of the items, or what the last round made.

expected: equal
"""
# %% [step:load]
points = [{"x": 1, "w": [1]}, {"x": 2, "w": [2]}, {"x": 3, "w": [3]}]
names = ["  a", "b ", " c "]
sums, seen = [], []
# %% [step:add, foreach]
for name, (position, point) in zip(names, enumerate(points)):
    name = name.strip()
    weights = point["w"]
    seen.append(point)
    sums.append(point["x"] + sum(weights) + position)
# %%
weights.append(9)
point["x"] = 0
# %% [step:show]
print(name, position, point is points[-1], weights is points[-1]["w"], seen[-1] is point, points)
print(sums)

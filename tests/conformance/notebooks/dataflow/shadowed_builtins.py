"""Variables are called list, sum, id, input, type and print_ as builtins are.

expected: equal
fused:
"""
# %% [step:a]
list = [3, 1, 2]
sum = 5
id = "x1"
# %% [step:b]
list.append(sum)
type = "t"
max = lambda *a: "mine"
# %% [step:c]
print(sorted(list), sum, id, type, max(1, 2), min(4, 5))
del list, max
print(list("ab"), max(1, 2))

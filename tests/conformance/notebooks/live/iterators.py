"""Iterators over lists, files and zips are half used up when a step ends.

expected: equal
"""
# %% [step:begin]
numbers = iter([1, 2, 3, 4])
first = next(numbers)
pairs = zip("abc", [1, 2, 3])
second = next(pairs)
mapped = map(str.upper, ["x", "y"])
reverse = reversed([1, 2, 3])
third = next(reverse)
# %% [step:go_on]
more = next(numbers)
# %% [step:end]
print(first, second, third, more, list(numbers), list(pairs), list(mapped), list(reverse))

"""The order of a set is that of its history: grown, shrunk, and walked through later.

expected: equal
"""
# %% [step:make]
numbers = set(range(200))
for _i in range(200):
    if _i not in (1, 64, 130):
        numbers.discard(_i)
words = {f"w{_i}" for _i in range(50)}
words -= {f"w{_i}" for _i in range(3, 50)}
frozen = frozenset([130, 64, 1])
inside = {"k": [numbers]}
# %% [step:use]
first = list(numbers)
# %% [step:check]
second = [n for n in numbers]
popped = numbers.pop()
print(first, second, popped, list(words), list(frozen), inside["k"][0] is numbers)

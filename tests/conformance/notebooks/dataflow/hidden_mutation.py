"""A function two cells away changes its argument: the change reaches a step that never names it.

expected: equal
"""
# %% [imports]
import random
# %% [step:load]
train, test = list(range(10)), list(range(3))
def shuffle_in_place(rows):
    random.Random(1).shuffle(rows)
    rows.pop()
# %% [step:a]
shuffle_in_place(train)
best = max(train)
# %% [step:b]
size = len(train)
shuffle_in_place(test)
# %% [step:c]
print(train, test, best, size)

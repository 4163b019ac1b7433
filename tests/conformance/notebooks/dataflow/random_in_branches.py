"""Two branches that look independent both draw from the global generator: their order matters.

expected: equal
"""
# %% [imports]
import random
# %% [step:load]
random.seed(2)
base = [1, 2, 3]
# %% [step:left]
left = random.choice(base)
# %% [step:right]
right = [random.random() for _i in base]
# %% [step:join]
print(left, right, random.random())

"""Rounds draw from the generators that all share, one of them through a library.

expected: equal
"""
# %% [imports]
import random
import numpy as np
# %% [step:load]
random.seed(3)
np.random.seed(4)
drawn, shuffled = [], {}
# %% [step:draw, foreach]
for n in range(4):
    drawn.append(random.random())
# %% [step:shuffle, foreach]
for n in range(3):
    values = np.arange(4)
    getattr(np.random, "shuffle")(values)
    shuffled[n] = values.tolist()
# %% [step:show]
print(drawn, shuffled, random.random(), np.random.rand())

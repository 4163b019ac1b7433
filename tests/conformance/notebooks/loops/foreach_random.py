"""Rounds draw from the generators that all share, in sight or through a library; or from their own.

expected: equal
"""
# %% [imports]
import random
import numpy as np
# %% [step:load]
random.seed(3)
np.random.seed(4)
SEED, drawn, shuffled, normal = 11, [], {}, {}
# %% [step:draw, foreach]
for n in range(4):
    drawn.append(random.random())
# %% [step:shuffle, foreach]
for n in range(3):
    values = np.arange(4)
    getattr(np.random, "shuffle")(values)
    shuffled[n] = values.tolist()
# %% [step:normal, foreach]
for n in np.random.permutation(5):
    rng = np.random.default_rng([SEED, n])
    normal[int(n)] = rng.normal(size=3)
# %% [step:show]
print(drawn, shuffled, normal, random.random(), np.random.rand(), rng.random())

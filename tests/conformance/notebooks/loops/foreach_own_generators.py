"""Each round has a generator of its own; the ones that all share stay where they were.

expected: equal
"""
# %% [imports]
import numpy as np
# %% [step:load]
np.random.seed(4)
SEED, drawn = 11, {}
# %% [step:draw, foreach]
for n in np.arange(5):
    rng = np.random.default_rng([SEED, n])
    drawn[int(n)] = rng.normal(size=3)
# %% [step:show]
print(drawn, np.random.rand(), rng.random())

"""random, numpy's old and new generators, each seeded once and drawn from in every step.

expected: equal
fused:
"""
# %% [imports]
import random
import numpy as np
# %% [step:seed]
random.seed(4)
np.random.seed(5)
rng = np.random.default_rng(6)
old = np.random.RandomState(7)
mine = random.Random(8)
draws = [random.random(), np.random.rand(), rng.random(), old.rand(), mine.random()]
# %% [step:draw]
draws += [random.gauss(0, 1), np.random.randn(), rng.normal(), old.randn(), mine.gauss(0, 1)]
# %% [step:draw_again]
draws += [random.gauss(0, 1), np.random.randn(), rng.normal(), old.randn(), mine.gauss(0, 1)]
random.shuffle(draws)
print(draws)

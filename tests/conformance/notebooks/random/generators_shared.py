"""Two objects draw from one numpy generator, others from children that were spawned of it.

expected: equal
fused:
"""
# %% [imports]
import random
import numpy as np
from scipy import stats
from sklearn.model_selection import ShuffleSplit
from sklearn.utils import check_random_state
# %% [step:make]
rng = np.random.default_rng(7)
class Shop:
    def __init__(self, rng):
        self.rng = rng
    def draw(self):
        return int(self.rng.integers(1000))
one, two = Shop(rng), Shop(rng)
children = rng.spawn(2)
law = stats.norm(loc=1)
law.random_state = rng
legacy = np.random.RandomState(rng.bit_generator)
checked = check_random_state(None)
split = ShuffleSplit(1, random_state=legacy)
# %% [step:draw]
a = [one.draw(), two.draw(), int(children[0].integers(1000)), law.rvs()]
np.random.seed(1)
# %% [step:draw_again]
b = [two.draw(), one.draw(), int(children[1].integers(1000)), law.rvs(), float(legacy.rand())]
c = float(checked.rand())
order = next(split.split(range(5)))[0].tolist()
more = [int(child.integers(1000)) for child in rng.spawn(1)]
print(a, b, c, order, more, one.rng is two.rng, np.random.mtrand._rand is checked)

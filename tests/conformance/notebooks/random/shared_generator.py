"""One generator lives under two names and inside an object; all draw from one stream.

expected: equal
fused:
"""
# %% [imports]
import numpy as np
# %% [step:a]
rng = np.random.default_rng(0)
class Sampler:
    def __init__(self, rng):
        self.rng = rng
    def draw(self):
        return self.rng.integers(100)
sampler = Sampler(rng)
children = rng.spawn(2)
# %% [step:b]
b = [rng.integers(100), sampler.draw(), children[0].integers(100)]
# %% [step:c]
c = [sampler.draw(), rng.integers(100), children[1].integers(100), rng.spawn(1)[0].integers(100)]
print(b, c, sampler.rng is rng)

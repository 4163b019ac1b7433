"""Objects say themselves how they are pickled; a copy must still be what the notebook had.

expected: equal
fused:
"""
# %% [step:define]
class Counter:
    def __init__(self):
        self.n, self.cache = 1, {"big": 1}
    def __getstate__(self):
        return {"n": self.n, "cache": self.cache}
    def __setstate__(self, state):
        self.__dict__.update(state)
class Temperature:
    def __init__(self, value):
        self.value = value
    def __reduce__(self):
        return (Temperature, (self.value,))
counter, warm = Counter(), Temperature(20)
both = [warm, warm]
# %% [step:use]
counter.n += 1
# %% [step:check]
print(counter.n, counter.cache, warm.value, both[0] is both[1] is warm)

"""Objects hand on what they are asked for to another object: while they are loaded there is none yet.

expected: equal
fused:
"""
# %% [step:make]
class Logged:
    def __init__(self, inner):
        self.inner = inner
        self.asked = []
    def __getattr__(self, name):
        self.__dict__["asked"].append(name)
        return getattr(self.inner, name)
class Strict:
    def __init__(self):
        object.__setattr__(self, "values", {"a": 1})
    def __getattribute__(self, name):
        values = object.__getattribute__(self, "values")
        return values[name] if name in values else object.__getattribute__(self, name)
    def __setattr__(self, name, value):
        self.values[name] = value
logged, strict = Logged([3, 1, 2]), Strict()
# %% [step:use]
logged.sort()
strict.b = 2
# %% [step:check]
logged.append(4)
print(logged.inner, logged.asked, strict.a, strict.b, strict.values)

"""Marks that are compared with 'is': a sentinel of the notebook, None, a class as a mark.

expected: equal
fused:
"""
# %% [step:define]
MISSING = object()
class Unset: ...
class One:
    _only = None
    def __new__(cls):
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only
one = One()
table = {"a": MISSING, "b": None, "c": Unset, "d": Ellipsis, "e": NotImplemented}
def get(key, default=MISSING):
    return default is MISSING
# %% [step:use]
table["f"] = MISSING
# %% [step:check]
checks = [table["a"] is MISSING, table["f"] is MISSING, get("x"), get("x", None), table["c"] is Unset,
          One() is one, table["d"] is ..., table["e"] is NotImplemented]
print(checks)

"""A base class counts its subclasses as they are made.

expected: equal
"""
# %% [step:define]
class Plugin:
    known = {}
    def __init_subclass__(cls, /, key=None, **more):
        super().__init_subclass__(**more)
        Plugin.known[key or cls.__name__] = cls
class One(Plugin, key="1"): ...
# %% [step:more]
class Two(Plugin): ...
# %% [step:check]
print(sorted(Plugin.known), Plugin.known["1"] is One, Plugin.known["Two"] is Two)

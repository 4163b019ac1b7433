"""A metaclass registers every class that it makes: making a class again would register it twice.

expected: equal
"""
# %% [step:define]
class Meta(type):
    made = []
    def __new__(mcls, name, bases, space):
        Meta.made.append(name)
        return super().__new__(mcls, name, bases, space)
class Base(metaclass=Meta): ...
class Leaf(Base): ...
leaf = Leaf()
# %% [step:use]
class Other(Base): ...
# %% [step:check]
print(Meta.made, type(Leaf).__name__, isinstance(leaf, Base))

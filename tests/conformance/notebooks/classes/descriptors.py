"""Descriptors, cached properties, __getattr__ and callable objects of the notebook.

expected: equal
"""
# %% [imports]
from functools import cached_property, singledispatch, total_ordering
# %% [step:define]
class Positive:
    def __set_name__(self, owner, name):
        self.name = "_" + name
    def __get__(self, obj, kind=None):
        return self if obj is None else getattr(obj, self.name)
    def __set__(self, obj, value):
        if value <= 0:
            raise ValueError(value)
        setattr(obj, self.name, value)
@total_ordering
class Item:
    price = Positive()
    computed = 0
    def __init__(self, price):
        self.price = price
    @cached_property
    def tax(self):
        Item.computed += 1
        return self.price * 0.2
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return f"no {name}"
    def __eq__(self, other): return self.price == other.price
    def __lt__(self, other): return self.price < other.price
    def __hash__(self): return hash(self.price)
    def __call__(self, x): return x * self.price
item = Item(10)
tax = item.tax
# %% [step:use]
item.price = 20
again = item.tax
# %% [step:check]
try:
    item.price = -1
except ValueError as error:
    bad = str(error)
print(tax, again, Item.computed, item.other, item > Item(3), item(2), bad, {item: 1}[Item(20)])

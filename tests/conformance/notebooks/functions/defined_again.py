"""A class and a function are defined again while old instances, old references and subclasses live.

expected: equal
"""
# %% [step:first]
class Till:
    total = 0
    def add(self, n):
        self.total += n
        return "old"
class Small(Till):
    pass
def price(n):
    return n
old_till, small, old_price = Till(), Small(), price
bound = old_till.add
makers = [lambda: i for i in range(3)]
frozen = [lambda i=i: i for i in range(3)]
# %% [step:again]
class Till:
    total = 100
    def add(self, n):
        self.total += 2 * n
        return "new"
def price(n):
    return 10 * n
new_till = Till()
told = [old_till.add(1), new_till.add(1), small.add(1), bound(5)]
# %% [step:check]
print(told, old_till.total, new_till.total, isinstance(old_till, Till), isinstance(small, Till))
print(old_price(1), price(1), type(small).__mro__[1] is type(old_till), Small.__subclasses__())
print([make() for make in makers], [make() for make in frozen])
old_till.__class__ = Till
print(old_till.add(1), old_till.total, len(Till.__subclasses__()))

"""Functions of the notebook are registered at libraries by a call, not by an assignment.

expected: equal
"""
# %% [imports]
import collections.abc, copy, copyreg, json, signal, sys
# %% [step:register]
class Basket:
    def __init__(self, items):
        self.items = items
    def __len__(self):
        return len(self.items)
collections.abc.Sequence.register(Basket)
def shrink(basket):
    return Basket, (basket.items[:1],)
copyreg.pickle(Basket, shrink)
heard = []
old = signal.signal(signal.SIGUSR1, lambda number, frame: heard.append("signal"))
# %% [step:use]
basket = Basket([1, 2])
smaller = copy.copy(basket).items
# %% [step:check]
signal.raise_signal(signal.SIGUSR1)
print(isinstance(basket, collections.abc.Sequence), smaller, heard)
del old

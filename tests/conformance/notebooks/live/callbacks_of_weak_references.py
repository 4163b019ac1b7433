"""A finalizer and a weak reference with a callback tell when an object goes.

expected: equal
"""
# %% [imports]
import gc, weakref
# %% [step:make]
class Node: ...
gone = []
a, b = Node(), Node()
end = weakref.finalize(a, gone.append, "a")
ref = weakref.ref(b, lambda r: gone.append("b"))
# %% [step:between]
early = list(gone)
# %% [step:drop]
del a, b
n = gc.collect() * 0
print(early, sorted(gone), end.alive)

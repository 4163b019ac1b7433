"""Weak references look at an object that lives as long as its name.

expected: equal
"""
# %% [imports]
import gc, weakref
# %% [step:make]
class Node:
    def __init__(self, name):
        self.name = name
node, other = Node("n"), Node("o")
ref = weakref.ref(node)
names = weakref.WeakValueDictionary(n=node, o=other)
members = weakref.WeakSet([node, other])
# %% [step:drop]
alive = ref() is node
del other
n = gc.collect() * 0
# %% [step:check]
before = sorted(names), len(members)
del node
n = gc.collect() * 0
print(alive, before, ref(), sorted(names), len(members))

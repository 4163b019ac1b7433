"""Objects are found by identity, by a weak mapping and by the address that a dict keeps.

expected: equal
"""
# %% [imports]
import copy, enum, sys, types, uuid, weakref
# %% [step:make]
class Node:
    def __init__(self, name, parent=None):
        self.name, self.children = name, []
        self.parent = weakref.ref(parent) if parent else None
        if parent:
            parent.children.append(self)
root = Node("root")
leaf = Node("leaf", root)
by_id = {id(root): "root"}
notes = weakref.WeakKeyDictionary({leaf: "a note"})
space = types.SimpleNamespace(node=leaf, tree=root)
class Color(enum.Flag):
    RED = enum.auto()
    BLUE = enum.auto()
both = Color.RED | Color.BLUE
word = sys.intern("shop-" + "till")
missing = object()
lookup = {"a": missing}
# %% [step:use]
found = by_id.get(id(root))
leaf.name = "leaf 2"
# %% [step:check]
same = lookup["a"] is missing
up = leaf.parent().name
print(found, notes[leaf], space.node.name, same, up, both is (Color.BLUE | Color.RED), word is sys.intern("shop-till"))
del by_id

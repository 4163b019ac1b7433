"""Lists, dicts and objects contain themselves and one another.

expected: equal
fused:
"""
# %% [step:make]
ring = [1]
ring.append(ring)
book = {"n": 1}
book["me"] = book
class Node:
    def __init__(self, value):
        self.value, self.next = value, None
a, b = Node(1), Node(2)
a.next, b.next = b, a
pair = ([],)
pair[0].append(pair)
deep = []
level = deep
for _i in range(200):
    level.append([])
    level = level[0]
# %% [step:change]
ring[1].append(3)
level.append("bottom")
a.value = 10
# %% [step:check]
checks = [ring[1] is ring, len(ring), book["me"]["me"] is book, b.next.value, a.next.next is a, pair[0][0] is pair]
depth, walk = 0, deep
while walk and walk != ["bottom"]:
    walk, depth = walk[0], depth + 1
print(checks, depth, walk)
del deep, level, walk

"""A list of nodes is so long that walking it needs the deepest stack.

expected: equal
"""
# %% [step:make]
class Node:
    def __init__(self, n, following):
        self.n, self.following = n, following
first = None
for n in range(5000):
    first = Node(n, first)
nested = []
for _ in range(3000):
    nested = [nested]
# %% [step:use]
first.n = "changed"
# %% [step:check]
count, node = 0, first
while node is not None:
    count, node = count + 1, node.following
depth, inner = 0, nested
while inner:
    depth, inner = depth + 1, inner[0]
print(first.n, count, depth)
del first, nested, inner

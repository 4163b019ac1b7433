"""Closures share a variable and change it; others captured the last value of a loop.

expected: equal
fused:
"""
# %% [step:make]
def counter():
    n = 0
    def up():
        nonlocal n
        n += 1
        return n
    def read():
        return n
    return up, read


up, read = counter()
late = [lambda: i for i in range(3)]
early = [lambda i=i: i for i in range(3)]
adders = []
for k in range(3):
    adders.append(lambda x: x + k)
# %% [step:use]
up(); up()
k = 100
# %% [step:check]
values = [read(), up(), read()]
print(values, [f() for f in late], [f() for f in early], [f(1) for f in adders])

"""A default argument is a list that grows with every call.

expected: equal
fused:
"""
# %% [step:define]
def add(x, seen=[], *, notes={}):
    seen.append(x)
    notes[x] = len(seen)
    return seen
first = add(1)
# %% [step:use]
second = add(2)
# %% [step:check]
third = add(3)
print(first, first is third, add.__defaults__[0] is third, add.__kwdefaults__)

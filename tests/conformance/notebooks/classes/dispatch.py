"""singledispatch functions and their registered types cross, or the steps stay together.

expected: equal
"""
# %% [imports]
from functools import singledispatch
# %% [step:define]
@singledispatch
def show(x):
    return "any"
@show.register
def _(x: int):
    return "int"
class Mine: ...
# %% [step:extend]
@show.register
def _(x: Mine):
    return "mine"
# %% [step:use]
print(show(1), show(Mine()), show("x"))

"""Partial functions, bound methods and operator objects hold on to the things they were made of.

expected: equal
fused:
"""
# %% [imports]
import functools, operator
# %% [step:make]
store = []
push = store.append
scale = functools.partial(lambda a, b, c=0: a * b + c, 3, c=1)
get = operator.itemgetter(1)
name = operator.attrgetter("real")
call = operator.methodcaller("upper")
# %% [step:use]
push(scale(2))
push(get([5, 6]))
# %% [step:check]
push(call("x"))
print(store, push.__self__ is store, name(4), scale.keywords)

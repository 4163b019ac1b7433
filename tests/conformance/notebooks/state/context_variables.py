"""Context variables, thread locals and counters hold state that no name shows.

expected: equal
"""
# %% [imports]
import contextvars, itertools, threading
# %% [step:set]
user = contextvars.ContextVar("user", default="nobody")
token = user.set("ann")
local = threading.local()
local.x = 5
ids = itertools.count(10)
first = next(ids)
wheel = itertools.cycle("ab")
turned = next(wheel)
# %% [step:use]
second = next(ids)
local.x += 1
seen = user.get()
# %% [step:check]
print(first, second, next(ids), local.x, seen, turned + next(wheel) + next(wheel))

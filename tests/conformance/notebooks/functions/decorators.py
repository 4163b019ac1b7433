"""Decorated functions: with arguments, counting calls, keeping the original.

expected: equal
fused:
"""
# %% [imports]
import functools
# %% [step:define]
registry = {}
def register(name):
    def wrap(f):
        @functools.wraps(f)
        def inner(*args, **kwargs):
            inner.calls += 1
            return f(*args, **kwargs)
        inner.calls = 0
        registry[name] = inner
        return inner
    return wrap


@register("double")
def twice(x):
    "Two times."
    return 2 * x
# %% [step:use]
values = [twice(i) for i in range(3)]
# %% [step:check]
print(values, twice.calls, registry["double"] is twice, twice.__doc__, twice.__wrapped__(5))

"""A generator function with a finally clause, and a context manager that is left later.

expected: equal
"""
# %% [imports]
import contextlib
# %% [step:begin]
events = []
@contextlib.contextmanager
def opened(name):
    events.append(f"open {name}")
    try:
        yield name
    finally:
        events.append(f"close {name}")
stack = contextlib.ExitStack()
a = stack.enter_context(opened("a"))
def rows():
    try:
        for i in range(5):
            events.append(i)
            yield i
    finally:
        events.append("end")
feed = rows()
one = next(feed)
# %% [step:go_on]
two = next(feed)
# %% [step:end]
feed.close()
stack.close()
print(a, one, two, events)

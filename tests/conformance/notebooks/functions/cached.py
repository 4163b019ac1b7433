"""A cached function keeps what it has computed: it must not be called twice for the same.

expected: equal
"""
# %% [imports]
import functools
# %% [step:define]
calls = []
@functools.lru_cache(maxsize=None)
def slow(n):
    calls.append(n)
    return n * n
# %% [step:fill]
first = [slow(n) for n in (1, 2, 3)]
# %% [step:use]
second = [slow(n) for n in (1, 2, 3, 4)]
hits = slow.cache_info().hits
print(first, second, calls, hits)

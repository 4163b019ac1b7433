"""An executor made in one step gets work in the next.

expected: equal
"""
# %% [imports]
from concurrent.futures import ThreadPoolExecutor
# %% [step:start]
pool = ThreadPoolExecutor(2)
first = pool.submit(pow, 2, 5)
# %% [step:use]
more = list(pool.map(abs, [-1, -2]))
# %% [step:end]
pool.shutdown()
print(first.result(), more)

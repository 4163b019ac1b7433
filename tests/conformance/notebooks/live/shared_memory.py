"""Memory that processes share and a dict that another process serves are used steps later.

expected: equal
"""
# %% [imports]
import multiprocessing
from multiprocessing import shared_memory
import numpy as np
# %% [step:make]
manager = multiprocessing.Manager()
common = manager.dict(a=1)
block = shared_memory.SharedMemory(create=True, size=32)
array = np.ndarray((4,), dtype=float, buffer=block.buf)
array[:] = 1.5
name = block.name
# %% [step:use]
common["b"] = 2
# %% [step:check]
again = shared_memory.SharedMemory(name=name)
total = float(np.ndarray((4,), dtype=float, buffer=again.buf).sum())
told = dict(common)
print(told, total)
del array, again, name, common
block.unlink()
del block

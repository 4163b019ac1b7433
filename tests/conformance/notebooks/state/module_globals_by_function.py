"""A function of a library keeps its state in the library: counters, caches and registries.

expected: equal
fused:
"""
# %% [imports]
import itertools, mimetypes, re, threading, uuid
import numpy as np
from collections import namedtuple
# %% [step:set]
mimetypes.add_type("shop/bill", ".bill")
np.set_printoptions(threshold=5, edgeitems=1)
name = threading.current_thread().name
threading.current_thread().name = "cook"
# %% [step:use]
kind = mimetypes.guess_type("a.bill")[0]
# %% [step:check]
print(kind, np.arange(10), threading.current_thread().name, name)

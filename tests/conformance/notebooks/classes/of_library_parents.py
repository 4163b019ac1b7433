"""A class of the notebook derives from a library's thread and from an exception.

expected: equal
"""
# %% [imports]
import threading
# %% [step:define]
class Worker(threading.Thread):
    def __init__(self, n):
        super().__init__()
        self.n, self.out = n, None
    def run(self):
        self.out = self.n * 2
class ShopError(Exception):
    def __init__(self, code, *, detail=None):
        super().__init__(f"code {code}")
        self.code, self.detail = code, detail
worker = Worker(4)
worker.start()
worker.join()
# %% [step:raise_]
try:
    raise ShopError(3, detail=[1]) from KeyError("k")
except ShopError as caught:
    kept = caught
# %% [step:check]
print(worker.out, kept.code, kept.detail, repr(kept), repr(kept.__cause__), isinstance(kept, ShopError))

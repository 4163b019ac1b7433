"""What shall happen when an object or the process goes is registered with no name for it.

expected: equal
"""
# %% [imports]
import sys, weakref
from pathlib import Path
# %% [step:register]
class Shop:
    pass
Path("closed.txt").unlink(missing_ok=True)
shop = Shop()
weakref.finalize(shop, Path("closed.txt").write_text, "closed")
def note():
    Path("noted.txt").write_text("noted")
weakref.finalize(sys, note).atexit = False
# %% [step:use]
exists = Path("closed.txt").exists()
# %% [step:check]
del shop
print(exists, Path("closed.txt").exists())

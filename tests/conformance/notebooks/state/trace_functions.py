"""The hook for uncaught errors and the display hook are replaced.

expected: equal
"""
# %% [imports]
import sys
# %% [step:set]
seen = []
old_hook = sys.unraisablehook
sys.unraisablehook = lambda info: seen.append(type(info.exc_value).__name__)
class Bad:
    def __del__(self):
        raise ValueError("in del")
# %% [step:use]
bad = Bad()
del bad
# %% [step:check]
print(seen)
sys.unraisablehook = old_hook

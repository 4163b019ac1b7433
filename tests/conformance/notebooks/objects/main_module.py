"""The notebook looks itself up: __main__, __name__, globals() and vars().

expected: equal
expected script: refused: 
"""
# %% [imports]
import sys
# %% [step:make]
import __main__
x = 1
__main__.y = 2
globals()["z"] = 3
class Here: ...
me = sys.modules["__main__"]
# %% [step:use]
total = x + y + z
same = __main__ is me and vars(me) is globals()
# %% [step:check]
print(total, same, Here.__module__, __name__, getattr(__main__, "z"), "x" in dir())

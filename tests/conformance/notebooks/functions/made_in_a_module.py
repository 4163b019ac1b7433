"""Functions that a local module has made but not named: they share its variables, and import in C.

expected: equal
"""
# %% file: desk.py
import pickle
import time
COUNT = 0
def make(step):
    def bump(obj):
        global COUNT
        COUNT += step
        return pickle.loads(pickle.dumps(obj)), time.strptime("2026", "%Y").tm_year, COUNT
    return bump
ACTIONS = {"one": make(1), "two": lambda obj: (COUNT, pickle.dumps(obj) and obj)}
# %% [imports]
import pathlib
import desk
# %% [step:a]
ten = desk.make(10)
scope = {"k": 5}
exec("import time\ndef f(text): return time.strptime(text, '%Y').tm_year + k\n", scope)
f = scope["f"]
print(ten(pathlib.PurePosixPath("a")), desk.ACTIONS["one"]("b"))
# %% [step:b]
print(ten(pathlib.PurePosixPath("c")), desk.ACTIONS["two"](pathlib.PurePosixPath("d")), f("2020"))
# %% [step:c]
print(desk.COUNT, ten.__globals__ is vars(desk), desk.ACTIONS["one"](1), desk.COUNT, f("1999"))

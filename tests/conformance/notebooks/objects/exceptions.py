"""Exceptions are kept with their cause, notes and traceback, and groups of them.

expected: equal
"""
# %% [imports]
import traceback
# %% [step:fail]
errors = []
def risky(x):
    return 1 / x
for value in (1, 0, "a"):
    try:
        risky(value)
    except Exception as error:
        error.add_note(f"value {value!r}")
        errors.append(error)
try:
    raise ExceptionGroup("many", [ValueError(1), TypeError("t")])
except* ValueError as group:
    part = group
except* TypeError:
    pass
# %% [step:use]
lines = [traceback.extract_tb(e.__traceback__)[-1].name for e in errors]
# %% [step:check]
print([repr(e) for e in errors], [e.__notes__ for e in errors], lines, part.exceptions)
del errors, part

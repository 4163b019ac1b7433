"""Arrays of every layout: Fortran order, read-only, structured, masked, object, zero-size, big-endian.

expected: equal
"""
# %% [imports]
import numpy as np
# %% [step:make]
fortran = np.asfortranarray(np.arange(6).reshape(2, 3))
fixed = np.array([1, 2, 3]); fixed.flags.writeable = False
rows = np.array([(1, 2.5, "a"), (2, 3.5, "bc")], dtype=[("n", "i4"), ("x", "f8"), ("s", "U2")])
records = rows.view(np.recarray)
masked = np.ma.array([1, 2, 3], mask=[0, 1, 0], fill_value=9)
things = np.array([1, "a", None, [2]], dtype=object)
empty = np.empty((0, 3))
scalar = np.float32(1.5)
zero = np.array(7)
big = np.arange(3, dtype=">i4")
dates = np.array(["2020-01-01", "NaT"], dtype="datetime64[D]")
matrix = np.matrix([[1, 2]])
# %% [step:use]
try:
    fixed[0] = 5
except ValueError as error:
    message = str(error)
things[3].append(3)
masked[0] = np.ma.masked
# %% [step:check]
all_of_them = [fortran, fixed, rows, records.n, masked, things, empty, scalar, zero, big, dates, matrix]
layouts = [(a.flags.f_contiguous, a.flags.writeable, a.dtype.str, type(a).__name__) for a in all_of_them]
print(layouts, message, masked.fill_value, things)

"""Rounds change the very items they go over, and a table that all of them see.

expected: equal
"""
# %% [imports]
import numpy as np
# %% [step:load]
tables = [np.ones(3), np.zeros(3)]
counts = np.zeros(4)
norms, touched = [], {}
# %% [step:scale, foreach]
for table in tables:
    np.add(table, 2, out=table)
    norms.append(float(table.sum()))
# %% [step:count, foreach]
for n in range(4):
    np.put(counts, n, counts.sum() + 1)
    touched[n] = float(counts.sum())
# %% [step:show]
print(tables, counts, norms, touched)

"""A database in memory lives in its kernel only.

expected: equal
fused: b, c
"""
# %% [imports]
import sqlite3
# %% [step:a]
db = sqlite3.connect(":memory:")
c = db.execute("create table t (a)")
# %% [step:b]
n = db.execute("insert into t values (7)").rowcount
# %% [step:c]
rows = db.execute("select a from t").fetchall()
print(rows, n)

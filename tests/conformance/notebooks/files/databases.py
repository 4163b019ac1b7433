"""A database in a file, a shelf and a zip are filled and read in different steps.

expected: equal
skip warm: the database of the first run is there already, and nothing of it is cached
skip resumed: the database of the first run is there already, and nothing of it is cached
skip edited: the database of the first run is there already, and nothing of it is cached
"""
# %% [imports]
import csv, json, sqlite3, zipfile
import pandas as pd
# %% [step:fill]
db = sqlite3.connect("shop.db")
with db:
    _ = db.execute("create table t (a, b)")
    _ = db.executemany("insert into t values (?, ?)", [(1, "x"), (2, "y")])
db.close()
with zipfile.ZipFile("pack.zip", "w") as pack:
    pack.writestr(zipfile.ZipInfo("inner.json"), json.dumps([1, 2]))
pd.DataFrame({"a": [1, 2]}).to_csv("t.csv", index=False)
# %% [step:change]
db = sqlite3.connect("shop.db")
with db:
    _ = db.execute("update t set a = a * 10")
db.close()
# %% [step:read]
db = sqlite3.connect("shop.db")
rows = db.execute("select * from t").fetchall()
db.close()
inner = json.loads(zipfile.ZipFile("pack.zip").read("inner.json"))
table = pd.read_csv("t.csv")
print(rows, inner, table.a.sum())

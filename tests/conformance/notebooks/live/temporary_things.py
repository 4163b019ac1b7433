"""Temporary files, an open database and a half written archive live over steps.

expected: equal
"""
# %% [imports]
import sqlite3, tempfile, zipfile
from pathlib import Path
# %% [step:make]
scratch = tempfile.NamedTemporaryFile("w+", suffix=".txt")
scratch.write("one\n")
spooled = tempfile.SpooledTemporaryFile()
spooled.write(b"abc")
base = sqlite3.connect(":memory:")
base.create_function("double", 1, lambda n: 2 * n)
base.execute("create table t (x)")
archive = zipfile.ZipFile("all.zip", "w")
archive.writestr(zipfile.ZipInfo("a.txt"), "a")
# %% [step:go_on]
base.execute("insert into t values (21)")
archive.writestr(zipfile.ZipInfo("b.txt"), "b")
scratch.write("two\n")
# %% [step:end]
found = base.execute("select double(x) from t").fetchall()
archive.close()
scratch.seek(0)
spooled.seek(0)
print(found, zipfile.ZipFile("all.zip").namelist(), scratch.read(), spooled.read(), Path(scratch.name).exists())
base.close(), scratch.close()
del scratch, spooled, base, archive

"""Libraries are told by a call how to write, read and encode: prefixes, adapters, formats.

expected: equal
fused:
"""
# %% [imports]
import mimetypes, shutil, sqlite3, tempfile, zipfile
import xml.etree.ElementTree as tree
# %% [step:register]
tree.register_namespace("shop", "http://shop.example")
sqlite3.register_adapter(set, lambda s: ",".join(sorted(s)))
mimetypes.add_type("shop/bill", ".bill")
shutil.register_archive_format("flat", lambda base, root, **more: base + ".flat")
# %% [step:use]
text = tree.tostring(tree.Element("{http://shop.example}till")).decode()
kind = mimetypes.guess_type("a.bill")[0]
# %% [step:check]
base = sqlite3.connect(":memory:")
base.execute("create table t (x)")
base.execute("insert into t values (?)", ({"b", "a"},))
stored = base.execute("select x from t").fetchall()
base.close()
print(text, kind, stored, dict(shutil.get_archive_formats()).get("flat"))
del base

"""Read-only views of dicts, matches of patterns, hashes and structs go on in later steps.

expected: equal
"""
# %% [imports]
import hashlib, re, struct, types
from collections import UserDict
# %% [step:make]
prices = {"a": 1}
shown = types.MappingProxyType(prices)
box = UserDict(prices)
found = re.search(r"(?P<n>\d+)", "abc 12 def")
digest = hashlib.sha256(b"one")
form = struct.Struct("<ih")
get, put = prices.get, prices.__setitem__
# %% [step:change]
prices["b"] = 2
digest.update(b"two")
put("c", 3)
# %% [step:check]
print(dict(shown), box, found["n"], found.span(), digest.hexdigest()[:8], form.pack(1, 2), get("c"))
del found, digest, form

"""A module is imported where it is there, else another takes its name.

expected: equal
fused:
"""
# %% [step:a]
try:
    import ujson_that_is_not_there as json
    fast = True
except ImportError:
    import json
    fast = False
if not fast:
    from json import dumps as write
# %% [step:b]
text = write({"a": 1})
try:
    cache
except NameError:
    cache = {}
cache["t"] = text
# %% [step:c]
print(fast, json.loads(text), cache, json.__name__)

"""A module is imported in one step and used in another.

expected: equal
fused:
"""
# %% [step:a]
import json as j
d = {"a": 1}
# %% [step:b]
s = j.dumps(d)
# %% [step:c]
print(s, j.loads(s))

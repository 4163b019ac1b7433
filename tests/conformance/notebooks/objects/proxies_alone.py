"""A read-only view of a dict and bound methods follow the dict from step to step.

expected: equal
fused:
"""
# %% [imports]
import types
# %% [step:make]
prices = {"a": 1}
shown = types.MappingProxyType(prices)
put, seen = prices.__setitem__, [].append
# %% [step:change]
prices["b"] = 2
put("c", 3)
# %% [step:check]
print(dict(shown), len(shown))

"""Ordered, default, counting and chained dicts keep order, factory and links.

expected: equal
fused:
"""
# %% [imports]
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
# %% [step:make]
k = 10
ordered = OrderedDict(b=1, a=2)
ordered.move_to_end("b")
grouped = defaultdict(lambda: [k])
grouped["x"].append(1)
counts = Counter("hello")
low, high = {"a": 1}, {"b": 2}
chain = ChainMap(low, high)
last = deque([1, 2, 3], maxlen=3)
plain = {"z": 1, "a": 2}
del plain["z"]
plain["z"] = 3
keys = plain.keys()
# %% [step:change]
low["c"] = 3
last.append(4)
k = 20
grouped["y"].append(2)
plain["n"] = 0
# %% [step:check]
print(list(ordered), dict(grouped), counts.most_common(1), chain["c"], list(last), list(plain), list(keys))

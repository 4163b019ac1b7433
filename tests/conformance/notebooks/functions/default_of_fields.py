"""Dataclasses make their parts by factories that count, and partials keep keyword defaults that grow.

expected: equal
"""
# %% [imports]
import functools, itertools
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field, replace
# %% [step:make]
numbers = itertools.count(1)
made = []
def fresh():
    made.append(len(made))
    return []
@dataclass(order=True)
class Order:
    name: str
    number: int = field(default_factory=lambda: next(numbers))
    items: list = field(default_factory=fresh, compare=False)
first = Order("a")
index = defaultdict(fresh)
index["x"].append(1)
recent = deque([1, 2], maxlen=2)
layers = ChainMap({}, {"a": 1})
add = functools.partial(lambda x, seen: seen.append(x) or len(seen), seen=[])
# %% [step:use]
second = Order("b")
copied = replace(first, name="c")
index["y"]
recent.append(3)
layers["a"] = 2
add(5)
# %% [step:check]
third = Order("d")
copied.items.append("shared")
tally = Counter(first.items + [add(6)])
print(first, second, third, made, dict(index), recent, layers.maps, add.keywords, tally)

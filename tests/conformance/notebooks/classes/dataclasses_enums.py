"""Dataclasses, enums and named tuples defined in the notebook keep identity and equality.

expected: equal
fused:
"""
# %% [imports]
from collections import namedtuple
from dataclasses import dataclass, field
from enum import Enum, Flag, auto
from typing import NamedTuple
# %% [step:define]
class Color(Enum):
    RED = 1
    BLUE = "b"
class Right(Flag):
    READ = auto()
    WRITE = auto()
@dataclass(order=True, frozen=True)
class Point:
    x: int
    y: int = 0
@dataclass
class Bag:
    color: Color
    items: list = field(default_factory=list)
Pair = namedtuple("Pair", "a b")
class Named(NamedTuple):
    left: int
    right: str = "r"
bag = Bag(Color.RED)
pair, named = Pair(1, [2]), Named(3)
points = {Point(1): "one", Point(0, 5): "two"}
rights = Right.READ | Right.WRITE
# %% [step:change]
bag.items.append(Color.BLUE)
pair.b.append(3)
# %% [step:check]
checks = [bag.color is Color.RED, Color("b") is bag.items[0], Point(1) in points, isinstance(pair, Pair),
          sorted(points), Right.READ in rights, Color["RED"] is Color.RED, named._replace(left=9)]
print(checks, bag, pair, rights)

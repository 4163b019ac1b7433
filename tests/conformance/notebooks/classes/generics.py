"""Typing generics, protocols, type variables and NewType cross or stay.

expected: equal
"""
# %% [imports]
from typing import Generic, NewType, Optional, Protocol, TypedDict, TypeVar, runtime_checkable
# %% [step:define]
T = TypeVar("T")
class Box(Generic[T]):
    def __init__(self, item: T) -> None:
        self.item = item
@runtime_checkable
class Sized(Protocol):
    def size(self) -> int: ...
class Row(TypedDict):
    a: int
UserId = NewType("UserId", int)
box: Box[int] = Box(5)
hint = Optional[Box[int]]
alias = dict[str, Box]
class Thing:
    def size(self): return 3
row: Row = {"a": 1}
# %% [step:use]
user = UserId(7)
typed = Box[str]("x")
# %% [step:check]
print(box.item, typed.item, isinstance(Thing(), Sized), hint, alias, UserId.__name__, Row.__annotations__, user)

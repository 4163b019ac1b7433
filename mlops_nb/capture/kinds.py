"""Sets of classes, and facts about classes, that no class of the user's can disturb.

A class whose own class defines ``__eq__`` or ``__hash__`` answers for itself when a set or dict is
asked for it: it may not be hashable, or raise. Here classes are told apart by identity alone.
"""

from __future__ import annotations

import weakref
from typing import Generic, TypeVar

T = TypeVar("T")

# Tells objects apart as `id` does, whatever their class says of hashes. But `id` is an audit event:
# each one calls every audit hook of the process, which takes longer than all else around it.
identify = object.__hash__


class Kinds:
    """A set of classes.

    Parameters
    ----------
    *kinds
        The classes; kept alive.
    """

    __slots__ = ("_ids", "_kinds")

    def __init__(self, *kinds: type) -> None:
        self._kinds = kinds
        self._ids = frozenset(map(identify, kinds))

    def __contains__(self, kind: type) -> bool:
        """Tell whether a class is one of them."""
        return identify(kind) in self._ids


class KindFacts(Generic[T]):
    """What was found out about classes, which are not kept alive."""

    __slots__ = ("_facts",)

    def __init__(self) -> None:
        self._facts: dict[int, tuple[weakref.ref[type], T]] = {}

    def find(self, kind: type) -> T | None:
        """Give what is known of a class, None where nothing is."""
        known = self._facts.get(identify(kind))
        return known[1] if known is not None and known[0]() is kind else None

    def keep(self, kind: type, fact: T) -> T:
        """Remember something of a class, and give it back."""
        key, facts = identify(kind), self._facts

        def forget(gone: weakref.ref[type]) -> None:
            known = facts.get(key)
            if known is not None and known[0] is gone:
                del facts[key]

        facts[key] = weakref.ref(kind, forget), fact
        return fact

"""Finds which of a notebook's values share something that can change, and must cross together."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import pickle
import re
import sys
import types
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_nb.pipeline.identities import find_nan_owner
from mlops_nb.pipeline.pickling import NamespacePickler

Memory = tuple[int, int, bool, str]  # start, length, writable, owner

# Values that nobody can tell apart from an equal one.
_PLAIN = frozenset(
    [
        *(int, float, complex, bool, str, bytes, type(None), type(Ellipsis), type(NotImplemented)),
        *(range, slice, types.CodeType, re.Pattern, pickle.PickleBuffer, decimal.Decimal),
        *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone),
    ]
)
_BY_NAME = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType)
_SMALL = 64
_INDEX = "index"
_OF_TORCH = ("dtype", "device", "layout", "memory_format", "qscheme")
_FRAMES = ("DataFrame", "Series")


class Nowhere:
    """Takes bytes and forgets them."""

    def write(self, data: Any) -> int:
        """Take bytes.

        Parameters
        ----------
        data
            Any buffer.

        Returns
        -------
        int
            How many there were.
        """
        return memoryview(data).nbytes


class _Sets:
    """Disjoint sets of names."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def find(self, name: str) -> str:
        parent = self._parent.setdefault(name, name)
        while parent != name:
            name, parent = parent, self._parent[parent]
        return name

    def join(self, first: str, second: str) -> None:
        a, b = self.find(first), self.find(second)
        if a != b:
            self._parent[b] = a


class _StructurePickler(NamespacePickler):
    """Walks values as a pickle would, and notes whose parts are met twice."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        super().__init__(Nowhere(), namespace)
        self.owned: Container[int] | None = None
        self.sets = _Sets()
        self.current = ""
        self.with_nans: set[str] = set()
        self.kept_nans: list[float] = []
        self.refused: dict[str, str] = {}
        self._first: dict[int, str] = {}
        self._free: dict[int, bool] = {}
        self._index: Any = getattr(sys.modules.get("pandas"), "Index", ())
        # Lists of the classes themselves, which every frame and series hands to its pickle.
        classes = (getattr(sys.modules.get("pandas"), name, None) for name in _FRAMES)
        self._of_classes = {id(kind._metadata) for kind in classes if kind}  # noqa: SLF001
        internals = sys.modules.get("pandas._libs.internals")
        dtype = getattr(sys.modules.get("numpy"), "dtype", None)
        placement = getattr(internals, "BlockPlacement", None)
        self._values = tuple(kind for kind in (dtype, placement) if kind is not None)

    def reducer_override(self, obj: Any) -> Any:
        """Choose how an object is walked: as it is written, but for an index of pandas.

        Parameters
        ----------
        obj
            Any object but those of the simplest built-in types.

        Returns
        -------
        tuple or NotImplemented
            As the pickle protocol asks.
        """
        if isinstance(obj, self._index):
            # Labels cannot be changed through it. Copies of a frame have indexes of their own over
            # the same memory, which must not tie all frames of a notebook together.
            values: Any = getattr(obj, "_data", None)
            if type(values).__name__ == "ndarray" and values.nbytes:
                start = values.__array_interface__["data"][0]
                piece = (start, values.nbytes, values.flags.writeable, _INDEX)
                self.memory.append(piece)
            return str, ()
        return super().reducer_override(obj)

    def persistent_id(self, obj: Any) -> Any:
        """Note one object; nothing is made persistent but what is written as a reference.

        Parameters
        ----------
        obj
            Any object of the graph. The pickler's memo keeps it alive, so its id stays its own.

        Returns
        -------
        object or None
            None where the walk goes on into it.
        """
        if self.owned is not None and id(obj) in self.owned:
            return self.current
        kind = type(obj)
        if kind is float:
            if obj == obj:  # noqa: PLR0124 - all but NaN
                return None
            self.with_nans.add(self.current)
            if find_nan_owner(obj):
                return None
            self.kept_nans.append(obj)
        elif kind in _PLAIN:
            return None
        if (
            (kind is set or kind is frozenset)
            and len(obj) > 1
            and list(kind(list(obj))) != list(obj)
        ):
            # It was once larger, or made of others: a set made anew would give another order.
            self.refused[self.current] = "a set in it would not keep its order"
        if (kind is tuple or kind is frozenset) and len(obj) <= _SMALL:
            if all(type(part) in _PLAIN for part in obj):
                return None
        elif self._is_shared_by_all(obj, kind):
            return None
        first = self._first.setdefault(id(obj), self.current)
        if first is not self.current:
            self.sets.join(first, self.current)
        return None

    def _is_shared_by_all(self, obj: Any, kind: type[Any]) -> bool:
        if isinstance(obj, types.ModuleType):
            return sys.modules.get(obj.__name__) is obj
        if isinstance(obj, self._values):
            return True
        if issubclass(kind, _BY_NAME):
            known = self._free.get(id(obj))
            if known is None:
                known = self._free[id(obj)] = self.is_importable(obj)
            return known
        own = id(obj) in self._references or id(obj) in self._of_classes
        return own or (kind.__module__ == "torch" and kind.__name__ in _OF_TORCH)


@dataclass(frozen=True, slots=True)
class Group:
    """Names whose values share something.

    Attributes
    ----------
    refused
        Why they cannot be carried, empty where nothing speaks against it.
    has_nans
        Whether NaNs are among the values.
    """

    names: tuple[str, ...]
    refused: str = ""
    has_nans: bool = False


def partition(
    items: Mapping[str, Any],
    namespace: dict[str, Any],
    owned: Mapping[str, Container[int]] | None = None,
) -> tuple[Group, ...]:
    """Group values so that no two groups share an object or memory that can change.

    Parameters
    ----------
    items
        Values by name.
    namespace
        The user namespace.
    owned
        By name the ids of objects that its value will be written without, as references.

    Returns
    -------
    tuple of Group
        Every name once, in the order of `items`.
    """
    walker = _StructurePickler(namespace)
    memory: dict[str, list[Memory]] = {}
    for name, value in items.items():
        walker.current = name
        walker.owned = owned.get(name) if owned else None
        known = len(walker.memory)
        with contextlib.suppress(Exception):  # it cannot be pickled: told when it is written
            walker.dump(value)
        memory[name] = walker.memory[known:]
    _join_memory(walker.sets, memory)
    groups: dict[str, list[str]] = {}
    for name in items:
        groups.setdefault(walker.sets.find(name), []).append(name)
    return tuple(
        Group(
            tuple(names),
            next((walker.refused[name] for name in names if name in walker.refused), ""),
            not walker.with_nans.isdisjoint(names),
        )
        for names in groups.values()
    )


def _join_memory(sets: _Sets, memory: Mapping[str, list[Memory]]) -> None:
    pieces = sorted((piece, name) for name, found in memory.items() for piece in found)
    furthest: tuple[Memory, str] | None = None
    for piece, name in pieces:
        if furthest is not None and piece[0] < furthest[0][0] + furthest[0][1]:
            are_indexes = piece[3] == furthest[0][3] == _INDEX
            if (piece[2] or furthest[0][2]) and not are_indexes:
                sets.join(furthest[1], name)
        if furthest is None or sum(piece[:2]) > sum(furthest[0][:2]):
            furthest = piece, name


def find_overlap(memory: Iterable[Memory]) -> tuple[Memory, Memory] | None:
    """Find two values that hold the same memory without one owner who could tie them again.

    Parameters
    ----------
    memory
        As `pickling.NamespacePickler` notes it.

    Returns
    -------
    tuple or None
        The first two pieces that overlap.
    """
    furthest: Memory | None = None
    for piece in sorted(set(memory)):
        inside = furthest is not None and piece[0] < furthest[0] + furthest[1]
        if furthest and inside and piece[3] != furthest[3] and (piece[2] or furthest[2]):
            return furthest, piece
        if furthest is None or sum(piece[:2]) > sum(furthest[:2]):
            furthest = piece
    return None

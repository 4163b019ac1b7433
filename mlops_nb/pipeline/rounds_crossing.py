"""Carries what rounds have filled to the kernel of their loop, tied to the objects there."""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_nb.pipeline import rebuild
from mlops_nb.pipeline.identities import IdentityPickler
from mlops_nb.pipeline.partition import find_overlap, partition
from mlops_nb.pipeline.rounds_guard import UnprovenError
from mlops_nb.pipeline.sealing import Sealer, open_component
from mlops_nb.pipeline.state import Component

ROUNDS = "<rounds>"
_MARK = "shared"
_MOST_PARTS = 100_000
_CONTAINERS = (list, tuple, dict)
_PLAIN = (int, float, complex, bool, str, bytes, type(None))

Place = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Shared:
    """Objects that every process of a loop has from before.

    Attributes
    ----------
    paths
        Where each is found, by its id: a name, and for parts of lists, tuples and dicts the place.
    """

    paths: Mapping[int, Place]


def index_shared(namespace: Mapping[str, Any], names: Iterable[str]) -> Shared:
    """Note where objects are found that the kernel of the loop has too.

    Parameters
    ----------
    namespace
        The user namespace, as it was before the first round.
    names
        Variables that are there as well.

    Returns
    -------
    Shared
        The values and, of lists, tuples and dicts, their direct parts.
    """
    paths: dict[int, Place] = {}
    for name in names:
        value = namespace[name]
        if _is_plain(value):
            continue
        paths.setdefault(id(value), (name,))
        if type(value) not in _CONTAINERS or len(value) > _MOST_PARTS:
            continue
        parts = value.values() if type(value) is dict else value
        for position, part in enumerate(parts):
            if not _is_plain(part):
                paths.setdefault(id(part), (name, position))
    return Shared(paths)


def _is_plain(value: Any) -> bool:
    # Which NaN it is can be told apart.
    return type(value) in _PLAIN and value == value  # noqa: PLR0124


class _RoundsPickler(IdentityPickler):
    """Writes references in place of what is there already."""

    def __init__(self, file: Any, namespace: dict[str, Any], shared: Shared) -> None:
        super().__init__(file, namespace)
        self._paths = shared.paths

    def persistent_id(self, obj: Any) -> Any:
        """Give the stand-in of an object that the reader has, or of a NaN."""
        path = self._paths.get(id(obj))
        if path is not None:
            return (_MARK, *path)
        return super().persistent_id(obj)


class _RoundsUnpickler(pickle.Unpickler):
    """Reads references as the objects of a namespace."""

    def __init__(self, file: io.BytesIO, namespace: Mapping[str, Any]) -> None:
        super().__init__(file)
        self._namespace = namespace
        self._made: dict[int, float] = {}
        self._parts: dict[str, Any] = {}

    def persistent_load(self, pid: Any) -> Any:
        """Give what a reference stands for."""
        if isinstance(pid, str):
            return __import__(pid).nan
        if pid[0] == _MARK:
            return self._find(*pid[1:])
        number, sign = pid
        return self._made.setdefault(number, math.copysign(float("nan"), sign))

    def _find(self, name: str, position: int | None = None) -> Any:
        value = self._namespace[name]
        if position is None:
            return value
        if name not in self._parts:
            self._parts[name] = list(value.values()) if type(value) is dict else value
        return self._parts[name][position]


def write_rounds(
    values: Mapping[str, Any],
    namespace: dict[str, Any],
    others: Mapping[str, Any],
    shared: Shared,
    folder: Path,
    key: bytes,
) -> Component:
    """Write what rounds have filled, once it is clear that nothing else holds a part of it.

    Parameters
    ----------
    values
        By name; they may share parts among themselves.
    namespace
        The user namespace.
    others
        What must not share a part with them, by name.
    shared
        What is written as a reference.
    folder
        Of the components.
    key
        From `sealing.read_key`.

    Returns
    -------
    Component
        For `read_rounds`.

    Raises
    ------
    UnprovenError
        They share something, or cannot be written.
    """
    held = dict.fromkeys(values, frozenset(shared.paths))
    for group in partition({**others, **values}, namespace, held):
        own = [name for name in group.names if name in values]
        foreign = [name for name in group.names if name not in values]
        if own and foreign:
            raise UnprovenError(f"what a round gives shares a part with {foreign[0]!r}")
        if own and group.refused:
            raise UnprovenError(group.refused)
    sealer = Sealer(folder, key)
    try:
        pickler = _RoundsPickler(sealer, namespace, shared)
        pickler.dump((dict(values), pickler.linked))
    except Exception as error:
        sealer.abandon()
        raise UnprovenError(f"what a round gives cannot be carried: {error}") from error
    except BaseException:
        sealer.abandon()
        raise
    if find_overlap(pickler.memory):
        sealer.abandon()
        raise UnprovenError("what a round gives shares memory in a way that cannot be carried")
    file, inline = sealer.finish()
    return Component(tuple(values), "", sealer.size_bytes, file, inline)


def read_rounds(
    part: Component, namespace: dict[str, Any], folder: Path, key: bytes
) -> tuple[dict[str, Any], list[tuple[Any, str]]]:
    """Read what rounds have filled in another process.

    Parameters
    ----------
    part
        From `write_rounds`.
    namespace
        The user namespace of the loop, as it was before the first round.
    folder
        Of the components.
    key
        From `sealing.read_key`.

    Returns
    -------
    values : dict
        By name.
    links : list of (object, str)
        Objects whose run is known, with its id.

    Raises
    ------
    CorruptObjectError
        It was not written with this key, or was changed.
    """
    payload = open_component(part, folder, key)
    with rebuild.loading_into(namespace):
        values, links = _RoundsUnpickler(io.BytesIO(payload), namespace).load()
    return values, links

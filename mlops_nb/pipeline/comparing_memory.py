"""Compares which arrays share memory: a view that lost its array would no longer see changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mlops_nb.pipeline.comparing_parts import Unequal

_MOST_PAIRS = 100_000
_MOST_WORK = 10_000  # of NumPy's search for an element that two arrays share

Note = tuple[Any, Any, Any]  # where, and the arrays of both sides


def find_unshared(notes: Sequence[Note]) -> tuple[Any, Unequal] | None:
    """Find two arrays that share memory in one run and not, or otherwise, in the other.

    Parameters
    ----------
    notes
        Where arrays were met, with the arrays of the reference and of the pipeline.

    Returns
    -------
    tuple or None
        The path of one of them and what differs.
    """
    for side in (1, 2):
        for first, second in _list_sharing(notes, side):
            distances = [
                _get_start(second[at]) - _get_start(first[at])
                for at in (1, 2)
                if _share(first[at], second[at])
            ]
            if len(distances) == 2 and distances[0] == distances[1]:
                continue
            told = ["memory of its own", "memory of its own"]
            told[side - 1] = "memory shared with another name's array"
            if len(distances) == 2:
                told[2 - side] = "another part of that memory"
            return second[0], Unequal("sharing", told[0], told[1])
    return None


def _list_sharing(notes: Sequence[Note], side: int) -> Iterator[tuple[Note, Note]]:
    """List pairs of arrays that overlap on one side, in order of their addresses."""
    ranges = [(*_get_range(note[side]), note) for note in notes]
    ordered = sorted((r for r in ranges if r[1] > r[0]), key=lambda found: found[:2])
    active: list[tuple[int, int, Note]] = []
    count = 0
    for low, high, note in ordered:
        active = [other for other in active if other[1] > low]
        for _, _, other in active:
            writable = note[side].flags.writeable or other[side].flags.writeable
            if writable and _share(other[side], note[side]):
                yield other, note
            count += 1
            if count > _MOST_PAIRS:
                return
        active.append((low, high, note))


def _get_range(array: Any) -> tuple[int, int]:
    if not array.size:
        return 0, 0
    start = _get_start(array)
    steps = [(size - 1) * stride for size, stride in zip(array.shape, array.strides, strict=True)]
    low = start + sum(step for step in steps if step < 0)
    return low, start + sum(step for step in steps if step > 0) + array.itemsize


def _get_start(array: Any) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _share(first: Any, second: Any) -> bool:
    import numpy as np

    search: Any = np.shares_memory  # its types know of no limit
    try:
        return bool(search(first, second, max_work=_MOST_WORK))
    except np.exceptions.TooHardError:
        return bool(np.may_share_memory(first, second))

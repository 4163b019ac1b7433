"""Tells that something was written to a store, without reading what; cheap enough for each tick."""

from __future__ import annotations

import contextlib
import heapq
import os
from pathlib import Path

# Who watches a store reads it often by other ways too: what is older is seen a little later.
_MOST_RUNS = 20
_MOST_SESSIONS = 5


class StoreStamp:
    """Names the state of a store; another name means that something was written.

    Parameters
    ----------
    root
        The store's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen: dict[str, int] = {}
        self._newest: dict[str, list[str]] = {}

    def read(self) -> tuple[tuple[str, int], ...]:
        """Give the state as of now: when folders changed, and how long the newest logs are."""
        found = [(name, _changed(self._root / name)) for name in ("runs", "late", "models")]
        for folder, most in (("runs", _MOST_RUNS), ("sessions", _MOST_SESSIONS)):
            for name in self._list_newest(folder, most):
                found += _measure(f"{self._root}/{folder}/{name}")
        return tuple(found)

    def _list_newest(self, folder: str, most: int) -> list[str]:
        """Name the newest logs of a folder; names begin with the time they were made."""
        place = self._root / folder
        changed = _changed(place)
        if self._seen.get(folder) != changed:
            with contextlib.suppress(OSError):
                names = os.listdir(place)  # noqa: PTH208 - 100,000 paths cost
                self._newest[folder] = heapq.nlargest(most, names)
                self._seen[folder] = changed
        return self._newest.get(folder, [])


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return -1


def _measure(folder: str) -> list[tuple[str, int]]:
    try:
        with os.scandir(folder) as entries:
            return [(entry.path, entry.stat().st_size) for entry in entries]
    except OSError:
        return []

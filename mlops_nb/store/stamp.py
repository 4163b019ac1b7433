"""Tells that something was written to a store, without reading what; cheap enough for each tick."""

from __future__ import annotations

import contextlib
import heapq
import os
import time
from pathlib import Path

from mlops_nb.store.late import list_names
from mlops_nb.store.latejournal import list_journals

_FOLDERS = ("runs", "late", "models", "sessions")
# Who watches a store reads it often by other ways too: what is older is seen a little later.
_NEWEST = {"runs": 20, "sessions": 5}
# Of 100,000 runs a list takes 0.05 s: while runs begin one after the other it is not made for each.
_LONG_S, _SHARE = 0.005, 10


class StoreStamp:
    """Remembers the state of a store from one look to the next.

    Parameters
    ----------
    root
        The store's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders: dict[str, int] | None = None
        self._logs: dict[str, dict[str, int]] | None = None
        self._listed: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self._newest: dict[str, list[str]] = {}

    def look(self) -> frozenset[str]:
        """Tell what was written since the last look.

        Returns
        -------
        frozenset of str
            Of ``runs``, ``late``, ``models`` and ``sessions``. None for the first look, at the
            store's folders only, so that nobody waits for it: logs that grow are seen from the
            second on.
        """
        folders = {name: _changed(self._root / name) for name in _FOLDERS}
        if self._folders is None:
            self._folders = folders
            return frozenset()
        logs: dict[str, dict[str, int]] = {}
        for folder, most in _NEWEST.items():
            sizes = logs[folder] = {}
            for name in self._list_newest(folder, folders[folder], most):
                sizes |= _measure(f"{self._root}/{folder}/{name}")
        logs["late"] = self._measure_journals(folders["late"])
        known = self._logs or logs
        written = {name for name in _FOLDERS if folders[name] != self._folders[name]}
        written |= {name for name in logs if logs[name] != known[name]}
        self._folders, self._logs = folders, logs
        return frozenset(written)

    def _list_newest(self, folder: str, changed: int, most: int) -> list[str]:
        """Name the newest logs of a folder; names begin with the time they were made."""
        is_due = time.monotonic() >= self._due.get(folder, 0.0)
        if self._listed.get(folder) != changed and is_due:
            began = time.thread_time()
            with contextlib.suppress(OSError):
                names = os.listdir(self._root / folder)  # noqa: PTH208 - 100,000 paths cost
                self._newest[folder] = heapq.nlargest(most, names)
                self._listed[folder] = changed
            cost = time.thread_time() - began
            if cost > _LONG_S:
                self._due[folder] = time.monotonic() + cost * _SHARE
        return self._newest.get(folder, [])

    def _measure_journals(self, changed: int) -> dict[str, int]:
        """Give the sizes of the journals; a process has one once it added to a run that ended."""
        if self._listed.get("late") != changed:
            self._newest["late"] = list_journals(list_names(self._root))
            self._listed["late"] = changed
        sizes = {}
        for name in self._newest["late"]:
            with contextlib.suppress(OSError):
                sizes[name] = os.stat(f"{self._root}/late/{name}").st_size  # noqa: PTH116 - often
        return sizes


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return -1


def _measure(folder: str) -> dict[str, int]:
    try:
        with os.scandir(folder) as entries:
            return {entry.path: entry.stat().st_size for entry in entries}
    except OSError:
        return {}

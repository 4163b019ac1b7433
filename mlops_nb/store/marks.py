"""Packs that are to be deleted: marked first, so that writers stop to build on them."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from mlops_nb.store.files import write_whole


class Mark(NamedTuple):
    """One file ``gc/<time>.json``.

    Attributes
    ----------
    path
        The file.
    marked_at
        Seconds since the epoch.
    packs
        Names of the marked packs.
    """

    path: Path
    marked_at: float
    packs: frozenset[str]


class MarkFolder:
    """The marks of one store.

    Parameters
    ----------
    root
        Folder ``gc`` of the store.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[Path, Mark] = {}

    def read(self) -> list[Mark]:
        """Give the marks that stand now, oldest first."""
        try:
            paths = sorted(path for path in self.root.iterdir() if path.suffix == ".json")
        except (FileNotFoundError, NotADirectoryError):
            paths = []
        # A mark never changes, so each is read once.
        self._known = {path: self._known.get(path) or _read(path) for path in paths}
        return list(self._known.values())

    def write(self, packs: Iterable[str]) -> Mark:
        """Mark packs."""
        moment = time.time_ns()
        document = {"format": 1, "marked_at": moment / 1e9, "packs": sorted(packs)}
        path = self.root / f"{moment:020d}.json"
        write_whole(path, json.dumps(document).encode())
        return _read(path)

    def remove(self, mark: Mark) -> None:
        """Take a mark away once its packs are gone or wanted again."""
        with contextlib.suppress(FileNotFoundError):
            mark.path.unlink()


def _read(path: Path) -> Mark:
    try:
        document = json.loads(path.read_bytes())
        return Mark(path, float(document["marked_at"]), frozenset(map(str, document["packs"])))
    except (OSError, ValueError, KeyError, TypeError):
        # Taken away meanwhile, or damaged: it marks nothing, and nothing is deleted because of it.
        return Mark(path, float("inf"), frozenset())

"""When a store was looked at, and whether the time of change of a folder can be trusted."""

from __future__ import annotations

import time
from pathlib import Path

from mlops_nb.store.dialect import Link

# Two changes within one tick of a file system's clock leave the same time: a younger time than this
# tells nothing.
_TICK_NS = 2_000_000_000
# A clock whose times have parts of a millisecond ticks a hundred times a second, as that of most
# file systems does. With 100,000 runs each look within the longer wait takes 0.14 s.
_FINE_TICK_NS = 100_000_000


def read_looked(link: Link) -> dict[str, int]:
    """Give by name what was noted of the last look."""
    return dict(link.execute("SELECT name, at FROM looked").fetchall())


def write_looked(link: Link, name: str, at: int) -> None:
    """Note something of this look."""
    link.upsert("looked", ("name", "at"), 1, [(name, at)])


def stamp_folder(folder: Path) -> tuple[int, int]:
    """Give a folder's time of change, -1 without one, and the same if it can be trusted, else 0."""
    try:
        changed = folder.stat().st_mtime_ns
    except OSError:
        return -1, -1
    tick = _FINE_TICK_NS if changed % 1_000_000 else _TICK_NS
    # A clock set back leaves a time that is yet to come: never trusted, so always looked at again.
    return changed, changed if time.time_ns() - changed > tick else 0

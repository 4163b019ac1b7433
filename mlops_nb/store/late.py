"""Announcements of processes that add to a run which another process started.

A reader of many runs looks again only at runs that can still change. A process that opens files of
its own beside a run's first ones, maybe days later, first leaves ``late/RUN.SUFFIX.json`` that says
who it is; the folder's own time of change tells readers to look there. When it writes them, its
journal tells, see `latejournal`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from mlops_nb.store.ids import RUN_ID
from mlops_nb.store.writer import describe_writer, is_writer_alive, read_start_time

RUN_ID_LENGTH = 36
# In what describes a writer: it tells in its journal when it adds to runs that have ended.
JOURNALS = "journals"


class LateWriter(NamedTuple):
    """A process that adds to a run: the run, the suffix of its files, and who it is."""

    run_id: str
    suffix: str
    writer: dict[str, Any]

    @property
    def is_alive(self) -> bool | None:
        """Whether it can still write; None where this cannot be told from here."""
        if self.writer:
            return is_writer_alive(self.writer)
        # Killed between making the announcement and filling it, or of an older version.
        pid = self.suffix.partition("-")[0]
        return read_start_time(int(pid)) is not None if pid.isdecimal() else None

    @property
    def is_open(self) -> bool | None:
        """Whether it may write at any time without telling so; None where this cannot be told."""
        return False if self.writer.get(JOURNALS) is True else self.is_alive


def announce(folder: Path, suffix: str, *, has_journal: bool = False) -> None:
    """Say that this process is about to add files to a run.

    Parameters
    ----------
    folder
        The run's folder.
    suffix
        Between stem and ending of the files: ``PID-TIME``.
    has_journal
        Whether the process tells in its journal when it writes them; else it may at any time.

    Raises
    ------
    OSError
        The store cannot be written.
    """
    late = folder.parent.with_name("late")
    late.mkdir(exist_ok=True)
    path = late / f"{folder.name}.{suffix}.json"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        document = {**describe_writer(), JOURNALS: True} if has_journal else describe_writer()
        os.write(handle, json.dumps(document).encode())
    finally:
        os.close(handle)


def list_names(root: Path) -> list[str]:
    """Name all announcements and journals of a store."""
    try:
        return os.listdir(root / "late")  # noqa: PTH208 - a file for each run that was reopened
    except OSError:
        return []


def list_announced(root: Path) -> list[str]:
    """Name all announcements of a store."""
    return [name for name in list_names(root) if RUN_ID.match(name)]


def read_announced(root: Path, name: str) -> LateWriter:
    """Read an announcement; one that cannot be read says nothing of its writer."""
    try:
        writer = json.loads((root / "late" / name).read_bytes())
    except (OSError, ValueError):
        writer = {}
    suffix = name[RUN_ID_LENGTH + 1 :].removesuffix(".json")
    return LateWriter(name[:RUN_ID_LENGTH], suffix, writer if isinstance(writer, dict) else {})


def find_late_writer(root: Path, run_id: str, suffix: str) -> LateWriter:
    """Tell who wrote a run's files of a suffix."""
    return read_announced(root, f"{run_id}.{suffix}.json")

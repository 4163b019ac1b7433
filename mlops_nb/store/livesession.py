"""Follows the log of a kernel session while it is written, each time only what is new of it."""

from __future__ import annotations

import contextlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from mlops_nb.records import CellRecord, SessionRecord
from mlops_nb.store.frames import unpack_frames
from mlops_nb.store.ids import RUN_ID
from mlops_nb.store.metricfile import read_tail
from mlops_nb.store.runmeta import read_meta
from mlops_nb.store.sessions import add_cell_event
from mlops_nb.store.writer import is_writer_alive

# Sessions of one kernel lie close together; older ones than these are not of a kernel in view.
_MOST_SESSIONS = 500


@lru_cache(maxsize=4 * _MOST_SESSIONS)
def _read_kernel_id(folder: Path) -> object:
    meta = read_meta(folder)  # written once, never changed
    if meta is None:
        raise FileNotFoundError(folder)  # not remembered: the session may just be beginning
    return meta.get("kernel_id")


def find_session(root: Path, kernel_id: str) -> Path | None:
    """Find the last session of a kernel.

    Parameters
    ----------
    root
        The store's folder.
    kernel_id
        As Jupyter names the kernel; a kernel that is restarted keeps its name.

    Returns
    -------
    Path or None
        The session's folder.
    """
    folder = root / "sessions"
    try:
        names = os.listdir(folder)  # noqa: PTH208 - thousands of paths cost
    except OSError:
        return None
    newest = sorted(filter(RUN_ID.fullmatch, names), reverse=True)[:_MOST_SESSIONS]
    for name in newest:
        with contextlib.suppress(FileNotFoundError):
            if _read_kernel_id(folder / name) == kernel_id:
                return folder / name
    return None


class SessionTail:
    """The cells of a session, as far as its log was read.

    Parameters
    ----------
    folder
        The session's folder.

    Attributes
    ----------
    cells
        In the order they ran; one without an end is ``running``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._meta = read_meta(folder) or {}
        self._end = 0
        self._cells: dict[int, dict[str, Any]] = {}
        self._is_on = True
        self._has_ended = False
        self.cells: list[CellRecord] = []

    def read(self) -> SessionRecord:
        """Read what is new.

        Returns
        -------
        SessionRecord
            The session as it stands now.
        """
        # Whether the writer lives is asked first: what is read then is all there is.
        is_alive = is_writer_alive(self._meta.get("writer", {})) is not False
        path = self._folder / "events.log"
        events, end, _ = unpack_frames(read_tail(path, self._end)) if path.is_file() else ([], 0, 0)
        self._end += end
        for event in events:
            self._take(event)
        notebook = self._meta.get("notebook")
        return SessionRecord(
            session_id=self._folder.name,
            notebook=notebook if isinstance(notebook, str) else None,
            started_at=float(self._meta.get("started_at", 0.0)),
            is_live=is_alive and not self._has_ended,
            is_recording=self._is_on and is_alive and not self._has_ended,
        )

    def _take(self, event: dict[str, Any]) -> None:
        kind = event.get("type")
        if kind == "recording":
            self._is_on = event.get("is_on") is not False
        elif kind == "end":
            self._has_ended = True
        index = add_cell_event(self._cells, event)
        if index is None:
            return
        record = CellRecord(**self._cells[index])
        if kind == "cell_begin":
            self.cells.append(record)
        else:
            place = next(
                at for at in range(len(self.cells) - 1, -1, -1) if self.cells[at].index == index
            )
            self.cells[place] = record

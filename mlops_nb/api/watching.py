"""Keeps what was read of sessions that somebody looks at: each look reads only what is new."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

from mlops_nb.notebook.executed import ExecutedCells
from mlops_nb.records import ExecutionRecord, SessionRecord
from mlops_nb.store.livesession import SessionTail

_MOST_WATCHED = 16


class WatchedSession:
    """A session as far as it was read, and what its cells do.

    Parameters
    ----------
    folder
        The session's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        self._tail = SessionTail(folder)
        self._effects = ExecutedCells()
        self._known: list[ExecutionRecord] = []

    def read(self, since: int, limit: int) -> tuple[SessionRecord, list[ExecutionRecord], int]:
        """Read what is new.

        Parameters
        ----------
        since, limit
            So many executions from this one on.

        Returns
        -------
        tuple
            The session, the executions, and how many there are in all.
        """
        with self._lock:
            session, cells = self._tail.read(), self._tail.cells
            # Of those known, only one that was running may have changed.
            for place, known in enumerate(self._known):
                if known.cell is not cells[place]:
                    self._known[place] = replace(known, cell=cells[place])
            for cell in cells[len(self._known) :]:
                effect = self._effects.add(cell.source, cell.cell_id)
                self._known.append(
                    ExecutionRecord(
                        cell, effect.reads, effect.writes, effect.changes, effect.is_repeat
                    )
                )
            return session, self._known[since : since + limit], len(cells)


_watched: OrderedDict[Path, WatchedSession] = OrderedDict()
_lock = threading.Lock()


def find_watched(folder: Path) -> WatchedSession:
    """Give what is known of a session; of those that nobody asks for any more nothing is kept.

    Parameters
    ----------
    folder
        The session's folder.
    """
    with _lock:
        watched = _watched.get(folder) or WatchedSession(folder)
        _watched[folder] = watched
        _watched.move_to_end(folder)
        while len(_watched) > _MOST_WATCHED:
            _watched.popitem(last=False)
        return watched

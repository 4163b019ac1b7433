"""Data lineage: what cells read and write, on the runs that they have to do with."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_nb import records
from mlops_nb.autolog.background import Background
from mlops_nb.autolog.guard import Guard
from mlops_nb.autolog.imports import ImportWatcher
from mlops_nb.autolog.opened import Opened, OpenedFiles
from mlops_nb.autolog.upstream import Upstream
from mlops_nb.capture.opens import listen, stop_listening
from mlops_nb.tracking import Run, Session

if TYPE_CHECKING:
    from mlops_nb.records import DatasetRecord

_WAIT_S = 5.0
_EXACT_IN_CELL = 2 << 30
_MOST_EARLIER = 256
_SLACK_NS = 20_000_000  # the clock of a file system lags behind that of the process


class Lineage:
    """Records what a session opens, from arming to closing.

    Parameters
    ----------
    session
        Keeps the runs and the cells.
    watcher
        Tells when a library is imported that opens files past Python.
    """

    def __init__(self, session: Session, watcher: ImportWatcher) -> None:
        from mlops_nb.autolog.blind import BlindReaders

        self._session = session
        self.guard = Guard("files")
        self._opened = OpenedFiles(session, self.guard)
        self._blind = BlindReaders(self._opened, self.guard, watcher)
        self._background = Background("mlops_nb-files", self.guard)
        self._upstream = Upstream(session.has_failed)
        self._records: dict[int, list[tuple[DatasetRecord, int]]] = {}
        self._identities: Any = None
        self._last: int | None = None
        self._folder = _find_folder(session)
        listen(self._opened)

    # ------------------------------------------------------------------ life
    def finish_cell(self) -> None:
        """Hand what the running cell has opened to the thread that identifies it."""
        self.guard.call(self._finish_cell)

    def close(self) -> None:
        """Stop listening, restore what was patched, and wait a bounded time for what is left."""
        stop_listening(self._opened)
        self._blind.close()
        self.guard.call(self._finish_cell)
        self._background.close(_WAIT_S)

    def wait(self, timeout_s: float = _WAIT_S) -> bool:
        """Wait until what cells opened so far is recorded; tell whether it is."""
        return self._background.wait(timeout_s)

    def status(self) -> list[tuple[str, str, str]]:
        """Give the state of this recorder and of those of each library."""
        if self.guard.is_stopped:
            return [("files", "stopped", self.guard.reason)]
        return [("files", "armed", "opened by Python"), *self._blind.status()]

    # ------------------------------------------------------------------ on the user's thread
    def _finish_cell(self) -> None:
        cell = self._session.cell
        if cell is not None:
            source = self._session.read_source(cell)
            if source is not None:
                self._upstream.add(cell, source)
        done = self._session.list_done()
        runs = [(run, done.get(run.run_id)) for run in self._session.touched_runs()]
        taken = self._opened.take()
        if cell is not None or taken:
            self._background.submit(lambda: self._record(cell, taken, runs))

    # ------------------------------------------------------------------ on our thread
    def _record(
        self,
        cell: int | None,
        taken: list[tuple[int | None, list[Opened]]],
        runs: list[tuple[Run, float | None]],
    ) -> None:
        for index, opened in taken:
            # What a thread opens between cells belongs to the cell that ran last.
            place = index if index is not None else self._last
            if place is None:
                continue
            found = list(self._identify(opened, place))
            if found:
                self._records.setdefault(place, []).extend(found)
                self._session.log_cell_data(place, [record for record, _ in found])
        if cell is None:
            return
        self._last = cell
        own = self._records.get(cell, [])
        earlier = self._find_earlier(cell) if runs and len(self._records) > bool(own) else []
        for run, done_at in runs:
            begun = run.started_at * 1e9
            ended = float("inf") if done_at is None else done_at * 1e9
            mine = [
                record
                for record, at in own
                if (at <= ended if record.role == "read" else at >= begun)
            ]
            for record in [*earlier, *mine]:
                run.log_dataset(record)

    def _find_earlier(self, cell: int) -> list[DatasetRecord]:
        """Give what earlier cells read of which the cell uses a result."""
        cells = self._upstream.find(cell)
        found = [
            record
            for index in cells
            for record, _ in self._records.get(index, ())
            if record.role == "read"
        ]
        return list(dict.fromkeys(found))[-_MOST_EARLIER:]

    def _identify(
        self, opened: Iterable[Opened], cell: int | None
    ) -> Iterable[tuple[DatasetRecord, int]]:
        left = _EXACT_IN_CELL
        for entry in opened:
            if entry.kind == "file":
                for record, at in self._identify_file(entry, cell, left):
                    left -= record.size_bytes
                    yield record, at
                continue
            is_folder = entry.kind == "files"
            name = self._shorten(entry.name) if is_folder else entry.name
            shape = (entry.count,) if is_folder else ()
            for role, call in entry.calls.items():
                record = records.DatasetRecord(
                    "", entry.kind, name, role, shape, call=call, cell=cell
                )
                yield record, entry.at

    def _identify_file(
        self, entry: Opened, cell: int | None, left: int
    ) -> Iterable[tuple[DatasetRecord, int]]:
        from mlops_nb.data.files import EXACT_BYTES, FileIdentities

        if self._identities is None:
            self._identities = FileIdentities()
        found = self._identities.find(entry.name, limit_bytes=min(EXACT_BYTES, max(left, 0)))
        name = self._shorten(entry.name)
        calls = dict(entry.calls)
        if found is not None and "sqlite3.connect" in calls.values() and found[2] > entry.at:
            calls.setdefault("written", "sqlite3.connect")
        for role, call in calls.items():
            fingerprint, size, changed_at = found or ("", 0, 0)
            at = entry.at if role == "read" else max(entry.at, entry.written_at)
            if role == "read" and next(iter(calls)) == "read":
                if "written" in calls:
                    fingerprint, size = entry.before or ("", 0)
                elif changed_at > entry.at + _SLACK_NS:
                    fingerprint = ""  # what lies there now is not what was read
            if found is None and not (role == "read" and entry.before):
                continue  # it was not there, or is gone again: a temporary file
            yield (
                records.DatasetRecord(
                    fingerprint, "file", name, role, (), (), size, None, call, cell
                ),
                at,
            )

    def _shorten(self, path: str) -> str:
        """Give a path relative to the notebook's folder where it lies below it."""
        if path.startswith(self._folder):
            return path[len(self._folder) :].replace(os.sep, "/")
        return path


def _find_folder(session: Session) -> str:
    folder = Path(session.notebook).parent if session.notebook else Path.cwd()
    return str(folder.absolute()).rstrip(os.sep) + os.sep

"""The session of a kernel or script: its executed cells, and the runs that end with a cell."""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from mlops_nb.config import Settings
from mlops_nb.store import Event, Job, RunLog, Store
from mlops_nb.tracking.active import active_run
from mlops_nb.tracking.run import Run
from mlops_nb.tracking.sampling import start_sampler
from mlops_nb.tracking.start import reopen_run, start_run

if TYPE_CHECKING:
    from mlops_nb.records import DatasetRecord, RunStatus

CellStatus = Literal["ok", "error", "interrupted"]
_LONGEST_SOURCE = 200_000


class Session:
    """What one process records, from loading the extension to the end.

    Parameters
    ----------
    store
        Where it is kept; None when nothing is recorded.
    settings
        The process's settings.
    notebook
        Path of the notebook or script, where known.
    kernel_id
        As Jupyter names the kernel, where known.
    """

    def __init__(
        self,
        store: Store | None,
        settings: Settings,
        notebook: str | None,
        kernel_id: str | None = None,
    ) -> None:
        self.store, self.settings, self.notebook = store, settings, notebook
        self._log: RunLog | None = None
        if store is not None:
            kernel = {"kernel_id": kernel_id} if kernel_id else {}
            self._log = store.start_session({"notebook": notebook, **kernel})
        self.session_id: str | None = self._log.run_id if self._log else None
        self.environment: str | None = None
        self.code: str | None = None
        self.is_paused = False
        self.pauses = 0  # blocks that are open; see `pausing`
        self.is_switched_off = False  # until somebody switches it on; see `switch_recording`
        self.is_script = False  # one cell that lasts: what is done ends before it
        self._done: dict[str, float] = {}
        self.background: threading.Thread | None = None
        self._cells = 0
        self._begun: dict[int, float] = {}
        self._sources: dict[int, str] = {}
        self._failed: set[int] = set()
        self._stack: list[int] = []
        self._adopted: list[tuple[int | None, Run, float | None]] = []
        self._touched: dict[int, dict[Run, None]] = {}
        self._runs: weakref.WeakSet[Run] = weakref.WeakSet()
        self._reopened: dict[str, Run] = {}
        self._run_ids: dict[str, None] = {}
        self._lock = threading.Lock()
        self.sampler = start_sampler(self)

    # ------------------------------------------------------------------ cells
    @property
    def cell(self) -> int | None:
        """Index of the cell that runs now, None between cells."""
        return self._stack[-1] if self._stack else None

    def begin_cell(
        self,
        source: str,
        cell_id: str | None = None,
        tags: tuple[str, ...] = (),
        execution_count: int | None = None,
    ) -> int:
        """Record that a cell begins.

        Parameters
        ----------
        source
            As the user wrote it; bounded at 200,000 characters.
        cell_id, tags, execution_count
            Where the front end sends them.

        Returns
        -------
        int
            Its index in execution order, for `end_cell`.
        """
        index = self._cells
        self._cells += 1
        self._stack.append(index)
        self._begun[index] = time.perf_counter()
        self._sources[index] = source
        self._write(
            {
                "type": "cell_begin",
                "index": index,
                "source": source[:_LONGEST_SOURCE],
                "cell_id": cell_id,
                "tags": list(tags),
                "execution_count": execution_count,
            }
        )
        run = active_run()
        if run is not None:
            self.touch(run)
        return index

    def end_cell(
        self, index: int, status: CellStatus = "ok", error: str | None = None
    ) -> list[Run]:
        """Record that a cell ended, and end the runs that end with it.

        Parameters
        ----------
        index
            From `begin_cell`.
        status
            How it ended.
        error
            Class and message of its exception.

        Returns
        -------
        list of Run
            The runs that were recorded in this cell, oldest first.
        """
        if index in self._stack:
            self._stack.remove(index)
        begun = self._begun.pop(index, None)
        self._sources.pop(index, None)
        if status != "ok":
            self._failed.add(index)
        duration = 0.0 if begun is None else time.perf_counter() - begun
        self._write(
            {
                "type": "cell_end",
                "index": index,
                "duration_s": duration,
                "status": status,
                "error": error and error[:2000],
            }
        )
        ends: dict[str, RunStatus] = {"error": "failed", "interrupted": "interrupted"}
        for adopted in list(self._adopted):
            cell, run, done_at = adopted
            if cell == index:
                self._adopted.remove(adopted)
                # What was done before the cell failed is done.
                word: RunStatus = "finished" if done_at else ends.get(status, "finished")
                if error and word != "finished":
                    run.set_tag("error", " ".join(error.split())[:500])
                run.end(word, done_at)
        touched = list(self._touched.pop(index, ()))
        for run in touched:
            run.write()  # whatever becomes of the process now, the cell is over
        return touched

    def read_source(self, index: int) -> str | None:
        """Give the source of a cell that is running."""
        return self._sources.get(index)

    def find_begin(self) -> float | None:
        """Give when the outermost cell that runs now began, in seconds since the epoch."""
        for index in self._stack[:1]:
            begun = self._begun.get(index)
            if begun is not None:
                return time.time() - (time.perf_counter() - begun)
        return None

    def has_failed(self, index: int) -> bool:
        """Say whether a cell did not run to its end."""
        return index in self._failed

    def log_switch(self, is_on: bool) -> None:
        """Record that recording was switched on or off."""
        self._write({"type": "recording", "is_on": is_on})

    def log_cell_data(self, index: int, datasets: Sequence[DatasetRecord]) -> None:
        """Record what a cell has read and written."""
        documents = [dataset.to_json() for dataset in datasets]
        self._write({"type": "cell_data", "index": index, "datasets": documents})

    def list_done(self) -> dict[str, float]:
        """Give when the work of adopted runs was done, by run, where that is known."""
        return dict(self._done)

    def is_done(self, run_id: str) -> bool:
        """Say whether the work of a run is known to be done, although its cell goes on."""
        return run_id in self._done

    def adopt(self, run: Run, done_at: float | None = None) -> None:
        """Let a run end with the cell that runs now; at once when none does.

        Parameters
        ----------
        run
            The run.
        done_at
            When its work was done, in seconds since the epoch: its end, and a finished one, however
            the cell goes on. Without it the run ends when and as the cell does.
        """
        if done_at is not None:
            self._done[run.run_id] = done_at
        cell = self._stack[-1] if self._stack else None
        if cell is None or (self.is_script and done_at is not None):
            run.end(at=done_at)
        else:
            self._adopted.append((cell, run, done_at))

    def touch(self, run: Run) -> None:
        """Record that the cell that runs now belongs to a run."""
        self._run_ids[run.run_id] = None
        index = self._stack[-1] if self._stack else None
        if index is None:
            return
        runs = self._touched.setdefault(index, {})
        if run not in runs:
            runs[run] = None
            run.log_cell(index, self.session_id)

    @property
    def run_ids(self) -> tuple[str, ...]:
        """Ids of all runs that this session has started or added to, oldest first."""
        return tuple(dict.fromkeys([*self._run_ids, *self._reopened]))

    def touched_runs(self) -> list[Run]:
        """Give the runs that were recorded in the cell that runs now."""
        return [] if self.cell is None else list(self._touched.get(self.cell, ()))

    def _write(self, event: dict[str, object]) -> None:
        if self._log is None:
            return
        try:
            self._log.append(event)
        except OSError as error:
            self._log = None
            reason = error.strerror or str(error)
            print(f"mlops_nb: cells are no longer recorded: {reason}.", file=sys.stderr)  # noqa: T201

    # ------------------------------------------------------------------ runs
    def start_run(
        self,
        name: str | None = None,
        experiment: str | None = None,
        tags: dict[str, object] | None = None,
        *,
        nested: bool | None = None,
        is_active: bool = True,
        is_deferred: bool = False,
        params: Mapping[str, object] | None = None,
    ) -> Run:
        """Start a run that knows its session, notebook, cell, environment and code.

        A deferred run is written when its cell ends, at the latest; it may begin with parameters,
        which are taken as they are.
        """
        entries: list[Event | Job] = []
        index = self._stack[-1] if self._stack else None
        if is_deferred:
            now = time.time()
            entries.append(self._name_snapshots)
            if index is not None:
                belongs = {"type": "cell", "index": index, "session_id": self.session_id}
                entries.append({"at": now, **belongs})
            if params:
                entries.append({"at": now, "type": "params", "params": params})
        meta = {"session_id": self.session_id, "notebook": self.notebook}
        run = start_run(
            self.store,
            self.settings,
            name,
            experiment=experiment,
            tags=tags,
            nested=nested,
            meta=meta,
            is_active=is_active,
            is_deferred=is_deferred,
            entries=entries,
        )
        with self._lock:
            self._runs.add(run)
            events = () if is_deferred else self._name_snapshots()
        if is_deferred:
            self._run_ids[run.run_id] = None
            if index is not None:
                self._touched.setdefault(index, {})[run] = None
        else:
            for event in events:
                run.log_event(event)
            self.touch(run)
        if self.sampler is not None:
            self.sampler.add(run)
        return run

    def _name_snapshots(self) -> list[dict[str, object]]:
        """Give the events that name what a run ran in and with, as far as that is known by now."""
        found = {"environment": self.environment, "code": self.code}
        return [{"type": kind, "digest": digest} for kind, digest in found.items() if digest]

    def find_run(self, run_id: str) -> Run | None:
        """Give a run to add to: one of this session, or one that another process recorded.

        Parameters
        ----------
        run_id
            The whole id.

        Returns
        -------
        Run or None
            None when nothing is recorded or there is no such run.
        """
        with self._lock:
            for run in self._runs:
                if run.run_id == run_id:
                    return run
        if run_id not in self._reopened and self.store is not None:
            reopened = reopen_run(self.store, run_id)
            if reopened is not None:
                self._reopened[run_id] = reopened
        return self._reopened.get(run_id)

    def set_environment(self, environment: str | None, code: str | None) -> None:
        """Give the environment and code documents to every run of the session, also those begun."""
        with self._lock:
            self.environment, self.code = environment, code
            runs = list(self._runs)
        for run in runs:
            if environment:
                run.log_environment(environment)
            if code:
                run.log_code(code)

    def warn(self, recorder: str, error: BaseException) -> None:
        """Tell the person in one line that something is not recorded."""
        line = f"mlops_nb: no {recorder} is recorded: {type(error).__name__}: {error}"
        print(line.splitlines()[0][:300], file=sys.stderr)  # noqa: T201

    def close(self) -> None:
        """End what is open; the session records nothing after."""
        if self.sampler is not None:
            self.sampler.close()
        while self._stack:
            self.end_cell(self._stack[-1], "interrupted")
        if self._log is not None:
            try:
                self._log.end("finished")
                self._log.close()
            except OSError:
                pass  # the cells are there; only the mark of an orderly end is missing
            self._log = None


_current: list[tuple[int, Session]] = []


def current_session() -> Session | None:
    """Give the session of this process; a forked child has none of its own."""
    if _current and _current[0][0] == os.getpid():
        return _current[0][1]
    return None


def open_session(
    store: Store | None,
    settings: Settings,
    notebook: str | None = None,
    kernel_id: str | None = None,
) -> Session:
    """Open the session of this process, closing the one before."""
    close_session()
    session = Session(store, settings, notebook, kernel_id)
    _current[:] = [(os.getpid(), session)]
    return session


def close_session() -> None:
    """Close the session of this process, if there is one."""
    session = current_session()
    if session is not None:
        session.close()
    _current.clear()

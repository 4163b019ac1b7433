"""Logs of runs that are written a moment later, off the thread that records.

Making the folder and the files of a run takes longer than many a fit. So a deferred log keeps what
it is told and is written by a thread of its own, a tenth of a second later, or at once when
somebody needs it: at the end of a cell, before a fork, before this process reads its store.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mlops_nb.store.pending import PendingFile
from mlops_nb.store.runlog import RunLog

if TYPE_CHECKING:
    from mlops_nb.records import RunStatus

_DELAY_S = 0.1
_IDLE_S = 5.0
# What a run is, and where it belongs; the rest of a killed process's runs is not worth the time.
_NOTED = frozenset({"params", "cell"})

Event = Mapping[str, Any]
Job = Callable[[], Iterable[Event]]
Entries = Iterable[Event | Job]
_Call = tuple[Any, ...]


class DeferredLog(RunLog):
    """A log of a run that keeps its calls until it is written.

    Parameters
    ----------
    root
        The store's folder.
    meta
        As for `RunLog`.
    prepare
        Called before the run's folder is made.
    entries
        What is known from the start: events with their ``at``, and jobs as of `do_later`.

    Attributes
    ----------
    error : OSError or None
        Why it could not be written; raised by every later call.

    Notes
    -----
    When the process is killed, what follows after `note` and is not yet written is lost.
    """

    __slots__ = ("_is_made", "_is_waiting", "_meta", "_prepare", "_root", "_waiting", "error")

    def __init__(
        self,
        root: Path,
        meta: Mapping[str, Any],
        prepare: Callable[[], None],
        entries: Entries = (),
    ) -> None:
        # The folder's path is made with the folder: joining paths takes longer than all of this.
        self._root, self._meta, self._prepare = root, meta, prepare
        self.run_id = meta["run_id"]
        self.error: OSError | None = None
        # Events, what makes events, and calls that write values of metrics.
        self._waiting: deque[Event | Job | _Call] = deque(entries)
        self._is_made, self._is_waiting = False, True
        _writer.add(self)

    # ------------------------------------------------------------------ what is kept
    def _wait(self) -> None:
        if not self._is_waiting:
            self._is_waiting = True
            _writer.add(self)

    def _defer(self, entry: Event | Job | _Call) -> None:
        if self.error is not None:
            raise self.error
        # The entry first: whoever writes takes the mark away before it looks at the entries.
        self._waiting.append(entry)
        if not self._is_waiting:
            self._wait()

    def append(self, event: Event) -> None:
        """Append one event, now; see `RunLog.append`."""
        self._defer({"at": time.time(), **event})

    def log_metrics(self, metrics: Mapping[str, float], step: int, time_ns: int = 0) -> None:
        """Append one value for each metric; see `RunLog.log_metrics`."""
        self._defer((RunLog.log_metrics, metrics, step, time_ns or time.time_ns()))

    def log_metric(self, key: str, value: float, step: int) -> None:
        """Append one value of one metric."""
        self._defer((RunLog.log_metrics, {key: value}, step, time.time_ns()))

    def log_points(self, key: str, points: Iterable[tuple[int, float, int]]) -> None:
        """Append many values of one metric."""
        self._defer((RunLog.log_points, key, list(points)))

    def end(self, status: RunStatus, at: float | None = None) -> None:
        """Record the end."""
        self.append({"type": "end", "status": status, "ended_at": at or time.time()})

    def do_later(self, job: Job) -> None:
        """Have events made when the log is written.

        Parameters
        ----------
        job
            Gives the events; called once, on any thread, and must not raise. It keeps alive what it
            refers to until then, so it must refer to nothing that is the user's.
        """
        self._defer(job)

    def note(self) -> None:
        """Keep run, parameters and cell also when the process is killed, by one write."""
        if not self._is_made:
            waiting = list(self._waiting)  # at once: it may be written meanwhile
            events = [each for each in waiting if type(each) is dict and each["type"] in _NOTED]
            _writer.note(self._root, self._meta, events)

    # ------------------------------------------------------------------ writing
    def write(self) -> None:
        """Write what waits, also what another thread has begun to write.

        Raises
        ------
        OSError
            The run cannot be written, now or before.
        """
        with _writer.lock:
            self.write_waiting()
        if self.error is not None:
            raise self.error

    def write_waiting(self) -> None:
        """Write what waits; the caller holds the writer's lock."""
        self._is_waiting = False
        if self.error is not None:
            return
        try:
            if not self._is_made:
                self._prepare()
                RunLog.__init__(self, self._root / "runs" / self.run_id, self._meta)
                self._is_made = True
            self._write_entries()
        except OSError as error:
            self.error = error
            self._waiting.clear()
        except BaseException:
            # An interrupt: the rest is written the next time, and what was at work once more.
            if not self._is_made:
                shutil.rmtree(self._root / "runs" / self.run_id, ignore_errors=True)
            self._wait()
            raise
        if self._is_made:
            # Few values follow at a time, and hundreds of runs may be open in one cell.
            RunLog.close_events(self)
            RunLog.close(self)

    def _write_entries(self) -> None:
        """Write values one call after the other, and all events by one write."""
        kept: deque[Event | Job | _Call] = deque()
        try:
            while self._waiting:
                entry = self._waiting[0]
                if type(entry) is tuple:
                    entry[0](self, *entry[1:])
                else:
                    kept.append(entry)
                self._waiting.popleft()
            events: list[dict[str, Any]] = []
            for entry in kept:
                if callable(entry):
                    events += [{"at": time.time(), **event} for event in entry()]
                else:
                    events.append(cast("dict[str, Any]", entry))
            if events:
                RunLog.append_all(self, events)
        except BaseException:
            self._waiting.extendleft(reversed(kept))
            raise

    def close(self) -> None:
        """Give the files back: they are, whenever the log was written."""

    def close_events(self) -> None:
        """Give the file of the events back: it is, whenever the log was written."""


class _Writer:
    """Writes the deferred logs of this process."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._logs: deque[DeferredLog] = deque()
        self._wake, self._hurry = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._is_busy = self._is_ending = False
        self._pending: dict[Path, PendingFile] = {}

    def note(self, root: Path, meta: Event, events: Sequence[Event]) -> None:
        """Note a run that is yet to be written."""
        file = self._pending.get(root)
        if file is None:
            file = self._pending.setdefault(root, PendingFile(root))
        file.add(meta, events)

    def add(self, log: DeferredLog) -> None:
        """Have a log written soon."""
        self._logs.append(log)
        if self._wake.is_set():
            return
        self._wake.set()
        if self._thread is None:
            thread = threading.Thread(target=self._work, name="mlops_nb-runs", daemon=True)
            # The interpreter is ending: what is left is written by `write_all` at its exit.
            with contextlib.suppress(RuntimeError):
                thread.start()
                self._thread = thread

    def _work(self) -> None:
        while not self._is_ending and self._wake.wait(_IDLE_S):
            self._hurry.wait(_DELAY_S)
            self._wake.clear()
            self.write_all()
        # No thread stays for nothing: Python warns where a process with threads is forked.
        self._thread = None
        if self._wake.is_set():  # by somebody who saw the thread just before
            self._wake.clear()
            self.write_all()

    def rest(self) -> None:
        """Write what waits and end the thread: Python warns of a fork beside any."""
        self.write_all()
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return
        self._is_ending = True
        self._hurry.set()
        self._wake.set()
        thread.join(_IDLE_S)
        self._is_ending, self._thread = False, None
        self._hurry.clear()
        self._wake.clear()
        self.write_all()  # what another thread has logged meanwhile

    def write_all(self) -> None:
        """Write what waits, and wait for what another thread writes now."""
        if not self._logs and not self._is_busy:
            return
        with self.lock:
            self._is_busy = True
            try:
                while self._logs:
                    self._logs.popleft().write_waiting()
            finally:
                self._is_busy = False
            for file in list(self._pending.values()):
                file.clear(lambda: not self._logs)

    def close(self) -> None:
        """Write what waits; the process ends."""
        self._hurry.set()
        self.write_all()
        for file in self._pending.values():
            file.close()
        self._pending.clear()

    def forget(self) -> None:
        """Leave the parent's notes to the parent."""
        for file in self._pending.values():
            file.leave()


_writer = _Writer()


def write_deferred() -> None:
    """Write every deferred log of this process; what fails is told by the run it belongs to."""
    _writer.write_all()


def _renew() -> None:
    global _writer
    _writer.forget()
    _writer = _Writer()


def _rest() -> None:
    _writer.rest()


def _close() -> None:
    _writer.close()


atexit.register(_close)
if hasattr(os, "register_at_fork"):
    # A child inherits logs in which nothing waits, and writes files of its own.
    os.register_at_fork(before=_rest, after_in_child=_renew)

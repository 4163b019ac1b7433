"""Keeps the bytes of data that runs used, on a thread of its own and never from live objects."""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mlops_nb.records import DatasetRecord
from mlops_nb.store import Store
from mlops_nb.tracking import Run, Session

LIMIT_BYTES = 64 << 20
_MOST_WAITING_BYTES = 256 << 20
# What a description itself loads.
_OWN = frozenset({"threadpoolctl", "blake3", "zstandard", "pyfastcdc"})
# The modules that were loaded when the environment of a session was described.
_described: weakref.WeakKeyDictionary[Session, frozenset[str]] = weakref.WeakKeyDictionary()


def copy_safely(obj: Any) -> Any:
    """Give a copy that the user's later writes cannot reach.

    Parameters
    ----------
    obj
        A frame, series, array or sparse matrix.

    Returns
    -------
    object
        pandas 3 copies on write, so that a shallow copy is enough there.
    """
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(obj, (pandas.DataFrame, pandas.Series)):
        lazy = int(str(pandas.__version__).partition(".")[0]) >= 3
        # Only pandas' own writes are caught by copy-on-write; a frame over somebody's array is not.
        return obj.copy(deep=not lazy)
    return obj.copy() if hasattr(obj, "copy") else obj


class SnapshotQueue:
    """Stores data in the background and then names the stored bytes in the runs that used them.

    Parameters
    ----------
    store
        Where the bytes go.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._digests: dict[str, str | None] = {}
        self._waiting: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._held: list[Callable[[], None]] = []
        self._pending: set[str] = set()
        self._is_stopped = False
        self._is_held = True
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(
        self, obj: Any, record: DatasetRecord, run: Run, *, is_copied: bool = False
    ) -> DatasetRecord:
        """Have data stored, unless they are too large or already are.

        Parameters
        ----------
        obj
            The data; copied before this returns.
        record
            Their fingerprint.
        run
            The run that used them.
        is_copied
            Whether `obj` is a copy that nobody writes to.

        Returns
        -------
        DatasetRecord
            With the digest where the bytes are stored already, else `record`.
        """
        if record.fingerprint in self._digests:
            digest = self._digests[record.fingerprint]
            return record if digest is None else replace(record, digest=digest)
        if record.fingerprint in self._pending:  # many fits on one frame make one copy of it
            self.submit(lambda: self._name(record, run))
            return record
        size = record.size_bytes
        if size > LIMIT_BYTES or record.kind == "object" or self._is_stopped:
            return record
        with self._lock:
            if self._waiting_bytes + size > _MOST_WAITING_BYTES:
                return record
            self._waiting_bytes += size
            self._pending.add(record.fingerprint)
        copied = obj if is_copied else copy_safely(obj)
        self.submit(lambda: self._keep(copied, record, run))
        return record

    def submit(self, job: Callable[[], None]) -> None:
        """Have work done once `release` is called, after what already waits.

        Parameters
        ----------
        job
            The work; one that raises ends the thread with one line to the person.
        """
        with self._lock:
            if self._is_stopped:
                return
            self._held.append(job)
        if not self._is_held:
            self._start()

    def hold(self) -> None:
        """Let what is submitted wait again: a cell is running."""
        self._is_held = True

    def release(self) -> None:
        """Begin with what was submitted: the cell is over, and its fits are not slowed down."""
        self._is_held = False
        self._start()

    def _start(self) -> None:
        with self._lock:
            held, self._held = self._held, []
            for job in held:
                self._waiting.put(job)
            if held and self._thread is None:
                thread = threading.Thread(target=self._work, name="mlops_nb-data", daemon=True)
                # Since Python 3.12 none begins when the interpreter ends: `close` does the work.
                with contextlib.suppress(RuntimeError):
                    thread.start()
                    self._thread = thread

    def _work(self) -> None:
        while True:
            job = self._waiting.get()
            if job is None:
                return
            try:
                job()
            except Exception as error:  # noqa: BLE001 - told once; the notebook goes on
                reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
                self._is_stopped = True
                self._waiting = queue.Queue()  # the copies that wait are let go
                print(f"mlops_nb: data are kept by fingerprint only: {reason}", file=sys.stderr)  # noqa: T201
                return
            del job  # nothing of the user's stays referenced while the thread waits

    def _keep(self, obj: Any, record: DatasetRecord, run: Run) -> None:
        from mlops_nb.data import store_frame

        stored = store_frame(
            self._store, obj, record.name, role=record.role, limit_bytes=LIMIT_BYTES
        )
        same = stored.fingerprint == record.fingerprint
        # Data that changed underneath, by something that writes past pandas, are not those data.
        self._digests[record.fingerprint] = stored.digest if same else None
        with self._lock:
            self._waiting_bytes -= record.size_bytes
            self._pending.discard(record.fingerprint)
        self._name(record, run)

    def _name(self, record: DatasetRecord, run: Run) -> None:
        digest = self._digests.get(record.fingerprint)
        if digest is not None:
            run.log_dataset(replace(record, digest=digest))

    def close(self, timeout_s: float = 5.0) -> None:
        """Finish what waits, for a bounded time.

        Parameters
        ----------
        timeout_s
            Longest wait; none where no thread could be started.
        """
        self.release()
        thread, self._thread = self._thread, None
        self._waiting.put(None)
        if thread is None:
            self._work()
        else:
            thread.join(timeout_s)


def refresh_environment(session: Session) -> None:
    """Describe the environment again now that the numeric libraries are loaded.

    Parameters
    ----------
    session
        Its runs get the new document: thread pools and loaded packages were not known when the
        session began. Where no other module is loaded than at the last look, nothing is done.
    """
    from mlops_nb.capture.packages import list_modules
    from mlops_nb.environment import snapshot_environment

    modules = list_modules() - _OWN
    if _described.get(session) == modules:
        return
    _described[session] = modules
    if session.background is not None:
        session.background.join(30.0)
    if session.store is not None:
        session.set_environment(snapshot_environment(session.store), session.code)

"""The log of one run: one folder, one writer, one write per call.

A run folder holds ``run.json`` (written once at the start), ``events.log`` (frames), ``keys.log``
(names of metrics) and ``metrics.bin``, records of 32 bytes:
``u32 key | i64 step | f64 value | i64 time in ns | u32 crc32`` little endian. A forked child writes
files of its own beside them (``events.PID.log`` and so on), so that every file keeps one writer.
"""

from __future__ import annotations

import os
import threading
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mlops_nb.store.frames import encode_json, pack_frame
from mlops_nb.store.late import JOURNALS, announce
from mlops_nb.store.latejournal import Journal, get_journal
from mlops_nb.store.metricfile import RECORD, RECORD_BYTES
from mlops_nb.store.writer import describe_writer

if TYPE_CHECKING:
    from mlops_nb.records import RunStatus

_APPEND = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_APPEND
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)

# Counts the forks between the first process and this one; a log opened before the last is a copy.
_generation = [0]


def _count_fork() -> None:
    _generation[0] += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)


class RunLog:
    """Writes one run; what a call returned for survives the death of the process.

    There is no buffer and no thread: every call is one ``write`` to a file opened for appending,
    which the operating system keeps when the process is killed. Any thread may append events: a
    lock keeps one from closing a file whose number another is about to use. Values of metrics, but
    for the first of a new one, take no lock; they and `close` are one thread's.

    Parameters
    ----------
    folder
        The run's folder, which must not exist yet.
    meta
        What is known at the start; JSON types. ``run_id``, ``name``, ``experiment`` and
        ``started_at`` are required.

    Raises
    ------
    OSError
        The folder cannot be made or written.
    """

    __slots__ = (
        "_events",
        "_forks",
        "_held",
        "_is_announced",
        "_is_late",
        "_keys",
        "_keys_file",
        "_lock",
        "_metrics",
        "_place",
        "_suffix",
        "folder",
        "run_id",
    )

    def __init__(self, folder: Path, meta: Mapping[str, Any]) -> None:
        self.folder = folder
        self.run_id: str = meta["run_id"]
        self._place = os.fspath(folder)
        try:
            os.mkdir(self._place)  # noqa: PTH102 - hundreds of runs are made at a time
        except FileNotFoundError:
            folder.mkdir(parents=True)
        document = {"format": 1, **meta}
        if "writer" not in document:  # the run of a killed process is written by another
            document["writer"] = {**describe_writer(), JOURNALS: True}
        _write_meta(self._place, document)
        self._begin_files("")

    @classmethod
    def reopen(cls, folder: Path) -> Self:
        """Add to the log of another process, in files of this one's own.

        Parameters
        ----------
        folder
            A run's folder that exists.

        Returns
        -------
        RunLog
            Writes beside what is there.
        """
        log = cls.__new__(cls)
        log.folder, log._place, log.run_id = folder, os.fspath(folder), folder.name  # noqa: SLF001
        log._begin_files(_name_own_files())  # noqa: SLF001 - the class's own second way in
        return log

    def _begin_files(self, suffix: str) -> None:
        self._suffix = suffix
        self._is_announced = False
        # Whoever reads looks away from a run that has ended: what follows must be told.
        self._is_late = bool(suffix)
        self._held: set[str] = set()
        self._forks = _generation[0]
        self._lock = threading.RLock()
        self._events = self._metrics = self._keys_file = -1
        self._keys: dict[str, int] = {}

    def _open(self, name: str, stem: str, suffix: str) -> None:
        if self._suffix and not self._is_announced:
            announce(self.folder, self._suffix[1:], has_journal=True)
            self._is_announced = True
        if self._is_late:
            self._journal.hold(self.run_id)
            self._held.add(name)
        try:
            path = f"{self._place}{os.sep}{stem}{self._suffix}{suffix}"
            setattr(self, name, os.open(path, _APPEND, 0o644))
        except BaseException:
            self._release(name)
            raise

    def _release(self, name: str) -> None:
        if name in self._held:
            self._held.discard(name)
            if self._forks == _generation[0]:  # the parent's files are the parent's to tell of
                self._journal.release(self.run_id)

    @property
    def _journal(self) -> Journal:
        return get_journal(os.path.dirname(os.path.dirname(self._place)))  # noqa: PTH120 - often

    def append(self, event: Mapping[str, Any]) -> None:
        """Append one event.

        Parameters
        ----------
        event
            JSON types; ``type`` names the kind. ``at`` (seconds since the epoch) is added.

        Raises
        ------
        OSError
            The event could not be written, for example because the disk is full.
        """
        try:
            self._write_frames(pack_frame({"at": time.time(), **event}))
        finally:
            if event.get("type") == "end":
                self._is_late = True

    def append_all(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Append events that say when they were, all by one write; see `append`."""
        try:
            self._write_frames(b"".join([pack_frame(event) for event in events]))
        finally:
            if any(event.get("type") == "end" for event in events):
                self._is_late = True

    def _write_frames(self, frames: bytes) -> None:
        if self._forks != _generation[0]:
            self._begin_files(_name_own_files())
        with self._lock:
            if self._events < 0:
                self._open("_events", "events", ".log")
            _write_all(self._events, frames)

    def log_metrics(self, metrics: Mapping[str, float], step: int, time_ns: int = 0) -> None:
        """Append one value for each metric, all by one write.

        Parameters
        ----------
        metrics
            Names and values.
        step
            Training step of all of them, within 64 bits.
        time_ns
            Time of the values in ns since the epoch; now by default.

        Raises
        ------
        OSError
            The values could not be written; none of them is kept.
        """
        if self._forks != _generation[0]:
            self._begin_files(_name_own_files())
        now = time_ns or time.time_ns()
        keys, pack, crc32 = self._keys, RECORD.pack, zlib.crc32
        out = b""
        for key, value in metrics.items():
            number = keys.get(key)
            if number is None:
                number = self._add_key(key)
            record = pack(number, step, value, now)
            out += record + crc32(record).to_bytes(4, "little")
        if out:
            if self._metrics < 0:
                self._open("_metrics", "metrics", ".bin")
            _write_all(self._metrics, out)

    def log_metric(self, key: str, value: float, step: int) -> None:
        """Append one value of one metric; the short way for training loops.

        Parameters
        ----------
        key
            Name of the metric.
        value
            The value.
        step
            Training step, within 64 bits.

        Raises
        ------
        OSError
            The value could not be written.
        """
        number = self._keys.get(key)
        if number is None or self._metrics < 0 or self._forks != _generation[0]:
            self.log_metrics({key: value}, step)
            return
        record = RECORD.pack(number, step, value, time.time_ns())
        data = record + zlib.crc32(record).to_bytes(4, "little")
        if os.write(self._metrics, data) != RECORD_BYTES:
            self._mend(data)

    def log_points(self, key: str, points: Iterable[tuple[int, float, int]]) -> None:
        """Append many values of one metric, all by one write.

        Parameters
        ----------
        key
            Name of the metric.
        points
            Step, value and time in ns since the epoch of each.

        Raises
        ------
        OSError
            The values could not be written.
        """
        if self._forks != _generation[0]:
            self._begin_files(_name_own_files())
        number = self._keys.get(key)
        if number is None:
            number = self._add_key(key)
        records = [RECORD.pack(number, *point) for point in points]
        if self._metrics < 0:
            self._open("_metrics", "metrics", ".bin")
        crc32 = zlib.crc32
        data = b"".join([each + crc32(each).to_bytes(4, "little") for each in records])
        _write_all(self._metrics, data)

    def _mend(self, data: bytes) -> None:
        """Write a record that was cut short again, whole."""
        size = os.fstat(self._metrics).st_size
        os.ftruncate(self._metrics, size - size % RECORD_BYTES)
        _write_all(self._metrics, data)

    def _add_key(self, key: str) -> int:
        with self._lock:
            if key in self._keys:
                return self._keys[key]
            if self._keys_file < 0:
                if self._metrics < 0:
                    self._open("_metrics", "metrics", ".bin")
                self._open("_keys_file", "keys", ".log")
            number = len(self._keys)
            _write_all(self._keys_file, pack_frame({"key": key, "number": number}))
            self._keys[key] = number
            return number

    def end(self, status: RunStatus, at: float | None = None) -> None:
        """Record the end and give the files back; values of the same process may still follow.

        Parameters
        ----------
        status
            How the run ended.
        at
            When, in seconds since the epoch; now by default.
        """
        self.append({"type": "end", "status": status, "ended_at": at or time.time()})
        self.close()

    def close(self) -> None:
        """Give the files back; a later call opens the same ones again."""
        self.close_events()
        for name in ("_metrics", "_keys_file"):
            self._close(name)

    def close_events(self) -> None:
        """Give the file of the events back; any thread may."""
        lock = getattr(self, "_lock", None)
        if lock is None:
            return  # the folder could not be made
        if self._forks != _generation[0]:
            # Whoever held it when the process was forked is not here to let it go.
            lock = self._lock = threading.RLock()
        with lock:
            self._close("_events")

    def _close(self, name: str) -> None:
        handle: int = getattr(self, name, -1)
        if handle >= 0:
            setattr(self, name, -1)
            os.close(handle)
            self._release(name)

    def __del__(self) -> None:
        """Give the files back with the log: a process may record thousands of runs."""
        self.close()


def _write_meta(place: str, document: dict[str, Any]) -> None:
    """Write ``run.json`` whole, in a folder that nobody else writes into: it has just been made."""
    # A line for each field, for people; the encoder's own indentation takes ten times as long.
    fields = [f"{encode_json(key)}:{encode_json(value)}" for key, value in document.items()]
    data = ("{" + ",\n ".join(fields) + "}\n").encode("utf-8", "surrogatepass")
    part = f"{place}{os.sep}.run.json.part"
    handle = os.open(part, _APPEND, 0o666)
    is_whole = False
    try:
        _write_all(handle, data)
        is_whole = True
    finally:
        os.close(handle)
        if not is_whole:
            os.unlink(part)  # noqa: PTH108
    os.rename(part, f"{place}{os.sep}run.json")  # noqa: PTH104


def _name_own_files() -> str:
    return f".{os.getpid()}-{time.time_ns():x}"


def _write_all(handle: int, data: bytes) -> None:
    written = os.write(handle, data)
    if written == len(data):
        return
    start = os.fstat(handle).st_size - written
    try:
        while written < len(data):  # a signal may cut a write short
            written += os.write(handle, data[written:])
    except OSError:
        # Half a record in the middle would hide what follows it; this file has no other writer.
        os.ftruncate(handle, start)
        raise

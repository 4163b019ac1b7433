"""Runs whose folder is yet to be made: what is known of them, for when their process is killed.

``pending/<name>.log`` in the store holds frames: the ``writer`` first, then for each run that was
begun its ``run`` (what its ``run.json`` will say) and ``events``. It ends where the next frame has
no length: that is written behind the first frame whenever those runs have been written, and what
follows it is old. The file is removed when the process ends. Who reads the store writes the runs of
processes that are gone.

The file has its size from the start: to write over bytes takes 3 us, and to append to a file, which
changes what the file system keeps of it, 4 and another 10 in the fit that goes on with cold caches.

A fit waits for its frame, and JSON takes three times as long to make as what pickle writes of
Python's own types; nothing else is read: a frame that names any class is broken.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from mlops_nb.store.frames import HEAD, frame_payload, read_json, unpack_frames
from mlops_nb.store.ids import RUN_ID, new_run_id
from mlops_nb.store.runlog import RunLog
from mlops_nb.store.writer import describe_writer, is_writer_alive

_FOLDER = "pending"
_PROTOCOL = 4  # every Python that is supported reads it
_FLAGS = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_BYTES, _MOST_BYTES, _LONGEST_HEAD = 64 << 10, 1 << 20, 4096
_END = bytes(HEAD.size)


class PendingFile:
    """Notes the runs of this process in one store, each by one write.

    Parameters
    ----------
    root
        The store's folder.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / _FOLDER / f"{new_run_id()}.log"
        self._file = -1
        self._head = self._at = 0  # where the first frame ends, and the last
        self._lock = threading.Lock()
        self._is_empty = True

    def add(self, meta: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
        """Note a run that was begun; where the store cannot be written, nothing.

        Parameters
        ----------
        meta
            As for `RunLog`.
        events
            What has been logged so far.
        """
        frame = _pack({"run": meta, "events": events})
        with self._lock:
            try:
                if self._file < 0:
                    self._open()
                # Its end with it: a killed process leaves both or none.
                _write_at(self._file, frame + _END, self._at)
                self._at += len(frame)
                self._is_empty = False
            except OSError:
                pass

    def _open(self) -> None:
        self.path.parent.mkdir(exist_ok=True)
        self._file = os.open(self.path, _FLAGS, 0o644)
        head = _pack({"writer": describe_writer()})
        try:
            os.write(self._file, head.ljust(_BYTES, b"\0"))
        except OSError:
            self.leave()  # no run is noted behind a head that is not there
            raise
        self._head = self._at = len(head)

    def clear(self, is_written: Callable[[], bool]) -> None:
        """Forget what was noted.

        Parameters
        ----------
        is_written
            Asked while nothing can be noted: whether all of it has been written.
        """
        if self._is_empty:
            return
        with self._lock, contextlib.suppress(OSError):
            if self._file >= 0 and is_written():
                _write_at(self._file, _END, self._head)
                if self._at > _MOST_BYTES:
                    os.ftruncate(self._file, _BYTES)
                self._at, self._is_empty = self._head, True

    def leave(self) -> None:
        """Give the file back, and leave it where it is."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def close(self) -> None:
        """Give the file back, and remove it where all has been written."""
        if self._file >= 0:
            self.leave()
            if self._is_empty:
                with contextlib.suppress(OSError):
                    self.path.unlink()


class _PlainReader(pickle.Unpickler):
    """Reads numbers, texts, lists and dicts, and refuses everything that would load code."""

    def find_class(self, module: str, name: str) -> NoReturn:
        """Refuse a class."""
        raise pickle.UnpicklingError(f"{module}.{name}")


def _write_at(file: int, data: bytes, at: int) -> None:
    if hasattr(os, "pwrite"):
        os.pwrite(file, data, at)
    else:
        os.lseek(file, at, os.SEEK_SET)
        os.write(file, data)


def _cut(data: bytes) -> bytes:
    """Give the frames up to the one that has no length."""
    at = 0
    while at + HEAD.size <= len(data):
        length, _ = HEAD.unpack_from(data, at)
        if not length:
            return data[:at]
        at += HEAD.size + length
    return data


def _pack(record: dict[str, Any]) -> bytes:
    return frame_payload(pickle.dumps(record, _PROTOCOL))


def _read(payload: bytes) -> dict[str, Any] | None:
    if payload.startswith(b"{"):
        return read_json(payload)  # of a version before
    try:
        record = _PlainReader(io.BytesIO(payload)).load()
    except Exception:  # noqa: BLE001 - pickle names a dozen kinds of broken content
        return None
    return record if isinstance(record, dict) else None


def recover_runs(root: Path) -> None:
    """Write the runs that processes left when they were killed.

    Parameters
    ----------
    root
        The store's folder; one that cannot be written is left as it is.
    """
    try:
        names = os.listdir(root / _FOLDER)  # noqa: PTH208 - asked at every look at the index
    except OSError:
        return
    for name in names:
        with contextlib.suppress(OSError):
            _recover(root, root / _FOLDER / name)


def _recover(root: Path, path: Path) -> None:
    with path.open("rb") as file:
        # The files of living processes are met at every look at the index.
        frames, _, _ = unpack_frames(_cut(file.read(_LONGEST_HEAD)), _read)
        writer = frames[0].get("writer") if frames else None
        # Without a head it is being made now, or its writer died in that moment, before any run.
        if not isinstance(writer, dict) or is_writer_alive(writer) is not False:
            return
        file.seek(0)
        frames, _, _ = unpack_frames(_cut(file.read()), _read)
    for frame in frames[1:]:
        meta, events = frame.get("run"), frame.get("events")
        if not isinstance(meta, dict) or not isinstance(events, list):
            continue
        run_id = str(meta.get("run_id"))
        if not RUN_ID.fullmatch(run_id) or (root / "deleted" / run_id).exists():
            continue
        # It was written before the end, or by another reader; or no run looks like that.
        with contextlib.suppress(FileExistsError, TypeError, ValueError):
            _write(root / "runs" / run_id, {**meta, "writer": writer}, events)
    path.unlink()


def _write(folder: Path, meta: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
    """Write a run whole, or leave nothing: where it is there, nobody writes it again."""
    log = RunLog(folder, meta)
    try:
        for event in events:
            log.append(event)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        log.close()

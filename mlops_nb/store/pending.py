"""Runs whose folder is yet to be made: what is known of them, for when their process is killed.

``pending/<name>.log`` in the store holds frames: the ``writer`` first, then for each run that was
begun its ``run`` (what its ``run.json`` will say) and ``events``. It is emptied whenever those runs
have been written, and removed when the process ends. Who reads the store writes the runs of
processes that are gone.

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

from mlops_nb.store.frames import frame_payload, read_json, unpack_frames
from mlops_nb.store.ids import RUN_ID, new_run_id
from mlops_nb.store.runlog import RunLog
from mlops_nb.store.writer import describe_writer, is_writer_alive

_FOLDER = "pending"
_PROTOCOL = 4  # every Python that is supported reads it
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)


class PendingFile:
    """Notes the runs of this process in one store, each by one write.

    Parameters
    ----------
    root
        The store's folder.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / _FOLDER / f"{new_run_id()}.log"
        self._file, self._head = -1, 0
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
        with self._lock, contextlib.suppress(OSError):
            if self._file < 0:
                self.path.parent.mkdir(exist_ok=True)
                self._file = os.open(self.path, _FLAGS | getattr(os, "O_CLOEXEC", 0), 0o644)
                self._head = os.write(self._file, _pack({"writer": describe_writer()}))
            os.write(self._file, frame)
            self._is_empty = False

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
                os.ftruncate(self._file, self._head)
                self._is_empty = True

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
    frames, _, _ = unpack_frames(path.read_bytes(), _read)
    writer = frames[0].get("writer") if frames else None
    # Without a head it is being made now, or its writer died in that moment, before any run.
    if not isinstance(writer, dict) or is_writer_alive(writer) is not False:
        return
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

"""The journal of a process: to which runs that have ended it still adds, told before it does.

``late/PID-TIME.log`` begins with a line of JSON, who writes it; then ``+RUN`` before the process
opens files of a run that has ended, and ``-RUN`` some time after it has closed them. So who reads
the store need not look at the thousands of runs that a living kernel has ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any, NamedTuple

from mlops_nb.store.ids import RUN_ID
from mlops_nb.store.late import LateWriter
from mlops_nb.store.writer import describe_writer

_NAME = re.compile(r"\d+-[0-9a-f]+\.log")
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
# A reader looks each time at the runs that are open, 15 us each; those need no line for each value.
_MOST_OPEN = 64
_HEAD_BYTES = 4096


class Journal:
    """What this process tells of its late values in one store.

    Parameters
    ----------
    root
        The store's folder.
    """

    def __init__(self, root: str) -> None:
        self.path = Path(root, "late", f"{os.getpid()}-{time.time_ns():x}.log")
        self._lock = threading.Lock()
        # How many files of each run that is told to be open are; in the order of their last use.
        self._open: dict[str, int] = {}
        self._closed: deque[str] = deque()

    def hold(self, run_id: str) -> None:
        """Tell that a file of a run is about to be opened.

        Parameters
        ----------
        run_id
            A run that has ended, or that another process began.

        Raises
        ------
        OSError
            The store cannot be written.
        """
        with self._lock:
            count = self._open.pop(run_id, None)
            if count is None:
                self._write("+", run_id)
            self._open[run_id] = (count or 0) + 1
            self._settle()

    def release(self, run_id: str) -> None:
        """Tell that a file of a run was closed."""
        self._closed.append(run_id)
        # A log that is thrown away gives its files back wherever the collector happens to run, also
        # within these very lines: nobody waits here, whoever comes next does it.
        if self._lock.acquire(blocking=False):
            try:
                self._settle()
            finally:
                self._lock.release()

    def _settle(self) -> None:
        while self._closed:
            run_id = self._closed.popleft()
            self._open[run_id] = self._open.get(run_id, 1) - 1
        if len(self._open) <= _MOST_OPEN:
            return
        idle = [run_id for run_id, count in self._open.items() if count <= 0]
        for run_id in idle[: len(self._open) - _MOST_OPEN]:
            del self._open[run_id]
            # Without its line the run is looked at for longer, that is all.
            with contextlib.suppress(OSError):
                self._write("-", run_id)

    def _write(self, sign: str, run_id: str) -> None:
        data = f"{sign}{run_id}\n".encode()
        try:
            handle = os.open(self.path, _FLAGS, 0o644)
        except FileNotFoundError:
            self.path.parent.mkdir(exist_ok=True)
            handle = os.open(self.path, _FLAGS, 0o644)
        try:
            # Made anew also where somebody has deleted the store and begun it again.
            size = os.fstat(handle).st_size
            head = b"" if size else json.dumps(describe_writer()).encode() + b"\n"
            if os.write(handle, head + data) != len(head) + len(data):
                os.ftruncate(handle, size)
                raise OSError(f"the disk took a part of a line of {self.path}")
        finally:
            os.close(handle)


_journals: dict[str, Journal] = {}


def get_journal(root: str) -> Journal:
    """Give the journal of this process in a store."""
    journal = _journals.get(root)
    # Of two that are made at once both keep the one that came first.
    return journal if journal is not None else _journals.setdefault(root, Journal(root))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_journals.clear)


class JournalPart(NamedTuple):
    """What a journal says from some place on.

    Attributes
    ----------
    is_alive
        Whether more may follow; None where this cannot be told from here. Asked before the journal
        was read: of a process that is gone this is all.
    end
        Where the next part begins, in bytes.
    changes
        Runs, in order, and whether they are open from then on.
    """

    is_alive: bool | None
    end: int
    changes: list[tuple[str, bool]]


def list_journals(names: list[str]) -> list[str]:
    """Choose the names of journals."""
    return [name for name in names if _NAME.fullmatch(name)]


def read_journal(path: Path, start: int) -> JournalPart:
    """Read a part of a journal.

    Parameters
    ----------
    path
        The journal.
    start
        Where the part begins, in bytes; 0 or what a part before gave as its end.

    Returns
    -------
    JournalPart
        Of a journal that is gone: that nothing follows.
    """
    try:
        with path.open("rb") as file:
            head = file.readline(_HEAD_BYTES)
            is_alive = _read_writer(path, head).is_alive
            if os.fstat(file.fileno()).st_size < start:
                start = 0  # it was lost, and begun again
            file.seek(max(start, len(head)))
            data = file.read()
    except FileNotFoundError:
        return JournalPart(False, start, [])
    except OSError:
        return JournalPart(None, start, [])
    changes = []
    whole = data[: data.rfind(b"\n") + 1]
    for line in whole.split(b"\n"):
        sign, run_id = line[:1], line[1:].decode("ascii", "replace")
        if sign in (b"+", b"-") and RUN_ID.fullmatch(run_id):
            changes.append((run_id, sign == b"+"))
    return JournalPart(is_alive, max(start, len(head)) + len(whole), changes)


def is_journal_alive(path: Path) -> bool | None:
    """Tell whether the process of a journal can still write it; None where it cannot be told."""
    try:
        with path.open("rb") as file:
            return _read_writer(path, file.readline(_HEAD_BYTES)).is_alive
    except FileNotFoundError:
        return False
    except OSError:
        return None


def _read_writer(path: Path, head: bytes) -> LateWriter:
    try:
        writer: Any = json.loads(head)
    except ValueError:
        writer = {}
    return LateWriter("", path.stem, writer if isinstance(writer, dict) else {})

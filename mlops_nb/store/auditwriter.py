"""Adds records to a chain of changes: one line, one write, one wait for the disk.

Writers of one store take turns under a lock, so the chain has one order and no forks. The files
stay open between records: opening them was most of what a record cost. Whether they still are what
lies at their paths is asked again where the last look is older than a moment.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import platform
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlops_nb.errors import StoreError
from mlops_nb.store.auditchain import START, Chain, format_head, read_chain, read_head
from mlops_nb.store.files import sync_folder
from mlops_nb.store.writer import find_user

_BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | os.O_CREAT
_SUFFIXES = {".lock": os.O_RDWR, ".log": os.O_RDWR | os.O_APPEND, ".head": os.O_RDWR}
_GLANCE_S = 0.1
# Windows deletes no file that is open, so there nothing is held.
_HOLDS = os.name != "nt"
sync_data: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)

# Those that have files open: one at a time, and none in a forked child.
_holders: weakref.WeakSet[ChainWriter] = weakref.WeakSet()


def _make_encoder() -> Callable[[Any], str]:
    plain = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return plain.encode
    # What `encode` makes anew for every call, made once: half of its time.
    escape = json.encoder.encode_basestring_ascii
    encode = make(None, plain.default, escape, None, ":", ",", False, False, True)
    return lambda value: "".join(encode(value, 0))


_encode = _make_encoder()
_encode_word = functools.lru_cache(maxsize=64)(_encode)


if os.name == "nt":
    import msvcrt

    def _take(handle: int) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]

    def _leave(handle: int) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined,unused-ignore]

    def _write_head(handle: int, data: bytes) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, data)

else:
    import fcntl

    def _take(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX)

    def _leave(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)

    def _write_head(handle: int, data: bytes) -> None:
        os.pwrite(handle, data, 0)


class ChainWriter:
    """Adds to one chain, beside any number of other threads and processes.

    Parameters
    ----------
    path
        The log. Its head and its lock lie beside it.
    """

    def __init__(self, path: Path) -> None:
        from blake3 import blake3

        self.path, self._blake3 = path, blake3
        self._stem = str(path.with_suffix(""))
        self._who = f'"user":{_encode(find_user())},"host":{_encode(platform.node())}'
        self._handles: dict[str, int] = {}
        self.begin()

    def begin(self) -> None:
        """Forget everything that is known of the files, and hold none of them."""
        self.close()
        self._lock = threading.Lock()
        self._glance_at = 0.0
        # Where the file that was last read or written here ended, and its chain.
        self._inode, self._end, self._wrote_ns = -1, -1, 0
        self._count, self._digest, self._at = 0, START, 0.0

    def append(self, event: str, document: Mapping[str, Any], not_before: float = 0.0) -> int:
        """Add a record; it is on the disk when this returns.

        Parameters
        ----------
        event
            What happened.
        document
            JSON types: what it happened to.
        not_before
            Time of a record that this one may have been decided on.

        Returns
        -------
        int
            Its number, from 0.

        Raises
        ------
        StoreError
            The chain is broken: nothing is added to a log that was tampered with.
        """
        rest = f'"event":{_encode_word(event)},"document":{_encode(dict(document))}'
        with self._lock:
            if time.monotonic() >= self._glance_at:
                self._look()
            handle, guard = self._handles[".log"], self._handles[".lock"]
            _take(guard)
            try:
                # Of what the system can tell, its end is the cheapest to ask, and others only add.
                if os.lseek(handle, 0, os.SEEK_END) != self._end:
                    self._catch_up(handle)
                return self._write(handle, rest, not_before)
            finally:
                _leave(guard)
                if not _HOLDS:
                    self.close()

    def _write(self, handle: int, rest: str, not_before: float) -> int:
        # A later record is never dated before one it may have been decided on.
        at = max(time.time(), self._at, not_before)
        number = self._count
        line = f'{{"sequence":{number},"at":{at!r},{self._who},{rest},"previous":"{self._digest}"}}'
        data = line.encode("ascii")
        end, self._end = self._end, -1  # until all of it is on the disk, what is there is not known
        written = os.write(handle, data + b"\n")
        while written <= len(data):  # a signal may cut a write short
            written += os.write(handle, data[written:] + b"\n")
        sync_data(handle)
        if not number:
            sync_folder(self.path.parent)
        self._digest = self._blake3(data).hexdigest()
        self._count, self._at = number + 1, at
        _write_head(self._handles[".head"], format_head(number, self._digest))
        self._end, self._wrote_ns = end + written, time.time_ns()
        return number

    # ------------------------------------------------------------------ the files
    def close(self) -> None:
        """Give the files back; the next record opens them again."""
        handles, self._handles = self._handles, {}
        self._glance_at = 0.0
        for handle in handles.values():
            with contextlib.suppress(OSError):
                os.close(handle)

    def give_way(self) -> None:
        """Give the files back unless a record is being added."""
        if self._lock.acquire(blocking=False):
            try:
                self.close()
            finally:
                self._lock.release()

    def __del__(self) -> None:
        """Give the files back with the writer."""
        self.close()

    def distrust(self) -> None:
        """Read all of the chain again before the next record is added."""
        self._inode = self._end = -1

    def _look(self) -> None:
        """Open the files, or see whether those that are open are still at their paths."""
        if self._handles and not all(
            _is_at(handle, self._stem + suffix) for suffix, handle in self._handles.items()
        ):
            self.close()
        if not self._handles:
            self._open()
        status = os.fstat(self._handles[".log"])
        if status.st_ino != self._inode:
            self._inode, self._end = status.st_ino, -1
        elif status.st_size <= self._end and status.st_mtime_ns > self._wrote_ns:
            self._end = -1  # written to by another, and not at its end
        self._glance_at = time.monotonic() + _GLANCE_S

    def _open(self) -> None:
        for other in list(_holders):
            if other is not self:  # a process may know hundreds of stores
                other.give_way()
        _holders.add(self)
        for suffix, flags in _SUFFIXES.items():
            name = self._stem + suffix
            try:
                handle = os.open(name, flags | _BINARY, 0o644)
            except FileNotFoundError:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                handle = os.open(name, flags | _BINARY, 0o644)
            self._handles[suffix] = handle

    def _catch_up(self, handle: int) -> None:
        """Check what others added since this process last looked, or all of it."""
        size = os.fstat(handle).st_size
        begin = self._end if 0 <= self._end < size else 0
        if not begin:
            self._count, self._digest, self._at = 0, START, 0.0
        self._end = -1
        with open(handle, "rb", closefd=False) as file:
            file.seek(begin)
            data = file.read()
        chain = read_chain(data, self._count, self._digest)
        # A line without its end was never acknowledged; it is cut off before the next is added.
        refuse_broken(self.path, chain, self._count)
        if chain.end < len(data):
            os.ftruncate(handle, begin + chain.end)
        if chain.records:
            self._at = chain.records[-1].at
        self._count, self._digest = self._count + len(chain.records), chain.head
        self._end, self._wrote_ns = begin + chain.end, time.time_ns()


def _is_at(handle: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))  # noqa: PTH116 - often asked
    except OSError:
        return False


def refuse_broken(path: Path, chain: Chain, first: int = 0) -> None:
    """Raise where a chain is not what was written.

    Parameters
    ----------
    path
        Its log.
    chain
        What was read of it.
    first
        Number of its first record.

    Raises
    ------
    StoreError
        A line does not continue the one before it, or the last one is gone.
    """
    hint = "Compare it with a backup; nothing is added until it is whole again."
    if chain.broken is not None:
        found = f"line {chain.broken + 1} of the audit log does not continue the one before it"
        raise StoreError(path, found, hint)
    head = read_head(path)
    if head is not None and head[0] >= first and not chain.fits(head, first):
        found = f"its audit log no longer holds line {head[0] + 1}, which was its last"
        raise StoreError(path, found, hint)


def _give_back_after_fork() -> None:
    # A lock that came through a fork is the parent's: a child that kept its file would keep a lock
    # for as long as it lives, were the parent killed while it held it.
    for writer in list(_holders):
        writer.begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_give_back_after_fork)

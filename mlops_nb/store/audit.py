"""Who changed what: an append-only log whose records each carry the digest of the one before."""

from __future__ import annotations

import contextlib
import functools
import getpass
import json
import os
import platform
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlops_nb.errors import StoreError
from mlops_nb.records import AuditRecord
from mlops_nb.store.auditchain import START, Chain, find_chains, read_chain, read_head, write_head
from mlops_nb.store.objects import digest_bytes

_APPEND = (
    os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
)
_FIELDS = ("sequence", "at", "user", "host", "event", "document", "previous")
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


@functools.cache
def find_user() -> str:
    """Give the name of who runs this process, ``unknown`` where the system has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


@contextlib.contextmanager
def _locked(handle: int) -> Iterator[None]:
    # Changes are rare and short; a lock on one small file keeps the chain a chain.
    if os.name == "nt":
        import msvcrt

        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
        try:
            yield
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        return
    import fcntl

    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)


class AuditLog:
    """The chain of changes of one store, and the chains that were pulled into it.

    Parameters
    ----------
    path
        The store's own log, one JSON object a line. Chains of other stores lie beside it as
        ``<store id>.log``, and beside each log its head.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stem = str(path.with_suffix(""))
        self._newest = 0.0
        self._merged: tuple[tuple[object, ...], list[tuple[AuditRecord, bool]]] = ((), [])
        self._forget()

    def _forget(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        # What the file was after it was last read or written here, and where its chain ended.
        self._stamp: tuple[int, ...] = ()
        self._count, self._digest, self._at = 0, START, 0.0

    def append(self, event: str, document: Mapping[str, Any]) -> AuditRecord:
        """Add a change.

        Parameters
        ----------
        event
            What happened.
        document
            JSON types: what it happened to.

        Returns
        -------
        AuditRecord
            As written; it is on the disk when this returns.

        Raises
        ------
        StoreError
            The chain is broken: nothing is added to a log that was tampered with.
        """
        if self._pid != os.getpid():  # a forked child must not wait for a thread it has not got
            self._forget()
        with self._lock:
            guard = self._open(".lock")
            try:
                with _locked(guard):
                    handle = self._open(".log")
                    try:
                        if _stamp_of(handle) != self._stamp:
                            self._catch_up(handle)
                        return self._append(handle, event, document)
                    finally:
                        os.close(handle)
            finally:
                os.close(guard)

    def _open(self, suffix: str) -> int:
        name = self._stem + suffix
        try:
            return os.open(name, _APPEND, 0o644)
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(name, _APPEND, 0o644)

    def _append(self, handle: int, event: str, document: Mapping[str, Any]) -> AuditRecord:
        # A later record is never dated before one it may have been decided on.
        at = max(time.time(), self._at, self._newest)
        record = AuditRecord(
            self._count, at, find_user(), platform.node(), event, dict(document), self._digest
        )
        fields = {name: getattr(record, name) for name in _FIELDS}
        line = _encode(fields).encode()
        self._stamp = ()  # until all of it is on the disk, what is there is not known
        data = line + b"\n"
        while data:
            data = data[os.write(handle, data) :]
        os.fsync(handle)
        self._count, self._digest, self._at = self._count + 1, digest_bytes(line), at
        write_head(self._stem, self._count - 1, self._digest)
        self._stamp = _stamp_of(handle)
        return record

    def _catch_up(self, handle: int) -> None:
        """Check what others added since this process last looked, or all of it."""
        inode, size, _ = _stamp_of(handle)
        begin = self._stamp[1] if self._stamp[:1] == (inode,) and self._stamp[1] < size else 0
        if not begin:
            self._count, self._digest, self._at = 0, START, 0.0
        with open(handle, "rb", closefd=False) as file:
            file.seek(begin)
            data = file.read()
        chain = read_chain(data, self._count, self._digest)
        # A line without its end was never acknowledged; it is cut off before the next is added.
        self._refuse(chain, self._count)
        if chain.end < len(data):
            os.ftruncate(handle, begin + chain.end)
        if chain.records:
            self._at = chain.records[-1].at
        self._count, self._digest = self._count + len(chain.records), chain.head

    def _refuse(self, chain: Chain, first: int = 0) -> None:
        hint = "Compare it with a backup; nothing is added until it is whole again."
        if chain.broken is not None:
            found = f"line {chain.broken + 1} of the audit log does not continue the one before it"
            raise StoreError(self.path, found, hint)
        head = read_head(self.path)
        if head is not None and head[0] >= first and not chain.fits(head, first):
            found = f"its audit log no longer holds line {head[0] + 1}, which was its last"
            raise StoreError(self.path, found, hint)

    def records(self) -> list[AuditRecord]:
        """Read the store's own chain and check it.

        Returns
        -------
        list of AuditRecord
            Oldest first.

        Raises
        ------
        StoreError
            A record was changed, removed, put in or cut off the end: the message names the first
            bad line.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            data = b""
        chain = read_chain(data)
        self._refuse(chain)
        return chain.records

    def merged(self) -> list[tuple[AuditRecord, bool]]:
        """Read the store's own chain and those that were pulled, in the order of their times.

        Returns
        -------
        list of tuple
            Each record, and whether it was made in this store.

        Raises
        ------
        StoreError
            A chain is broken.
        """
        paths = [self.path, *find_chains(self.path)]
        stamps = tuple(_stamp_path(one) for path in paths for one in (path, _head_of(path)))
        if self._merged[0] != (*paths, *stamps):
            found = [(record, True) for record in self.records()]
            for path in paths[1:]:
                found += [(record, False) for record in AuditLog(path).records()]
            found.sort(key=lambda each: (each[0].at, each[0].previous, each[0].sequence))
            self._newest = found[-1][0].at if found else 0.0
            self._merged = ((*paths, *stamps), found)
        return self._merged[1]


def _head_of(path: Path) -> Path:
    return path.with_suffix(".head")


def _stamp_of(handle: int) -> tuple[int, ...]:
    status = os.fstat(handle)
    return (status.st_ino, status.st_size, status.st_mtime_ns)


def _stamp_path(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return (status.st_ino, status.st_size, status.st_mtime_ns)

"""Who changed what: an append-only log whose records each carry the digest of the one before."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mlops_nb.errors import StoreError
from mlops_nb.store.objects import digest_bytes

START = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One change of the store's state.

    Attributes
    ----------
    sequence
        Position in the log, from 0.
    event
        What happened: ``model.registered``, ``alias.set`` ...
    document
        What it happened to.
    previous
        Digest of the line before; zeros for the first.
    """

    sequence: int
    at: float
    user: str
    host: str
    event: str
    document: dict[str, Any]
    previous: str


def find_user() -> str:
    """Give the name of who runs this process, ``unknown`` where the system has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


@contextlib.contextmanager
def _locked(file: IO[bytes]) -> Iterator[None]:
    # Alias changes are rare and short; a lock on one small file keeps the chain a chain.
    if os.name == "nt":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
        try:
            yield
        finally:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        return
    import fcntl

    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


class AuditLog:
    """The chain of changes of one store.

    Parameters
    ----------
    path
        The log; one JSON object a line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

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
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = self.path.with_suffix(".lock")
        with lock.open("a+b") as guard, _locked(guard):
            lines = self._lines()
            previous = digest_bytes(lines[-1]) if lines else START
            fields: dict[str, Any] = {
                "sequence": len(lines),
                "at": time.time(),
                "user": find_user(),
                "host": platform.node(),
                "event": event,
                "document": dict(document),
                "previous": previous,
            }
            line = json.dumps(fields, ensure_ascii=True, separators=(",", ":")).encode()
            with self.path.open("ab") as file:
                file.write(line + b"\n")
                file.flush()
                os.fsync(file.fileno())
        return AuditRecord(**fields)

    def _lines(self) -> list[bytes]:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        # A line without its end was never acknowledged; it is cut off before the next is added.
        whole, newline, torn = data.rpartition(b"\n")
        if torn:
            os.truncate(self.path, len(whole) + len(newline))
        return whole.split(b"\n") if whole else []

    def records(self) -> list[AuditRecord]:
        """Read the chain and check it.

        Returns
        -------
        list of AuditRecord
            Oldest first.

        Raises
        ------
        StoreError
            A record was changed, removed or put in: the message names the first bad line.
        """
        previous, found = START, []
        for number, line in enumerate(self._lines()):
            try:
                record = AuditRecord(**json.loads(line))
            except (ValueError, TypeError):
                record = None
            if record is None or record.previous != previous or record.sequence != number:
                raise StoreError(
                    self.path,
                    f"line {number + 1} of the audit log does not continue the one before it",
                    "Compare it with a backup; nothing is added until it is whole again.",
                )
            found.append(record)
            previous = digest_bytes(line)
        return found

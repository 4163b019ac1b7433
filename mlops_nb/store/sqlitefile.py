"""An index in an SQLite file that anyone may delete at any time; in memory where none can be."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from mlops_nb.store import schema
from mlops_nb.store.dialect import SQLITE, Link, SQLiteLink

Answer = TypeVar("Answer")
_ATTEMPTS = 4


class Place(Protocol):
    """Where an index lies.

    Attributes
    ----------
    path
        A file on a local disk; its folder is the index's own.
    """

    path: Path

    def connect(self) -> Link:
        """Give this thread's connection to an index whose tables are there."""

    def ask(self, question: Callable[[Link], Answer]) -> Answer:
        """Ask, again where the index is deleted or breaks meanwhile."""

    def close(self) -> None:
        """Close this thread's connection."""

    def clear(self) -> None:
        """Throw away everything the index holds."""

    def measure(self) -> int:
        """Give the size of the index in bytes, 0 where there is none."""


class SQLiteFile:
    """The file and this process's connections to it.

    Parameters
    ----------
    path
        The file, on a local disk.

    Notes
    -----
    A connection belongs to one thread and one process; each gets its own on first use.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._in_memory = False  # where the file cannot be written: a full disk, a read-only home

    def connect(self) -> SQLiteLink:
        """Give this thread's connection; the file is made where it is missing."""
        if self._in_memory:
            return self._connect_memory()
        link: SQLiteLink | None = self._local.__dict__.get("link")
        here = (os.getpid(), self._inode())
        if link is not None and None not in here and self._local.owner == here:
            return link
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            link = _open(str(self.path))
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            self._remove()  # not a database: an index is never worth an error
            link = _open(str(self.path))
        self.close()
        self._local.link, self._local.owner = link, (os.getpid(), self._inode())
        return link

    def _connect_memory(self) -> SQLiteLink:
        owner = os.getpid()
        if self._local.__dict__.get("memory_owner") != owner:
            self._local.memory, self._local.memory_owner = _open(":memory:"), owner
        memory: SQLiteLink = self._local.memory
        return memory

    def _inode(self) -> int | None:
        try:
            return self.path.stat().st_ino
        except OSError:
            return None

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self.path}{suffix}").unlink()

    def close(self) -> None:
        """Close this thread's connection."""
        link = self._local.__dict__.pop("link", None)
        # A connection that came through a fork belongs to the parent; SQLite forbids to touch it.
        if link is not None and self._local.owner[0] == os.getpid():
            link.close()

    def ask(self, question: Callable[[Link], Answer]) -> Answer:
        """Ask; an index that is deleted or breaks meanwhile is made anew."""
        for attempt in range(_ATTEMPTS - 1):
            try:
                link = self.connect()
                inode = self._inode()
                answer = question(link)
            except sqlite3.DatabaseError as error:
                was_there = self._local.__dict__.get("owner", (0, None))[1] == self._inode()
                self.close()
                if not isinstance(error, sqlite3.OperationalError):
                    self._remove()
                elif was_there and _is_busy(error):
                    raise  # another try would wait as long again
                elif was_there or attempt:  # a first failure may be a file that was deleted
                    self._in_memory = True  # read-only or full: what is on the disk can be read
            except OSError:
                self._in_memory = True  # not even the folder can be made
            else:
                if inode == self._inode():
                    return answer
        return question(self.connect())

    def clear(self) -> None:
        """Delete the file."""
        self.close()
        self._remove()

    def measure(self) -> int:
        """Give the size of the file in bytes, 0 where there is none."""
        return self.path.stat().st_size if self.path.is_file() else 0


def _open(path: str) -> SQLiteLink:
    link = SQLiteLink(path)
    try:
        _prepare(link)
    except BaseException:
        link.close()
        raise
    return link


def _prepare(link: SQLiteLink) -> None:
    """Bring a fresh or older index to the tables of this version."""
    if link.read_version() == schema.VERSION:
        return
    # Only one process makes the tables; the others wait here and then find them made.
    with link.transaction():
        if link.read_version() == schema.VERSION:
            return
        for name in link.list_tables():
            link.execute(f'DROP TABLE "{name}"')
        for statement in schema.list_statements(SQLITE.types):
            link.execute(statement)
        link.write_version(schema.VERSION)


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

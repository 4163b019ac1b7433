"""Finds blobs without reading footers: an SQLite file that can be deleted at any time.

What the packs say is what holds. An index that is missing, broken or behind costs time and nothing
else; one that cannot be written is kept in memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from mlops_nb.errors import CorruptObjectError
from mlops_nb.store.connections import Connection, open_connection
from mlops_nb.store.packs import PackFolder, Record, read_footer

T = TypeVar("T")
Place = tuple[str, Record]
StatKey = tuple[int, int, int, int]  # size, mtime_ns, ctime_ns, inode

_VERSION = 1
_GLANCE_S = 0.1
_WAIT_S = 10.0
# Primary result codes that speak of the file's content rather than of this moment.
_BROKEN = {
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
}
_TABLES = """
DROP TABLE IF EXISTS pack; DROP TABLE IF EXISTS chunk; DROP TABLE IF EXISTS stat;
CREATE TABLE pack (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, checked_at REAL NOT NULL DEFAULT 0);
CREATE TABLE chunk (
  digest BLOB NOT NULL, pack INTEGER NOT NULL, offset INTEGER NOT NULL, stored INTEGER NOT NULL,
  raw INTEGER NOT NULL, codec INTEGER NOT NULL, kind INTEGER NOT NULL,
  PRIMARY KEY (digest, pack)) WITHOUT ROWID;
CREATE INDEX chunk_pack ON chunk (pack);
CREATE TABLE stat (
  path BLOB PRIMARY KEY, size INTEGER NOT NULL, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL,
  inode INTEGER NOT NULL, digest BLOB NOT NULL) WITHOUT ROWID;
"""


def _open_memory() -> Connection:
    connection = open_connection(":memory:", _WAIT_S)
    connection.executescript(_TABLES)
    return connection


class PackIndex:
    """What lies where, for one store.

    Parameters
    ----------
    path
        The index file, on a local disk.
    packs
        The packs it speaks of.
    """

    def __init__(self, path: Path, packs: PackFolder) -> None:
        self.path, self.packs = path, packs
        self._local = threading.local()
        # What cannot be read is looked at again only in a new process or by `verify`.
        self.unreadable: set[str] = set()

    # ------------------------------------------------------------------ connection
    def _connect(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = self._local.__dict__.get("connection")
        if connection is not None and self._local.owner[0] == os.getpid():
            # A file that was deleted still answers truly; it is enough to notice soon.
            moment = time.monotonic()
            if self._local.owner[1] is None or moment - self._local.seen_at < _GLANCE_S:
                return connection
            self._local.seen_at = moment
            if self._local.owner[1] == self._inode():
                return connection
        self.close()
        try:
            connection = self._open_file()
            owner: tuple[int, int | None] = (os.getpid(), self._inode())
        except (OSError, sqlite3.Error):
            connection = _open_memory()
            owner = (os.getpid(), None)
        self._local.connection, self._local.owner = connection, owner
        self._local.seen_at = time.monotonic()
        self._fill(connection)
        return connection

    def _open_file(self) -> Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(2):
            connection = open_connection(self.path, _WAIT_S)
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")
                connection.execute("BEGIN IMMEDIATE")
                if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                    for statement in _TABLES.split(";"):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version={_VERSION}")
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                connection.close()
                if attempt or not _is_broken(error):
                    raise
                self._remove()
            else:
                return connection
        raise AssertionError("the loop returns or raises")

    def _inode(self) -> int:
        try:
            return self.path.stat().st_ino
        except OSError:
            return -1

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self.path}{suffix}").unlink()

    def close(self) -> None:
        """Close this thread's connection."""
        connection = self._local.__dict__.pop("connection", None)
        # A connection that came through a fork belongs to the parent; SQLite forbids to touch it.
        if connection is not None and self._local.owner[0] == os.getpid():
            connection.close()
        elif connection is not None:
            self._local.__dict__.setdefault("inherited", []).append(connection)

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        for last in (False, True):
            try:
                return work(self._connect())
            except sqlite3.Error as error:
                if last:
                    raise
                self.close()
                if _is_broken(error):
                    with contextlib.suppress(OSError):
                        self._remove()
                else:  # busy, full, read-only: go on without the file
                    memory = _open_memory()
                    self._local.connection, self._local.owner = memory, (os.getpid(), None)
                    self._fill(memory)
        raise AssertionError("the loop returns or raises")

    # ------------------------------------------------------------------ packs
    def _fill(self, connection: sqlite3.Connection) -> None:
        """Take up packs that are new and drop those that are gone."""
        known = {name for (name,) in connection.execute("SELECT name FROM pack")}
        present = self.packs.names()
        gone = known - present
        new: list[tuple[str, list[Record]]] = []
        for name in present - known - self.unreadable:
            try:
                new.append((name, read_footer(self.packs.locate(name))))
            except CorruptObjectError:
                self.unreadable.add(name)
            except OSError:
                continue  # deleted since, or not readable now
        if gone or new:
            self.packs.forget(gone)
            with _transaction(connection):
                for name in gone:
                    _forget(connection, name)
                for name, records in new:
                    _insert(connection, name, records)

    def refresh(self) -> None:
        """Look for packs of other processes, and forget packs that were deleted."""
        self._do(self._fill)

    def rebuild(self) -> None:
        """Throw the index away and read every footer."""
        self.close()
        self._remove()
        self.unreadable.clear()
        self.refresh()

    def add(self, name: str, records: Iterable[Record]) -> None:
        """Take up a pack that this process wrote; left to a later look where that fails."""
        rows = list(records)

        def work(connection: sqlite3.Connection) -> None:
            with _transaction(connection):
                _insert(connection, name, rows)

        with contextlib.suppress(sqlite3.Error):
            self._do(work)

    def find(self, digest: bytes) -> list[Place]:
        """Give every place of a blob that is known; documents first."""
        rows = self._do(
            lambda connection: connection.execute(
                "SELECT pack.name, offset, stored, raw, codec, kind FROM chunk"
                " JOIN pack ON pack.id = chunk.pack WHERE digest = ? ORDER BY kind DESC",
                (digest,),
            ).fetchall()
        )
        return [(row[0], Record(digest, *row[1:])) for row in rows]

    # ------------------------------------------------------------------ files seen before
    def find_stat(self, path: bytes) -> tuple[StatKey, bytes] | None:
        """Give what was known of a file when it was last put."""
        row = self._do(
            lambda connection: connection.execute(
                "SELECT size, mtime, ctime, inode, digest FROM stat WHERE path = ?", (path,)
            ).fetchone()
        )
        return (row[:4], row[4]) if row else None

    def find_stats(
        self, folder: bytes, marked: Iterable[str]
    ) -> dict[bytes, tuple[StatKey, bytes, int]]:
        """Give the same of all files below a folder, where their bytes are still kept.

        Parameters
        ----------
        folder
            The folder, with a separator at its end.
        marked
            Packs that count as absent.

        Returns
        -------
        dict
            By path: what was known, the digest, and the kind of its record.
        """
        rows = self._do(
            lambda connection: connection.execute(
                "SELECT path, size, mtime, ctime, inode, digest, (SELECT kind FROM chunk"
                "  JOIN pack ON pack.id = chunk.pack WHERE chunk.digest = stat.digest"
                "  AND pack.name NOT IN (SELECT value FROM json_each(?)) LIMIT 1) AS kept"
                " FROM stat WHERE path >= ? AND path < ? AND kept IS NOT NULL",
                (json.dumps(sorted(marked)), folder, folder[:-1] + bytes([folder[-1] + 1])),
            ).fetchall()
        )
        return {row[0]: (row[1:5], row[5], row[6]) for row in rows}

    def keep_stats(self, rows: Iterable[tuple[bytes, StatKey, bytes]]) -> None:
        """Remember files; forgotten where that fails."""
        flat = [(path, *key, digest) for path, key, digest in rows]

        def work(connection: sqlite3.Connection) -> None:
            with _transaction(connection):
                connection.executemany("INSERT OR REPLACE INTO stat VALUES (?,?,?,?,?,?)", flat)

        with contextlib.suppress(sqlite3.Error, OverflowError):
            self._do(work)

    # ------------------------------------------------------------------ checks
    def checked(self) -> dict[str, float]:
        """Give when each pack was last found whole; 0 for never."""
        return dict(self._do(lambda c: c.execute("SELECT name, checked_at FROM pack").fetchall()))

    def mark_checked(self, name: str, at: float) -> None:
        """Remember that a pack was found whole."""
        with contextlib.suppress(sqlite3.Error):
            self._do(lambda c: c.execute("UPDATE pack SET checked_at=? WHERE name=?", (at, name)))


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _is_broken(error: sqlite3.Error) -> bool:
    return (getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF) in _BROKEN


def _insert(connection: sqlite3.Connection, name: str, records: Sequence[Record]) -> None:
    connection.execute("INSERT OR IGNORE INTO pack (name) VALUES (?)", (name,))
    number = connection.execute("SELECT id FROM pack WHERE name = ?", (name,)).fetchone()[0]
    connection.executemany(
        f"INSERT OR IGNORE INTO chunk VALUES (?,{number},?,?,?,?,?)",  # noqa: S608  (our own id)
        records,
    )


def _forget(connection: sqlite3.Connection, name: str) -> None:
    connection.execute(
        "DELETE FROM chunk WHERE pack = (SELECT id FROM pack WHERE name = ?)", (name,)
    )
    connection.execute("DELETE FROM pack WHERE name = ?", (name,))

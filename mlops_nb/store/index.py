"""The index of runs: an SQLite file that can be deleted at any time and is filled again."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from mlops_nb.records import RunRecord
from mlops_nb.store import schema
from mlops_nb.store.dialect import DIALECT, snapshot
from mlops_nb.store.pages import find_page
from mlops_nb.store.refresh import refresh
from mlops_nb.store.rows import load_record
from mlops_nb.store.search import compile_filter, compile_order
from mlops_nb.store.seriesindex import SeriesIndex

Answer = TypeVar("Answer")
_ATTEMPTS = 4
_PAGE = 500  # placeholders in one statement


class RunIndex:
    """Finds runs without reading their logs; filled by whoever reads.

    Parameters
    ----------
    path
        The index file, on a local disk.
    runs
        Folder of the run folders.

    Notes
    -----
    A connection belongs to one thread and one process; each gets its own on first use.
    """

    def __init__(self, path: Path, runs: Path) -> None:
        self.path, self.runs = path, runs
        self._local = threading.local()
        self._in_memory = False  # where the file cannot be written: a full disk, a read-only home
        self.series = SeriesIndex(self._connect)

    def _connect(self) -> sqlite3.Connection:
        if self._in_memory:
            return self._connect_memory()
        connection: sqlite3.Connection | None = self._local.__dict__.get("connection")
        here = (os.getpid(), self._inode())
        if connection is not None and None not in here and self._local.owner == here:
            return connection
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            connection = self._open()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            self._remove()  # not a database: an index is never worth an error
            connection = self._open()
        self.close()
        self._local.connection, self._local.owner = connection, (os.getpid(), self._inode())
        return connection

    def _connect_memory(self) -> sqlite3.Connection:
        owner = os.getpid()
        if self._local.__dict__.get("memory_owner") != owner:
            self._local.memory, self._local.memory_owner = self._open(":memory:"), owner
        memory: sqlite3.Connection = self._local.memory
        return memory

    def _open(self, path: str = "") -> sqlite3.Connection:
        connection = DIALECT.open(path or str(self.path))
        try:
            schema.prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

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
        connection = self._local.__dict__.pop("connection", None)
        # A connection that came through a fork belongs to the parent; SQLite forbids to touch it.
        if connection is not None and self._local.owner[0] == os.getpid():
            connection.close()

    def _ask(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Refresh and ask; an index that is deleted or breaks meanwhile is made anew."""
        for attempt in range(_ATTEMPTS - 1):
            try:
                connection = self._connect()
                inode = self._inode()
                refresh(connection, self.runs)
                answer = question(connection)
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
        connection = self._connect()
        refresh(connection, self.runs)
        return question(connection)

    def refresh(self) -> None:
        """Read what was written since the last look."""
        self._ask(lambda _: None)

    def look_again(self) -> None:
        """Look at every run at the next refresh, also at those that were at rest."""
        connection = self._connect()
        DIALECT.execute(connection, "DELETE FROM looked WHERE name = ?", ("all",))

    def search(
        self, text: str | None, order_by: list[str] | None, limit: int, offset: int
    ) -> list[RunRecord]:
        """Find runs.

        Parameters
        ----------
        text
            Filter expression, see `compile_filter`.
        order_by
            Order expressions, see `compile_order`.
        limit, offset
            How many runs, after how many; a negative limit means all.

        Returns
        -------
        list of RunRecord
            Without their cells.
        """
        where, order = compile_filter(text), compile_order(order_by)

        def find(connection: sqlite3.Connection) -> list[RunRecord]:
            with snapshot(connection):
                found = find_page(connection, where, order, limit, offset)
                documents = _read_documents(connection, found)
            return [load_record(documents[run]) for run in found]

        return self._ask(find)

    def read(self, run_id: str) -> RunRecord | None:
        """Give one run as of now; None where there is none of that id, or no index can be used."""
        sql = "SELECT document FROM run JOIN run_document ON run = id WHERE run_id = ?"
        try:
            row = self._ask(lambda index: DIALECT.execute(index, sql, (run_id,)).fetchone())
        except sqlite3.Error:
            return None
        return load_record(row[0]) if row else None

    def count(self, text: str | None = None) -> int:
        """Count the runs that a filter keeps."""
        where = compile_filter(text)
        sql = f"SELECT count(*) FROM run WHERE {where.sql}"  # noqa: S608 - fixed words and places
        row = self._ask(lambda index: DIALECT.execute(index, sql, where.values).fetchone())
        return int(row[0])

    def names(self) -> list[tuple[str, str]]:
        """Give ``(run_id, name)`` of every run, newest first."""
        sql = "SELECT run_id, name FROM run ORDER BY started_at DESC, run_id DESC"
        return self._ask(lambda connection: DIALECT.execute(connection, sql).fetchall())

    def find(self, text: str) -> list[str]:
        """Find the runs that a person may mean.

        Parameters
        ----------
        text
            A name, ``latest``, or (4 characters or more) the beginning or end of an id.

        Returns
        -------
        list of str
            Ids, newest first: one where a name fits, every one where parts of ids do.
        """
        # All words are fixed; what a person wrote travels as a placeholder.
        newest = "ORDER BY started_at DESC, run_id DESC"
        exact = (f"SELECT run_id FROM run WHERE name = ? {newest} LIMIT 1", (text,))  # noqa: S608
        latest = (f"SELECT run_id FROM run {newest} LIMIT 1", ())  # noqa: S608
        part = text.lower().replace("%", "").replace("_", "")
        parts = (
            "SELECT run_id FROM run WHERE (run_id >= ? AND run_id < ?)"  # noqa: S608
            f" OR run_id LIKE ? {newest}",
            (part, part + "g", f"%{part}"),
        )

        def find(connection: sqlite3.Connection) -> list[str]:
            for sql, values in (exact, latest) if text == "latest" else (exact,):
                found = DIALECT.execute(connection, sql, values).fetchall()
                if found:
                    return [found[0][0]]
            if len(text) < 4 or part != text.lower():
                return []
            return [run_id for (run_id,) in DIALECT.execute(connection, *parts)]

        return self._ask(find)


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _read_documents(connection: sqlite3.Connection, runs: list[int]) -> dict[int, str]:
    documents: dict[int, str] = {}
    for start in range(0, len(runs), _PAGE):
        some = runs[start : start + _PAGE]
        places = ",".join("?" * len(some))
        sql = f"SELECT run, document FROM run_document WHERE run IN ({places})"  # noqa: S608
        documents.update(DIALECT.execute(connection, sql, some).fetchall())
    return documents

"""What the index asks of a database, and how SQLite answers."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from mlops_nb.store.connections import open_connection

Values = Sequence[Any]


class Words(Protocol):
    """What a database says in words of its own; all of it is fixed text."""

    def like(self, column: str, *, negated: bool) -> str:
        """Give a LIKE that regards case and has no escapes, with a place for the pattern."""

    def unindexed(self, column: str) -> str:
        """Name a column so that no index over it is chosen."""

    def lead(self, column: str, operator: str, count: int) -> str:
        """Give a coarser condition on text, with places for the same values, that an index answers.

        Empty where the index answers the condition itself.
        """


class Rows(Protocol):
    """What a statement found."""

    def fetchone(self) -> Any:
        """Give the next row, None after the last."""

    def fetchall(self) -> list[Any]:
        """Give all rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """Give row by row."""


class Link(Protocol):
    """A connection to an index; statements are written with ``?`` for values."""

    words: Words

    def execute(self, sql: str, values: Values = ()) -> Rows:
        """Run one statement."""

    def execute_many(self, sql: str, rows: Sequence[Values]) -> None:
        """Run one statement for many rows."""

    def insert(self, sql: str, values: Values) -> int:
        """Insert a row and give the number the database gave it."""

    def upsert(self, table: str, columns: Values, keys: int, rows: Sequence[Values]) -> None:
        """Insert rows, or replace those of the same first columns; none may come twice."""

    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """Write all of a block or nothing; no other process writes meanwhile."""

    def snapshot(self) -> contextlib.AbstractContextManager[None]:
        """Read in a block as if nothing was written meanwhile."""


# A longer key is cut: PostgreSQL's indexes take rows of 2,704 bytes at most.
KEY_LENGTH = 400
_PLACES = 500  # in one statement


def to_text(text: str) -> str:
    """Give text as every database can hold it, without lone surrogates and NUL; logs keep them."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


def to_key(key: str) -> str:
    """Give the name of a metric, parameter or tag as the index knows it."""
    return to_text(key[:KEY_LENGTH])


def like_case(pattern: str | None, text: str | None) -> int | None:
    """Tell whether text fits an SQL LIKE pattern, with regard to case."""
    if pattern is None or text is None:
        return None
    expression = "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return int(re.fullmatch(expression, str(text), re.DOTALL) is not None)


class SQLiteWords:
    """SQLite's words."""

    types = {  # noqa: RUF012 - fixed
        "numbered": "INTEGER PRIMARY KEY", "whole": "INTEGER", "real": "REAL", "text": "TEXT",
        "bytes": "BLOB", "clustered": "WITHOUT ROWID", "equal": "", "then": ", started_at, run_id",
        "lead": "text",
    }  # fmt: skip

    def like(self, column: str, *, negated: bool) -> str:
        """Give a LIKE that regards case; SQLite's own does not."""
        return f"like_case(?, {column}) = {0 if negated else 1}"

    def unindexed(self, column: str) -> str:
        """Name a column so that no index over it is chosen."""
        return f"+{column}"

    def lead(self, column: str, operator: str, count: int) -> str:
        """Give nothing: an index takes text of any length."""
        return ""


SQLITE = SQLiteWords()


class SQLiteLink:
    """A connection to SQLite.

    Parameters
    ----------
    path
        The file, or ``:memory:``; its tables are not made here.
    """

    words: Words = SQLITE

    def __init__(self, path: str) -> None:
        connection = open_connection(path, 30)
        try:
            connection.create_function("like_case", 2, like_case, deterministic=True)
            _use_wal(connection)
            connection.execute("PRAGMA synchronous=normal")
            # In kB, for each thread of each process: the system's own cache holds the file once.
            connection.execute("PRAGMA cache_size=-16384")
        except BaseException:
            connection.close()
            raise
        self.connection = connection

    def execute(self, sql: str, values: Values = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self.connection.execute(sql, values)

    def execute_many(self, sql: str, rows: Sequence[Values]) -> None:
        """Run one statement for many rows."""
        if rows:
            self.connection.executemany(sql, rows)

    def insert(self, sql: str, values: Values) -> int:
        """Insert a row and give the number the database gave it."""
        return int(self.connection.execute(sql, values).lastrowid or 0)

    def upsert(self, table: str, columns: Values, keys: int, rows: Sequence[Values]) -> None:
        """Insert rows, or replace those of the same first columns."""
        if rows:
            places = ",".join("?" * len(columns))
            self.connection.executemany(
                upsert_from(f"VALUES ({places})", table, columns, keys), rows
            )

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all of a block or nothing; no other process writes meanwhile."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:  # a full disk has ended it already
                self.connection.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read in a block as if nothing was written meanwhile."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    def read_version(self) -> int:
        """Give the number of the tables that are there, 0 where there are none."""
        return int(self.connection.execute("PRAGMA user_version").fetchone()[0])

    def write_version(self, version: int) -> None:
        """Set the number of the tables."""
        self.connection.execute(f"PRAGMA user_version={version:d}")

    def list_tables(self) -> list[str]:
        """Name all tables."""
        sql = "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"
        return [name for (name,) in self.connection.execute(sql)]

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def select_in(link: Link, sql: str, values: Sequence[Any]) -> list[Any]:
    """Run a SELECT that ends in IN for many values.

    Parameters
    ----------
    link
        The connection.
    sql
        Fixed text up to the word IN.
    values
        As many as there are.

    Returns
    -------
    list
        Rows.
    """
    found: list[Any] = []
    for start in range(0, len(values), _PLACES):
        some = values[start : start + _PLACES]
        found += link.execute(f"{sql} ({','.join('?' * len(some))})", some).fetchall()
    return found


def upsert_from(source: str, table: str, columns: Values, keys: int) -> str:
    """Give the statement that takes rows in; both databases know it.

    Parameters
    ----------
    source
        The rows: VALUES or a SELECT, with places for the values.
    table, columns
        Where they go: the schema's own words.
    keys
        So many first columns tell rows apart.

    Returns
    -------
    str
        The statement.
    """
    update = ", ".join(f"{name} = excluded.{name}" for name in columns[keys:])
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) {source}"
        f" ON CONFLICT ({', '.join(columns[:keys])}) DO UPDATE SET {update}"
    )


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch the journal; SQLite does not wait for this lock by itself, whatever the timeout."""
    deadline = time.monotonic() + 30
    while True:
        try:
            connection.execute("PRAGMA journal_mode=wal")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            return

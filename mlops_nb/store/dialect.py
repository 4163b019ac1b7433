"""What differs between databases: SQLite's words now, PostgreSQL's beside them later."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from typing import Any

from mlops_nb.store.connections import open_connection


def like_case(pattern: str | None, text: str | None) -> int:
    """Tell whether text fits an SQL LIKE pattern, with regard to case."""
    if pattern is None or text is None:
        return 0
    expression = "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return int(re.fullmatch(expression, str(text), re.DOTALL) is not None)


class SQLite:
    """Says in SQLite's words what the index asks; statements are written with ``?``."""

    def open(self, path: str) -> sqlite3.Connection:
        """Open the index, without making its tables."""
        connection = open_connection(path, 30)
        try:
            connection.create_function("like_case", 2, like_case, deterministic=True)
            _use_wal(connection)
            connection.execute("PRAGMA synchronous=normal")
            connection.execute("PRAGMA cache_size=-65536")
        except BaseException:
            connection.close()
            raise
        return connection

    def execute(
        self, connection: sqlite3.Connection, sql: str, values: Sequence[Any] = ()
    ) -> sqlite3.Cursor:
        """Run one statement."""
        return connection.execute(sql, values)

    def insert(self, connection: sqlite3.Connection, sql: str, values: Sequence[Any]) -> int:
        """Insert a row and give the number the database gave it."""
        return int(connection.execute(sql, values).lastrowid or 0)

    def upsert(self, table: str, columns: Sequence[str], keys: int) -> str:
        """Give the statement that inserts a row or replaces that of the same first columns."""
        places = ",".join("?" * len(columns))
        update = ", ".join(f"{name} = excluded.{name}" for name in columns[keys:])
        # Names of tables and columns are the schema's own words.
        return (
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608
            f" ON CONFLICT ({', '.join(columns[:keys])}) DO UPDATE SET {update}"
        )

    def like(self, column: str, *, negated: bool) -> str:
        """Give a LIKE that regards case; SQLite's own does not."""
        return f"like_case(?, {column}) = {0 if negated else 1}"

    def unindexed(self, column: str) -> str:
        """Name a column so that no index over it is chosen."""
        return f"+{column}"

    def read_version(self, connection: sqlite3.Connection) -> int:
        """Give the number of the tables that are there, 0 where there are none."""
        return int(connection.execute("PRAGMA user_version").fetchone()[0])

    def write_version(self, connection: sqlite3.Connection, version: int) -> None:
        """Set the number of the tables."""
        connection.execute(f"PRAGMA user_version={version:d}")

    def list_tables(self, connection: sqlite3.Connection) -> list[str]:
        """Name all tables."""
        sql = "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"
        return [name for (name,) in connection.execute(sql)]


DIALECT = SQLite()


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


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all of a block or nothing; no other process writes meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Read in a block as if nothing was written meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")

"""The index's tables, as numbered steps that each run once."""

from __future__ import annotations

import sqlite3
import time

# The index holds nothing that the run folders do not: a change here raises the number, and an index
# of any other number is thrown away and filled again.
VERSION = 1

TABLES = """
CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  experiment TEXT NOT NULL,
  status TEXT NOT NULL,
  started_at REAL NOT NULL,
  ended_at REAL,
  notebook TEXT,
  parent_run_id TEXT,
  evidence TEXT NOT NULL,
  document TEXT NOT NULL
);
CREATE INDEX run_started ON run (started_at);
CREATE INDEX run_name ON run (name);
CREATE TABLE metric (key TEXT NOT NULL, run INTEGER NOT NULL, value REAL,
  PRIMARY KEY (key, run)) WITHOUT ROWID;
CREATE TABLE param (key TEXT NOT NULL, run INTEGER NOT NULL, text TEXT NOT NULL, number REAL,
  PRIMARY KEY (key, run)) WITHOUT ROWID;
CREATE TABLE tag (key TEXT NOT NULL, run INTEGER NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY (key, run)) WITHOUT ROWID;
CREATE INDEX metric_run ON metric (run);
CREATE INDEX param_run ON param (run);
CREATE INDEX tag_run ON tag (run);
"""


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


def prepare(connection: sqlite3.Connection) -> None:
    """Bring a fresh or older index to the tables of this version.

    Parameters
    ----------
    connection
        In autocommit mode.
    """
    _use_wal(connection)
    connection.execute("PRAGMA synchronous=normal")
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found == VERSION:
        return
    # Only one process makes the tables; the others wait here and then find them made.
    connection.execute("BEGIN IMMEDIATE")
    try:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found != VERSION:
            names = connection.execute(
                "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"
            ).fetchall()
            for (name,) in names:
                connection.execute(f'DROP TABLE "{name}"')
            for statement in TABLES.split(";"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise

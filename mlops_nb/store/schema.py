"""The index's tables; an index of another version is thrown away and filled again."""

from __future__ import annotations

import sqlite3

from mlops_nb.store.dialect import DIALECT, transaction

# The index holds nothing that the run folders do not: a change here raises the number, and an index
# of any other number is thrown away and filled again.
VERSION = 2

# By key and value runs are found, by key and run one run is looked at.
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
  writer TEXT NOT NULL,
  is_settled INTEGER NOT NULL,
  evidence TEXT NOT NULL
);
CREATE INDEX run_started ON run (started_at, run_id);
CREATE INDEX run_name ON run (name);
CREATE INDEX run_experiment ON run (experiment, started_at, run_id);
CREATE INDEX run_notebook ON run (notebook, started_at, run_id);
CREATE INDEX run_parent ON run (parent_run_id) WHERE parent_run_id IS NOT NULL;
CREATE INDEX run_unsettled ON run (is_settled) WHERE is_settled = 0;
CREATE TABLE run_document (run INTEGER PRIMARY KEY, document TEXT NOT NULL, tail TEXT);
CREATE TABLE metric (key TEXT NOT NULL, run INTEGER NOT NULL, value REAL,
  PRIMARY KEY (key, run)) WITHOUT ROWID;
CREATE INDEX metric_value ON metric (key, value);
CREATE TABLE param (key TEXT NOT NULL, run INTEGER NOT NULL, text TEXT NOT NULL, number REAL,
  PRIMARY KEY (key, run)) WITHOUT ROWID;
CREATE INDEX param_text ON param (key, text);
CREATE INDEX param_number ON param (key, number) WHERE number IS NOT NULL;
CREATE TABLE tag (key TEXT NOT NULL, run INTEGER NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY (key, run)) WITHOUT ROWID;
CREATE INDEX tag_text ON tag (key, text);
CREATE TABLE series_file (run_id TEXT NOT NULL, file TEXT NOT NULL, offset_bytes INTEGER NOT NULL,
  PRIMARY KEY (run_id, file));
CREATE TABLE metric_chunk (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL, file TEXT NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL,
  count INTEGER NOT NULL, step_min INTEGER NOT NULL, step_max INTEGER NOT NULL,
  time_min INTEGER NOT NULL, time_max INTEGER NOT NULL,
  low REAL, high REAL, last REAL, is_ordered INTEGER NOT NULL, blocks BLOB NOT NULL,
  UNIQUE (run_id, file, key, seq)
);
CREATE TABLE metric_chunk_data (chunk INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE started (run_id TEXT PRIMARY KEY, is_new INTEGER NOT NULL);
CREATE TABLE late (name TEXT PRIMARY KEY, run_id TEXT NOT NULL, is_open INTEGER NOT NULL);
CREATE TABLE looked (name TEXT PRIMARY KEY, at INTEGER NOT NULL);
"""


def prepare(connection: sqlite3.Connection) -> None:
    """Bring a fresh or older index to the tables of this version.

    Parameters
    ----------
    connection
        In autocommit mode.
    """
    if DIALECT.read_version(connection) == VERSION:
        return
    # Only one process makes the tables; the others wait here and then find them made.
    with transaction(connection):
        if DIALECT.read_version(connection) == VERSION:
            return
        for name in DIALECT.list_tables(connection):
            connection.execute(f'DROP TABLE "{name}"')
        for statement in TABLES.split(";"):
            if statement.strip():
                connection.execute(statement)
        DIALECT.write_version(connection, VERSION)

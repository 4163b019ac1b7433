"""The index of runs: an SQLite file that can be deleted at any time and is filled again."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlops_nb.records import ArtifactRecord, RunRecord
from mlops_nb.store import schema
from mlops_nb.store.runreader import read_dataset, read_meta, read_run
from mlops_nb.store.search import compile_filter, compile_order, like_case


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

    def _connect(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = self._local.__dict__.get("connection")
        here = (os.getpid(), self._inode())
        if connection is not None and None not in here and self._local.owner == here:
            return connection
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=30)
        try:
            schema.prepare(connection)
        except sqlite3.DatabaseError as error:
            connection.close()
            if isinstance(error, sqlite3.OperationalError):
                raise
            self._remove()  # not a database: an index is never worth an error
            connection = sqlite3.connect(self.path, isolation_level=None, timeout=30)
            schema.prepare(connection)
        connection.create_function("like_case", 2, like_case, deterministic=True)
        self.close()
        self._local.connection, self._local.owner = connection, (os.getpid(), self._inode())
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

    def refresh(self) -> None:
        """Read what was written since the last look."""
        connection = self._connect()
        known = dict(connection.execute("SELECT run_id, evidence FROM run"))
        changed: list[tuple[RunRecord, str]] = []
        present = set()
        for folder in self._folders():
            present.add(folder.name)
            evidence = _evidence(folder)
            if known.get(folder.name) == evidence:
                continue
            meta = read_meta(folder)
            if meta is None:
                continue
            record = read_run(folder, meta)
            # A running run can end without a byte written: its evidence never counts as settled.
            changed.append((record, "" if record.status == "running" else evidence))
        gone = [(run_id,) for run_id in known if run_id not in present]
        if not changed and not gone:
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            for (run_id,) in gone:
                _forget(connection, run_id)
            for record, evidence in changed:
                _write(connection, record, evidence)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def _folders(self) -> Iterator[Path]:
        try:
            with os.scandir(self.runs) as entries:
                names = [entry.name for entry in entries if entry.is_dir()]
        except FileNotFoundError:
            return
        for name in names:
            yield self.runs / name

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
        self.refresh()
        # The pieces are made of fixed words by the compiler; every value is a placeholder.
        sql = f"SELECT document FROM run WHERE {where.sql} ORDER BY {order.sql} LIMIT ? OFFSET ?"  # noqa: S608
        rows = self._connect().execute(sql, (*where.values, *order.values, limit, offset))
        return [load_record(document) for (document,) in rows]

    def count(self, text: str | None = None) -> int:
        """Count the runs that a filter keeps, as of the last refresh."""
        where = compile_filter(text)
        sql = f"SELECT count(*) FROM run WHERE {where.sql}"  # noqa: S608 - fixed words, see search
        (number,) = self._connect().execute(sql, where.values).fetchone()
        return int(number)

    def names(self) -> list[tuple[str, str]]:
        """Give ``(run_id, name)`` of every run, newest first, as of the last refresh."""
        sql = "SELECT run_id, name FROM run ORDER BY started_at DESC, run_id DESC"
        return list(self._connect().execute(sql))


def _evidence(folder: Path) -> str:
    try:
        with os.scandir(folder) as entries:
            logs = [entry for entry in entries if entry.name.endswith((".log", ".bin"))]
            return "|".join(sorted(f"{entry.name}:{entry.stat().st_size}" for entry in logs))
    except OSError:
        return "?"


def _forget(connection: sqlite3.Connection, run_id: str) -> None:
    row = connection.execute("SELECT id FROM run WHERE run_id = ?", (run_id,)).fetchone()
    if row is not None:
        for table in ("metric", "param", "tag"):
            connection.execute(f"DELETE FROM {table} WHERE run = ?", row)  # noqa: S608 - fixed names
        connection.execute("DELETE FROM run WHERE id = ?", row)


def _write(connection: sqlite3.Connection, record: RunRecord, evidence: str) -> None:
    _forget(connection, record.run_id)
    cursor = connection.execute(
        "INSERT INTO run (run_id, name, experiment, status, started_at, ended_at, notebook,"
        " parent_run_id, evidence, document) VALUES (?,?,?,?,?,?,?,?,?,?)",
        (
            record.run_id,
            _storable(record.name),
            _storable(record.experiment),
            record.status,
            record.started_at,
            record.ended_at,
            record.notebook and _storable(record.notebook),
            record.parent_run_id,
            evidence,
            dump_record(record),
        ),
    )
    run = cursor.lastrowid
    connection.executemany(
        "INSERT OR REPLACE INTO metric VALUES (?,?,?)",
        [
            (_storable(key), run, None if math.isnan(value) else value)
            for key, value in record.metrics.items()
        ],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO param VALUES (?,?,?,?)",
        [
            (_storable(key), run, _storable(format_param(value)), _number(value))
            for key, value in record.params.items()
        ],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO tag VALUES (?,?,?)",
        [(_storable(key), run, _storable(str(text))) for key, text in record.tags.items()],
    )


def _storable(text: str) -> str:
    """Give text without lone surrogates, which SQLite cannot hold; the log keeps them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if math.isnan(number) else number


def format_param(value: Any) -> str:
    """Give a parameter as MLflow shows it: text."""
    return value if isinstance(value, str) else str(value)


def dump_record(record: RunRecord) -> str:
    """Give a run without its cells as JSON text."""
    document = asdict(record)
    del document["cells"]
    return json.dumps(document, separators=(",", ":"), default=str)


def load_record(text: str) -> RunRecord:
    """Read what `dump_record` gave."""
    document = json.loads(text)
    document["artifacts"] = tuple(ArtifactRecord(**entry) for entry in document["artifacts"])
    document["datasets"] = tuple(read_dataset(entry) for entry in document["datasets"])
    return RunRecord(**document)

"""Runs as rows of the index, and the same rows as runs."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, fields
from typing import Any

from mlops_nb.records import ArtifactRecord, RunRecord
from mlops_nb.store.dialect import Link, to_key, to_text
from mlops_nb.store.runreader import read_dataset

Rows = dict[str, tuple[Any, ...]]
_NAMES = [entry.name for entry in fields(RunRecord) if entry.name != "cells"]
_COLUMNS = {"metric": ("value",), "param": ("text", "number"), "tag": ("text",)}
_RUN = (
    "run_id", "name", "experiment", "status", "started_at", "ended_at", "notebook",
    "parent_run_id", "writer", "is_settled", "evidence",
)  # fmt: skip
_DOCUMENT = ("run", "document", "tail")


def write_run(
    link: Link,
    record: RunRecord,
    state: tuple[str, bool, str],
    tail: str | None,
) -> None:
    """Put a run into the index, or in the place of what the index holds of it.

    Parameters
    ----------
    link
        Within a transaction.
    record
        The run, without its cells.
    state
        The description of its writer, whether it can still change, and the evidence it was read by.
    tail
        How far its metrics were read, where that is worth keeping.
    """
    values = (
        record.run_id, to_text(str(record.name)), to_text(record.experiment),
        to_text(str(record.status)), _seconds(record.started_at) or 0.0, _seconds(record.ended_at),
        _optional(record.notebook), _optional(record.parent_run_id),
        state[0], int(state[1]), to_text(state[2]),
    )  # fmt: skip
    link.upsert("run", _RUN, 1, [values])
    sql = "SELECT id, document FROM run LEFT JOIN run_document ON run = id WHERE run_id = ?"
    run, text = link.execute(sql, (record.run_id,)).fetchone()
    old = make_rows(json.loads(text)) if text else {table: {} for table in _COLUMNS}
    _write_rows(link, run, old, make_rows(
        {"metrics": record.metrics, "params": record.params, "tags": record.tags}
    ))  # fmt: skip
    link.upsert("run_document", _DOCUMENT, 1, [(run, dump_record(record), tail)])


def _write_rows(link: Link, run: int, old: dict[str, Rows], new: dict[str, Rows]) -> None:
    """Write only what differs: of a run that is followed that is a few values a second."""
    for table in _COLUMNS:
        gone = [(key, run) for key in old[table].keys() - new[table].keys()]
        if gone:
            # One of three names of tables.
            link.execute_many(f"DELETE FROM {table} WHERE key = ? AND run = ?", gone)  # noqa: S608
        changed = [
            (key, run, *values)
            for key, values in new[table].items()
            if old[table].get(key) != values
        ]
        link.upsert(table, ("key", "run", *_COLUMNS[table]), 2, changed)


def forget_run(link: Link, run_id: str) -> None:
    """Drop a run from the index, within a transaction of the caller."""
    sql = "SELECT id, document FROM run JOIN run_document ON run = id WHERE run_id = ?"
    row = link.execute(sql, (run_id,)).fetchone()
    if row is not None:
        empty: dict[str, Rows] = {table: {} for table in _COLUMNS}
        _write_rows(link, row[0], make_rows(json.loads(row[1])), empty)
        link.execute("DELETE FROM run_document WHERE run = ?", row[:1])
        link.execute("DELETE FROM run WHERE id = ?", row[:1])
    for table in ("late", "started"):
        link.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))  # noqa: S608


def make_rows(document: dict[str, Any]) -> dict[str, Rows]:
    """Give the rows of a run by table and key."""
    return {
        "metric": {
            to_key(key): (None if math.isnan(value) else value,)
            for key, value in document["metrics"].items()
        },
        "param": {
            to_key(key): (to_text(format_param(value)), _number(value))
            for key, value in document["params"].items()
        },
        "tag": {to_key(key): (to_text(str(value)),) for key, value in document["tags"].items()},
    }


def _optional(value: Any) -> str | None:
    return None if value is None else to_text(str(value))


def _seconds(value: Any) -> float | None:
    """Give a time; None for what is none, for a log may hold anything."""
    is_number = isinstance(value, int | float) and abs(value) < 1e15  # NaN is not less
    return float(value) if is_number else None


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
    document = {name: getattr(record, name) for name in _NAMES}
    document["artifacts"] = [asdict(entry) for entry in record.artifacts]
    document["datasets"] = [asdict(entry) for entry in record.datasets]
    return json.dumps(document, separators=(",", ":"), default=str)


def load_record(text: str) -> RunRecord:
    """Read what `dump_record` gave."""
    document = json.loads(text)
    document["artifacts"] = tuple(ArtifactRecord(**entry) for entry in document["artifacts"])
    document["datasets"] = tuple(read_dataset(entry) for entry in document["datasets"])
    return RunRecord(**document)

"""Runs as rows of the index, and the same rows as runs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from mlops_nb.records import ArtifactRecord, RunRecord
from mlops_nb.store.dialect import Link, select_in, to_key, to_text
from mlops_nb.store.runreader import read_dataset, read_progress

Rows = dict[str, tuple[Any, ...]]
_NAMES = [entry.name for entry in fields(RunRecord) if entry.name != "cells"]
_COLUMNS = {"metric": ("value",), "param": ("text", "number"), "tag": ("text",)}
_RUN = (
    "run_id", "name", "experiment", "status", "started_at", "ended_at", "notebook",
    "parent_run_id", "writer", "is_settled", "evidence",
)  # fmt: skip
_DOCUMENT = ("run", "document", "tail")


@dataclass(frozen=True, slots=True)
class Entry:
    """A run as it is to be put into the index.

    Attributes
    ----------
    record
        The run, without its cells.
    state
        The description of its writer, whether it can still change, and the evidence it was read by.
    tail
        How far its metrics were read, where that is worth keeping.
    """

    record: RunRecord
    state: tuple[str, bool, str]
    tail: str | None


def write_runs(link: Link, entries: Iterable[Entry]) -> None:
    """Put runs into the index, or in the place of what the index holds of them.

    Parameters
    ----------
    link
        Within a transaction.
    entries
        Of two of the same run, the later counts.
    """
    # A statement for all runs at once: another database may be a network away.
    latest = {entry.record.run_id: entry for entry in entries}
    link.upsert("run", _RUN, 1, [_make_run(entry) for entry in latest.values()])
    sql = "SELECT run_id, id, document FROM run LEFT JOIN run_document ON run = id WHERE run_id IN"
    changed: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _COLUMNS}
    gone: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _COLUMNS}
    documents = []
    for run_id, run, text in select_in(link, sql, list(latest)):
        record = latest[run_id].record
        old = make_rows(json.loads(text)) if text else {table: {} for table in _COLUMNS}
        new = make_rows({"metrics": record.metrics, "params": record.params, "tags": record.tags})
        # Only what differs: of a run that is followed that is a few values a second.
        for table in _COLUMNS:
            gone[table] += [(key, run) for key in old[table].keys() - new[table].keys()]
            changed[table] += [
                (key, run, *values)
                for key, values in new[table].items()
                if old[table].get(key) != values
            ]
        documents.append((run, dump_record(record), latest[run_id].tail))
    for table, columns in _COLUMNS.items():
        # One of three names of tables.
        link.execute_many(f"DELETE FROM {table} WHERE key = ? AND run = ?", gone[table])  # noqa: S608
        link.upsert(table, ("key", "run", *columns), 2, changed[table])
    link.upsert("run_document", _DOCUMENT, 1, documents)


def _make_run(entry: Entry) -> tuple[Any, ...]:
    record, state = entry.record, entry.state
    return (
        record.run_id, to_text(str(record.name)), to_text(record.experiment),
        to_text(str(record.status)), _seconds(record.started_at) or 0.0, _seconds(record.ended_at),
        _optional(record.notebook), _optional(record.parent_run_id),
        state[0], int(state[1]), to_text(state[2]),
    )  # fmt: skip


def forget_runs(link: Link, run_ids: Sequence[str]) -> None:
    """Drop runs from the index, within a transaction of the caller."""
    sql = "SELECT id, document FROM run JOIN run_document ON run = id WHERE run_id IN"
    gone: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _COLUMNS}
    runs = []
    for run, text in select_in(link, sql, run_ids):
        for table, rows in make_rows(json.loads(text)).items():
            gone[table] += [(key, run) for key in rows]
        runs.append((run,))
    for table in _COLUMNS:
        link.execute_many(f"DELETE FROM {table} WHERE key = ? AND run = ?", gone[table])  # noqa: S608
    link.execute_many("DELETE FROM run_document WHERE run = ?", runs)
    link.execute_many("DELETE FROM run WHERE id = ?", runs)
    for table in ("late", "started"):
        sql = f"DELETE FROM {table} WHERE run_id = ?"  # noqa: S608 - one of two names
        link.execute_many(sql, [(run_id,) for run_id in run_ids])


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
    document["progress"] = None if record.progress is None else asdict(record.progress)
    return json.dumps(document, separators=(",", ":"), default=str)


def load_record(text: str) -> RunRecord:
    """Read what `dump_record` gave."""
    document = json.loads(text)
    document["artifacts"] = tuple(ArtifactRecord(**entry) for entry in document["artifacts"])
    document["datasets"] = tuple(read_dataset(entry) for entry in document["datasets"])
    progress = document.get("progress")  # written since there is progress
    document["progress"] = None if progress is None else read_progress(progress)
    return RunRecord(**document)

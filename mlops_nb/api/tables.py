"""Runs as tables: MLflow's columns, and two or more runs side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_nb.errors import InvalidValueError
from mlops_nb.records import Comparison, RunRecord, is_system
from mlops_nb.store import Store
from mlops_nb.tracking.changes import describe_changes
from mlops_nb.tracking.ranking import find_best_kin, find_previous_kin

if TYPE_CHECKING:
    import pandas as pd

_MOST_KIN = 200


def make_runs_table(runs: list[RunRecord], root: Path) -> pd.DataFrame:
    """Give runs as MLflow's ``search_runs`` does.

    Parameters
    ----------
    runs
        In the order of the rows.
    root
        The store, for ``artifact_uri``.

    Returns
    -------
    pandas.DataFrame
        Columns that no run has are missing; a run without a value has NaN or None there.
    """
    import pandas as pd

    def to_times(seconds: Iterable[float | None]) -> pd.DatetimeIndex:
        stamps = [pd.NaT if value is None else pd.Timestamp(value, unit="s") for value in seconds]
        return pd.DatetimeIndex(stamps, dtype="datetime64[ns]").tz_localize("UTC")

    columns: dict[str, Any] = {
        "run_id": [run.run_id for run in runs],
        "experiment_id": [run.experiment for run in runs],
        "status": [run.status.upper() for run in runs],
        "artifact_uri": [(root / "runs" / run.run_id).as_uri() for run in runs],
        "start_time": to_times(run.started_at for run in runs),
        "end_time": to_times(run.ended_at for run in runs),
    }
    for key in _names(run.params for run in runs):
        values = [run.params.get(key) for run in runs]
        has = [key in run.params for run in runs]
        texts = [str(v) if h else None for v, h in zip(values, has, strict=True)]
        columns[f"params.{key}"] = pd.Series(texts, dtype=object)
    for key in _names(run.metrics for run in runs):
        columns[f"metrics.{key}"] = [run.metrics.get(key, float("nan")) for run in runs]
    named = [{"mlflow.runName": run.name, **run.tags} for run in runs]
    for key in _names(named):
        columns[f"tags.{key}"] = pd.Series([tags.get(key) for tags in named], dtype=object)
    return pd.DataFrame(columns)


def _names(dicts: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for entry in dicts for key in entry))


def compare_records(store: Store, runs: list[RunRecord]) -> Comparison:
    """Put runs side by side.

    Parameters
    ----------
    store
        Keeps their environment and code documents.
    runs
        Two or more.

    Returns
    -------
    Comparison
        Within each group, rows that differ come first.

    Raises
    ------
    InvalidValueError
        Fewer than two runs are given.
    """
    if len(runs) < 2:
        raise InvalidValueError("runs to compare", [run.name for run in runs], "two or more runs")
    rows: list[tuple[str, str, tuple[Any, ...], bool]] = []

    def add(group: str, tables: list[dict[str, Any]]) -> None:
        for key in _names(tables):
            values = tuple(table.get(key) for table in tables)
            differs = any(
                value != values[0] for value in values[1:] if not _are_nan(value, values[0])
            )
            rows.append((group, key, values, differs))

    add("metric", [_take_results(run) for run in runs])
    add("param", [run.params for run in runs])
    add("dataset", [_describe_data(run) for run in runs])
    add("environment", _changed(store, [run.environment for run in runs]))
    add("code", [dict(run) for run in describe_changes(runs)])
    add("code", _changed(store, [run.code for run in runs]))
    add("tag", [dict(run.tags) for run in runs])
    order = {name: place for place, name in enumerate(dict.fromkeys(row[0] for row in rows))}
    rows.sort(key=lambda row: (not row[3], order[row[0]]))
    return Comparison(tuple(runs), tuple(rows))


def compare_with_best(store: Store, run: RunRecord) -> Comparison:
    """Put a run beside the best other one of its name, notebook and experiment.

    Parameters
    ----------
    store
        Keeps both.
    run
        The second of the two.

    Returns
    -------
    Comparison
        As `compare_records`, with what the first was found by.

    Raises
    ------
    InvalidValueError
        There is no other run of its kind.
    """
    found = find_best_kin(store.search(_write_name(run), None, _MOST_KIN, 0), run)
    if found is None:
        raise InvalidValueError(
            "runs to compare", [run.name], "two or more runs, or one of which there are others"
        )
    best = store.read_run(found[0].run_id)
    return replace(compare_records(store, [best, run]), metric=found[1])


def compare_with_previous(store: Store, run: RunRecord) -> Comparison:
    """Put a run beside the one of its name, notebook and experiment that began last before it.

    Parameters
    ----------
    store
        Keeps both.
    run
        The second of the two.

    Returns
    -------
    Comparison
        As `compare_records`.

    Raises
    ------
    InvalidValueError
        There is none before it.
    """
    earlier = f"{_write_name(run)} AND attributes.started_at <= {run.started_at!r}"
    found = find_previous_kin(store.search(earlier, None, _MOST_KIN, 0), run)
    if found is None:
        raise InvalidValueError(
            "runs to compare", [run.name], "two or more runs, or one that had another before it"
        )
    return compare_records(store, [store.read_run(found.run_id), run])


def _write_name(run: RunRecord) -> str:
    """Write the condition that runs have the name of this one."""
    name = run.name.replace("\\", "\\\\").replace("'", "''")
    return f"attributes.run_name = '{name}'"


def _are_nan(*values: Any) -> bool:
    """Say whether both are no number: XGBoost's ``missing`` is nan in every run."""
    return all(isinstance(value, float) and math.isnan(value) for value in values)


def _take_results(run: RunRecord) -> dict[str, Any]:
    return {key: value for key, value in run.metrics.items() if not is_system(key)}


def _describe_data(run: RunRecord) -> dict[str, str]:
    named = {}
    for dataset in run.datasets:
        if dataset.call:  # a file, an address or a query: a run has many of one role
            key = f"{dataset.role} {dataset.name}"
            named[key] = dataset.fingerprint[:12] or "content not known"
            continue
        shape = " x ".join(str(length) for length in dataset.shape)
        named[dataset.role or dataset.name] = f"{dataset.fingerprint[:12]} ({shape})"
    return named


def _changed(store: Store, digests: list[str | None]) -> list[dict[str, Any]]:
    """Give the entries of documents that are not the same in all; nothing when all are one."""
    if len(set(digests)) < 2:
        return [{} for _ in digests]
    flat = [_flatten(store.objects.read_json(digest)) if digest else {} for digest in digests]
    keys = [key for key in _names(flat) if len({repr(entry.get(key)) for entry in flat}) > 1]
    return [{key: entry.get(key) for key in keys} for entry in flat]


def _flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        found: dict[str, Any] = {}
        for key, member in value.items():
            found.update(_flatten(member, f"{prefix}.{key}" if prefix else str(key)))
        return found
    return {prefix: value}

"""Verbs on the metrics of a run: as points, as arrays, as what a chart shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_nb.api.places import read_store
from mlops_nb.records import MetricPoint

if TYPE_CHECKING:
    from mlops_nb.store import MetricPreview, MetricSeries


def get_metric_history(run_id: str, key: str) -> list[MetricPoint]:
    """Read every value of one metric of a run.

    Parameters
    ----------
    run_id
        As for `get_run`.
    key
        Name of the metric.

    Returns
    -------
    list of MetricPoint
        With ``step``, ``value`` and ``timestamp`` (ms), by step.

    Raises
    ------
    RunNotFoundError, NotFoundError
        There is no such run, or it has no such metric.
    """
    store = read_store()
    return store.read_metric_history(store.find_run(run_id), key)


def get_metric_series(
    run_id: str, key: str, step_from: int | None = None, step_to: int | None = None
) -> MetricSeries:
    """Read one metric of a run as arrays.

    Parameters
    ----------
    run_id
        As for `get_run`.
    key
        Name of the metric.
    step_from, step_to
        Range of steps, both included; None for no bound.

    Returns
    -------
    MetricSeries
        With ``steps`` (int64), ``values`` (float64) and ``times`` (int64, ms) of equal length, by
        step.

    Raises
    ------
    RunNotFoundError, NotFoundError
        There is no such run, or it has no such metric.
    """
    store = read_store()
    return store.read_series(store.find_run(run_id), key, step_from, step_to)


def preview_metric(
    run_id: str, key: str, pixels: int = 800, *, start: Path | None = None
) -> MetricPreview:
    """Read what a chart of a metric shows, however long the metric is.

    Parameters
    ----------
    run_id
        As for `get_run`.
    key
        Name of the metric.
    pixels
        Width of the chart: at most so many entries come back.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    MetricPreview
        With ``steps``, ``lows`` and ``highs`` of equal length, and ``count``, the number of points.

    Raises
    ------
    InvalidValueError
        ``pixels`` is not 1 or more.
    RunNotFoundError, NotFoundError
        There is no such run, or it has no such metric.
    """
    store = read_store(start)
    return store.preview_series(store.find_run(run_id), key, pixels)

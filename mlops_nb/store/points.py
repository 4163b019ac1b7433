"""Points of one metric as records, for those who want a few of them without arrays."""

from __future__ import annotations

from pathlib import Path

from mlops_nb.errors import NotFoundError
from mlops_nb.records import MetricPoint
from mlops_nb.store.metrics import list_metric_files, read_few_points
from mlops_nb.store.series import LARGE_BYTES, read_series
from mlops_nb.store.seriesindex import SeriesIndex


def has_many_points(folder: Path) -> bool:
    """Tell whether the logs of a run are so long that what was read of them is worth keeping."""
    try:
        return (folder / "metrics.bin").stat().st_size >= LARGE_BYTES
    except OSError:
        return False


def list_points(folder: Path, key: str, index: SeriesIndex) -> list[MetricPoint]:
    """Read every point of a metric.

    Parameters
    ----------
    folder, key, index
        As for `read_series`.

    Returns
    -------
    list of MetricPoint
        By step, then by time.

    Raises
    ------
    NotFoundError
        The run has no such metric.
    """
    try:
        few = read_few_points(list_metric_files(folder))
    except FileNotFoundError:  # compacted between the two looks
        few = None
    if few is not None:
        if key not in few:
            raise NotFoundError("metric", key, few, f"Asked of run {folder.name}.")
        found = sorted(few[key], key=lambda point: point[:2])
        return [MetricPoint(key, value, step, time) for step, time, value in found]
    series = read_series(folder, key, index, None, None)
    columns = zip(series.values.tolist(), series.steps.tolist(), series.times.tolist(), strict=True)
    return [MetricPoint(key, value, step, time) for value, step, time in columns]

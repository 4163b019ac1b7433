"""All metrics of one run, from whichever of its files hold them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_nb.store.chunks import Points, join_points, order_points
from mlops_nb.store.columns import ColumnFile, open_columns, read_column_series, read_last
from mlops_nb.store.metricfile import (
    FEW_RECORDS,
    RECORD_BYTES,
    Columns,
    read_key_names,
    read_tail,
    unpack_columns,
    unpack_records,
)

# A file named by a look into the folder may be compacted before it is opened.
ATTEMPTS = 10
Last = tuple[int, int, float]  # step, time in ms, value


@dataclass(slots=True)
class MetricFiles:
    """The files of a run that hold points: files of chunks, then logs that none of them holds."""

    columns: list[ColumnFile]
    logs: list[Path]
    superseded: list[Path] = field(default_factory=list)


def list_metric_files(folder: Path) -> MetricFiles:
    """Look into a run's folder.

    Parameters
    ----------
    folder
        The run's folder; one that is gone has no files.

    Returns
    -------
    MetricFiles
        ``superseded`` are logs whose records a file of chunks holds: they are not read.
    """
    for _ in range(ATTEMPTS):
        try:
            names = sorted(path.name for path in folder.iterdir())
            files = [
                open_columns(folder / name)
                for name in names
                if name.startswith("metrics.") and name.endswith(".col")
            ]
            break
        except FileNotFoundError:
            if not folder.exists():
                return MetricFiles([], [])
    sources = {name for file in files for name in file.sources}
    logs = [name for name in names if name.startswith("metrics") and name.endswith(".bin")]
    return MetricFiles(
        files,
        [folder / name for name in logs if name not in sources],
        [folder / name for name in logs if name in sources],
    )


@dataclass(slots=True)
class MetricTail:
    """What the metrics of a run add up to, and how far their files were read.

    Attributes
    ----------
    last
        Step, time and value of the last point of each metric.
    latest
        Latest time of any point in ms.
    dropped
        Damaged records, a torn tail and points of damaged chunks.
    offsets
        By log: where the next look begins, and the damaged records before it.
    columns
        Names of the files of chunks that were counted.
    """

    last: dict[str, Last] = field(default_factory=dict)
    latest: int = 0
    dropped: int = 0
    offsets: dict[str, list[int]] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON types."""
        return {"last": self.last, "latest": self.latest, "offsets": self.offsets}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> MetricTail:
        """Read what `to_json` gave."""
        last = {key: (step, time, value) for key, (step, time, value) in document["last"].items()}
        return cls(last, document["latest"], 0, document["offsets"])

    def take(self, key: str, point: Last) -> None:
        """Take a point into account."""
        known = self.last.get(key)
        if known is None or point[:2] >= known[:2]:
            self.last[key] = point
        self.latest = max(self.latest, point[1])


def read_tails(folder: Path, before: MetricTail | None = None) -> MetricTail:
    """Read the metrics of a run up to now.

    Parameters
    ----------
    folder
        The run's folder.
    before
        What an earlier look gave; only what was written since is read. It is used up.

    Returns
    -------
    MetricTail
        Of all files.
    """
    for _ in range(ATTEMPTS):
        files = list_metric_files(folder)
        tail = before if before is not None and _goes_on(before, files) else MetricTail()
        before = None
        try:
            _fill(tail, files)
        except FileNotFoundError:
            if folder.exists():
                continue
        return tail
    return tail


def _goes_on(tail: MetricTail, files: MetricFiles) -> bool:
    """Tell whether the files only grew; logs that became chunks are counted anew."""
    sizes = {path.name: path.stat().st_size for path in files.logs if path.exists()}
    return not files.columns and all(
        name in sizes and start <= sizes[name] for name, (start, _) in tail.offsets.items()
    )


def _fill(tail: MetricTail, files: MetricFiles) -> None:
    tail.dropped = 0
    for column_file in files.columns:
        chunks = column_file.chunks
        intact = {chunk.offset for chunk, _ in column_file.read_chunks(chunks)}
        tail.dropped += column_file.dropped
        tail.dropped += sum(c.head.count for c in chunks if c.offset not in intact)
        tail.latest = max([tail.latest, *(chunk.head.time_max for chunk in chunks)])
        for key, point in read_last(column_file).items():
            tail.take(key, point)
    for path in files.logs:
        start, damaged = tail.offsets.get(path.name, (0, 0))
        data = read_tail(path, start)
        names, lost = read_key_names(path)
        whole = len(data) // RECORD_BYTES
        if whole < FEW_RECORDS:
            kept = _take_few(tail, data, names)
        else:
            kept = _take_many(tail, unpack_columns(data), names)
        damaged += whole - kept
        tail.offsets[path.name] = [start + whole * RECORD_BYTES, damaged]
        tail.dropped += lost + damaged + (len(data) % RECORD_BYTES > 0)


def _take_few(tail: MetricTail, data: bytes, names: dict[int, str]) -> int:
    records = unpack_records(data)
    for number, step, value, time in records:
        if number in names:
            tail.take(names[number], (step, time, value))
    return len(records)


def _take_many(tail: MetricTail, columns: Columns, names: dict[int, str]) -> int:
    for key, points in split_columns(columns, names).items():
        ordered_last = _find_last(points)
        tail.take(key, ordered_last)
        tail.latest = max(tail.latest, int(points.times.max()))
    return len(columns.numbers)


def _find_last(points: Points) -> Last:
    import numpy as np

    at = np.flatnonzero(points.steps == points.steps.max())
    times = points.times[at]
    best = int(at[np.flatnonzero(times == times.max())[-1]])
    return int(points.steps[best]), int(points.times[best]), float(points.values[best])


def split_columns(columns: Columns, names: dict[int, str]) -> dict[str, Points]:
    """Part the records of a file by metric, each in the order it was written."""
    import numpy as np

    numbers = columns.numbers
    if len(numbers) == 0:
        return {}
    order = np.argsort(numbers, kind="stable")
    found, starts = np.unique(numbers[order], return_index=True)
    series: dict[str, Points] = {}
    for number, cut in zip(found.tolist(), np.split(order, starts[1:]), strict=True):
        if number in names:
            points = Points(columns.steps[cut], columns.values[cut], columns.times[cut])
            key = names[number]
            series[key] = join_points([series[key], points]) if key in series else points
    return series


def read_all_series(files: MetricFiles) -> tuple[dict[str, Points], int]:
    """Read every point of a run's files.

    Parameters
    ----------
    files
        As `list_metric_files` gave them.

    Returns
    -------
    series : dict
        Points by metric, each by step and time.
    dropped : int
        Damaged records.

    Raises
    ------
    FileNotFoundError
        A file is gone: it was compacted meanwhile, or the run was deleted.
    """
    pieces: dict[str, list[Points]] = {}
    dropped = 0
    for file in files.columns:
        dropped += file.dropped
        for key in file.keys:
            found, lost = read_column_series(file, key)
            pieces.setdefault(key, []).extend(found)
            dropped += lost
    for path in files.logs:
        data = read_tail(path)
        names, lost = read_key_names(path)
        columns = unpack_columns(data)
        for key, points in split_columns(columns, names).items():
            pieces.setdefault(key, []).append(points)
        dropped += lost + -(-len(data) // RECORD_BYTES) - len(columns.numbers)
    return {key: order_points(join_points(found)) for key, found in pieces.items()}, dropped


def read_few_points(files: MetricFiles) -> dict[str, list[Last]] | None:
    """Read every point without numpy; None where there are too many for that."""
    if files.columns or any(
        path.stat().st_size >= FEW_RECORDS * RECORD_BYTES for path in files.logs
    ):
        return None
    series: dict[str, list[Last]] = {}
    for path in files.logs:
        names, _ = read_key_names(path)
        for number, step, value, time in unpack_records(read_tail(path)):
            if number in names:
                series.setdefault(names[number], []).append((step, time, value))
    return series

"""One metric of one run as arrays: all of it, a range of steps, or as many points as pixels."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_nb.errors import InvalidValueError, NotFoundError, RunNotFoundError, TeamIndexError
from mlops_nb.store.chunks import (
    BLOCK_POINTS,
    ChunkHead,
    Points,
    count_block_bytes,
    join_points,
    order_points,
    unpack_blocks,
    unpack_chunk,
)
from mlops_nb.store.columns import ColumnFile
from mlops_nb.store.metricfile import read_key_names, read_tail, unpack_columns
from mlops_nb.store.metrics import ATTEMPTS, MetricFiles, list_metric_files, split_columns
from mlops_nb.store.seriesindex import SeriesIndex

if TYPE_CHECKING:
    import numpy as np

# A log of so many bytes (65,536 records) is worth a copy as chunks in the index.
LARGE_BYTES = 65_536 * 32
_FIRST, _LAST = -(1 << 63), (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """All points of a metric, or those of a range of steps.

    Attributes
    ----------
    steps, values, times
        Arrays of equal length: int64, float64, and int64 in ms since the epoch; by step, then time.
    """

    key: str
    steps: np.ndarray
    values: np.ndarray
    times: np.ndarray


@dataclass(frozen=True, slots=True)
class MetricPreview:
    """What a chart of a metric needs, one entry a pixel at most.

    Attributes
    ----------
    steps
        First step of each entry, int64.
    lows, highs
        Lowest and highest value, float64; NaN where every value is NaN.
    count
        Number of points of the whole series.
    """

    key: str
    steps: np.ndarray
    lows: np.ndarray
    highs: np.ndarray
    count: int


def read_series(
    folder: Path, key: str, index: SeriesIndex, first: int | None, last: int | None
) -> MetricSeries:
    """Read the points of a metric as arrays.

    Parameters
    ----------
    folder
        The run's folder.
    key
        Name of the metric.
    index
        Keeps long logs of runs that are still written, so that only their ends are read.
    first, last
        Range of steps, both included; None for no bound.

    Returns
    -------
    MetricSeries
        By step, then by time.

    Raises
    ------
    NotFoundError
        The run has no such metric.
    """
    low, high = _FIRST if first is None else first, _LAST if last is None else last
    points = order_points(join_points(_read_pieces(folder, key, index, low, high)))
    if first is not None or last is not None:
        wanted = (points.steps >= low) & (points.steps <= high)
        points = Points(points.steps[wanted], points.values[wanted], points.times[wanted])
    return MetricSeries(key, points.steps, points.values, points.times)


def _read_pieces(
    folder: Path, key: str, index: SeriesIndex, low: int, high: int, *, with_times: bool = True
) -> list[Points]:
    for _ in range(ATTEMPTS):
        files = list_metric_files(folder)
        try:
            pieces, known = _read_files(files, key, index, (low, high), with_times)
        except FileNotFoundError:
            continue
        if key not in known:
            raise NotFoundError("metric", key, known, f"Asked of run {folder.name}.")
        return pieces
    raise RunNotFoundError(folder.name)


def _read_files(
    files: MetricFiles, key: str, index: SeriesIndex, steps: tuple[int, int], with_times: bool
) -> tuple[list[Points], set[str]]:
    pieces: list[Points] = []
    known: set[str] = set()
    for file in files.columns:
        known.update(file.keys)
        chunks = [chunk for chunk in file.find_chunks(key) if _meets(chunk.head, *steps)]
        pieces += [
            unpack_chunk(data, chunk.head.count, with_times=with_times)
            for chunk, data in file.read_chunks(chunks)
        ]
    for path in files.logs:
        names, _ = read_key_names(path)
        known.update(names.values())
        if key in names.values():
            pieces += _read_log(path, key, names, index, steps, with_times)
    return pieces, known


def _meets(head: ChunkHead, low: int, high: int) -> bool:
    return head.step_max >= low and head.step_min <= high


def _read_log(
    path: Path,
    key: str,
    names: dict[int, str],
    index: SeriesIndex,
    steps: tuple[int, int],
    with_times: bool,
) -> list[Points]:
    if path.stat().st_size >= LARGE_BYTES:
        try:
            index.follow(path)
            return [
                unpack_chunk(data, count, with_times=with_times)
                for count, data in index.read_chunks(path, key, *steps)
            ]
        except (sqlite3.Error, TeamIndexError):
            pass  # a cache that cannot be used costs time, never an answer
    found = split_columns(unpack_columns(read_tail(path)), names).get(key)
    return [] if found is None else [found]


def preview_series(folder: Path, key: str, index: SeriesIndex, pixels: int) -> MetricPreview:
    """Give the lowest and highest value for each pixel of a chart.

    Parameters
    ----------
    folder, key, index
        As for `read_series`.
    pixels
        At most so many entries, each for a range of steps of equal width.

    Returns
    -------
    MetricPreview
        Exact for series of fewer than 128 points a pixel; for longer ones made of summaries of
        128 points, so that a value may be drawn one pixel too far left, but none is left out.

    Raises
    ------
    InvalidValueError
        ``pixels`` is not 1 or more.
    NotFoundError
        The run has no such metric.
    """
    if pixels < 1:
        raise InvalidValueError("pixels", pixels, "1 or more")
    found = _read_blocks(folder, key, index, pixels)
    if found is not None:
        blocks, count = found
        steps = blocks[0].copy().view("<i8")
        return _make_preview(key, steps, blocks[1], blocks[2], count, pixels)
    points = order_points(
        join_points(_read_pieces(folder, key, index, _FIRST, _LAST, with_times=True))
    )
    return _make_preview(key, points.steps, points.values, points.values, len(points), pixels)


def _read_blocks(
    folder: Path, key: str, index: SeriesIndex, pixels: int
) -> tuple[np.ndarray, int] | None:
    """Give the summaries of a long series; None where points must be read."""
    import numpy as np

    files = list_metric_files(folder)
    if len(files.columns) + len(files.logs) != 1:
        return None  # several files may hold the same steps
    try:
        if files.columns:
            found = _read_column_blocks(files.columns[0], key, pixels)
        elif files.logs[0].stat().st_size < LARGE_BYTES:
            return None
        else:
            index.follow(files.logs[0])
            found = index.read_blocks(files.logs[0], key)
    except (FileNotFoundError, sqlite3.Error, TeamIndexError):
        return None
    total = sum(count for count, _ in found or [])
    if not found or total < BLOCK_POINTS * pixels:
        return None
    blocks = [unpack_blocks(data) for _, data in found]
    whole = [block for block in blocks if block is not None]
    return (np.concatenate(whole, axis=1), total) if len(whole) == len(blocks) else None


def _read_column_blocks(file: ColumnFile, key: str, pixels: int) -> list[tuple[int, bytes]] | None:
    chunks = file.find_chunks(key)
    if sum(chunk.head.count for chunk in chunks) < BLOCK_POINTS * pixels:
        return None
    found = []
    with file.path.open("rb", buffering=0) as opened:
        for chunk in chunks:
            size = count_block_bytes(chunk.head.count)
            opened.seek(chunk.offset + chunk.size_bytes - size)
            found.append((chunk.head.count, opened.read(size)))
    return found


def _make_preview(
    key: str, steps: np.ndarray, lows: np.ndarray, highs: np.ndarray, count: int, pixels: int
) -> MetricPreview:
    import numpy as np

    if len(steps) <= pixels:
        return MetricPreview(key, steps, lows, highs, count)
    # Steps may span all of int64, whose differences do not fit into it.
    first, span = float(steps[0]), float(steps[-1]) - float(steps[0])
    place = (steps.astype(np.float64) - first) * (pixels / span) if span else np.zeros(len(steps))
    pixel = np.minimum(place.astype(np.int64), pixels - 1)
    starts = np.flatnonzero(np.concatenate([[True], pixel[1:] != pixel[:-1]]))
    low, high = np.fmin.reduceat(lows, starts), np.fmax.reduceat(highs, starts)
    return MetricPreview(key, steps[starts], low, high, count)

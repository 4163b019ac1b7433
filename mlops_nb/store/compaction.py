"""Turns the metric logs of runs that nobody can write to any more into files of chunks."""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import dataclass
from pathlib import Path

from mlops_nb.store.columns import open_columns, pack_columns, read_column_series, same_points
from mlops_nb.store.files import write_whole
from mlops_nb.store.late import (
    find_late_writer,
    list_announced,
    list_names,
    read_announced,
)
from mlops_nb.store.latejournal import is_journal_alive, list_journals
from mlops_nb.store.metricfile import RECORD_BYTES
from mlops_nb.store.metrics import MetricFiles, list_metric_files, read_all_series
from mlops_nb.store.runreader import PULLED, read_meta
from mlops_nb.store.writer import is_writer_alive

# A file takes a block of the disk however small it is: fewer records gain nothing.
WORTH_RECORDS = 512
_LATE_DAYS = 30
_SUFFIX = re.compile(r"metrics\.(\d+-[0-9a-f]+)\.bin")


@dataclass(slots=True)
class CompactionReport:
    """What compacting a store did: runs, and bytes of their metrics before and after."""

    runs: int = 0
    before_bytes: int = 0
    after_bytes: int = 0


def is_at_rest(folder: Path, files: MetricFiles) -> bool:
    """Tell whether every process that could write to a run's logs is known to be gone.

    Parameters
    ----------
    folder
        The run's folder.
    files
        Its files.

    Returns
    -------
    bool
        False also where it cannot be told, such as for a process of another machine.
    """
    meta = read_meta(folder)
    if (folder / PULLED).exists():
        return False  # its writer elsewhere may push more of the same logs
    if meta is None or is_writer_alive(meta.get("writer", {})) is not False:
        return False
    root = folder.parent.parent
    for name in list_announced(root):
        if name.startswith(folder.name) and read_announced(root, name).is_alive is not False:
            return False
    for path in [*files.logs, *files.superseded]:
        if path.name == "metrics.bin":
            continue
        match = _SUFFIX.fullmatch(path.name)
        if match is None or find_late_writer(root, folder.name, match[1]).is_alive is not False:
            return False
    return True


def compact_run(folder: Path, least_records: int = WORTH_RECORDS) -> tuple[int, int] | None:
    """Turn the metric logs of one run into a file of chunks, where that is safe.

    The logs are removed after the new file was read back from the disk and found equal.

    Parameters
    ----------
    folder
        The run's folder.
    least_records
        Runs with fewer records in logs are left alone.

    Returns
    -------
    tuple of int or None
        Bytes before and after; None where nothing was done.

    Raises
    ------
    OSError
        The disk is full or the folder cannot be written; the logs are as they were.
    """
    files = list_metric_files(folder)
    if not files.logs and not files.superseded:
        return None
    try:
        before = sum(path.stat().st_size for path in files.logs)
    except FileNotFoundError:  # another process has just compacted the same run
        return None
    is_worth = before >= least_records * RECORD_BYTES
    if not (is_worth or files.superseded) or not is_at_rest(folder, files):
        return None
    for path in files.superseded:  # left by a process that was killed before it removed them
        _remove_log(path)
    if not is_worth:
        return None
    with contextlib.suppress(FileNotFoundError):  # another process compacts the same run
        return _replace_logs(folder, files, before)
    return None


def _replace_logs(folder: Path, files: MetricFiles, before: int) -> tuple[int, int] | None:
    series, dropped = read_all_series(MetricFiles([], files.logs))
    data = pack_columns(series, [path.name for path in files.logs], dropped)
    numbers = [int(file.path.name.split(".")[1]) for file in files.columns]
    path = folder / f"metrics.{max(numbers, default=0) + 1}.col"
    if not write_whole(path, data):
        return None
    stored = open_columns(path)
    is_equal = stored.keys == list(series) and stored.dropped == dropped
    for key, points in series.items():
        pieces, lost = read_column_series(stored, key)
        is_equal = is_equal and not lost and same_points(points, pieces)
    if not is_equal:
        path.unlink()
        return None
    if sum(log.stat().st_size for log in files.logs) != before:
        path.unlink()  # somebody wrote all the same: the log is the truth
        return None
    for log in files.logs:
        _remove_log(log)
    return before, len(data)


def _remove_log(path: Path) -> None:
    names = path.with_name(path.name.replace("metrics", "keys", 1)[: -len(".bin")] + ".log")
    for gone in (path, names):
        with contextlib.suppress(FileNotFoundError):
            gone.unlink()


def compact_store(root: Path, least_records: int = WORTH_RECORDS) -> CompactionReport:
    """Compact every run of a store that is at rest; see `compact_run`."""
    report = CompactionReport()
    runs = root / "runs"
    for folder in sorted(runs.iterdir()) if runs.is_dir() else []:
        found = compact_run(folder, least_records)
        if found is not None:
            report.runs += 1
            report.before_bytes += found[0]
            report.after_bytes += found[1]
    _sweep_announcements(root)
    return report


def _sweep_announcements(root: Path) -> None:
    """Remove announcements that every index has long seen, of writers that are gone."""
    for name in list_announced(root):
        path = root / "late" / name
        with contextlib.suppress(OSError):
            is_old = time.time() - path.stat().st_mtime > _LATE_DAYS * 86400
            announced = read_announced(root, name)
            files = list_metric_files(root / "runs" / announced.run_id)
            logs = [log.name for log in [*files.logs, *files.superseded]]
            is_used = any(announced.suffix in log for log in logs)
            if is_old and not is_used and announced.is_alive is False:
                path.unlink()
    for name in list_journals(list_names(root)):
        path = root / "late" / name
        with contextlib.suppress(OSError):
            is_old = time.time() - path.stat().st_mtime > _LATE_DAYS * 86400
            if is_old and is_journal_alive(path) is False:
                path.unlink()

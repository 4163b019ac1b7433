"""Brings the index up to date without looking at runs that can no longer change."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mlops_nb.records import RunRecord
from mlops_nb.store.compaction import compact_run
from mlops_nb.store.dialect import Link, select_in
from mlops_nb.store.ids import RUN_ID
from mlops_nb.store.late import JOURNALS
from mlops_nb.store.latereader import take_late
from mlops_nb.store.looked import read_looked, stamp_folder, write_looked
from mlops_nb.store.metricfile import FEW_RECORDS, RECORD_BYTES
from mlops_nb.store.metrics import MetricTail, read_tails
from mlops_nb.store.pending import recover_runs
from mlops_nb.store.rows import Entry, forget_runs, write_runs
from mlops_nb.store.runreader import read_meta, read_run
from mlops_nb.store.seriesindex import SeriesIndex
from mlops_nb.store.writer import is_writer_alive

# A run of another machine, whose process cannot be looked for, counts as at rest after this.
_QUIET_NS = 3_600_000_000_000
# A run of a living process that tells of late values counts as at rest so long after its end.
_GRACE_S = 2.0
# Every run is looked at this often, whatever is known of it.
_THOROUGH_NS = 24 * 3_600_000_000_000
_BATCH = 1000
LONG_RECORDS = 65_536
_COMPACTION_S = 0.3
ATTEMPTS = 5


@dataclass(slots=True)
class _Known:
    """What the index holds of a run that may have changed."""

    run_id: str
    status: str = ""
    writer: str = ""
    evidence: str = ""
    is_settled: bool = False
    tail: str | None = None
    ended_at: float | None = None


@dataclass(slots=True)
class _Look:
    """One look at the runs: what is known of processes, and what was found to have changed."""

    runs: Path
    open_late: dict[str, bool | None]
    alive: dict[str, bool | None] = field(default_factory=dict)
    settled: list[str] = field(default_factory=list)

    def is_alive(self, writer: str) -> bool | None:
        """Tell whether a writer lives; each is looked for once."""
        if writer not in self.alive:
            self.alive[writer] = is_writer_alive(json.loads(writer))
        return self.alive[writer]

    def is_settled(self, known: _Known, folder: Path) -> bool:
        """Tell whether nothing is written to a run any more without being told."""
        state = self.is_alive(known.writer)
        if state and _tells(known.writer) and not _is_long(known.evidence):
            ended_at = None if known.status == "running" else known.ended_at
            # Another thread may have been within its last line when the end was written.
            state = ended_at is None or not 0 <= ended_at < time.time() - _GRACE_S
        states = {state, self.open_late.get(known.run_id, False)}
        if True in states:
            return False
        if None not in states:
            return True
        return known.status != "running" and time.time_ns() - _newest(folder) > _QUIET_NS


def _tells(writer: str) -> bool:
    return json.loads(writer).get(JOURNALS) is True


def refresh(link: Link, runs: Path) -> None:
    """Read what was written since the last look.

    Parameters
    ----------
    link
        To the index.
    runs
        Folder of the run folders.
    """
    for _ in range(ATTEMPTS):
        _take_names(link, runs)
        look = _Look(runs, take_late(link, runs.parent))
        is_complete = True
        known = list(_list_unsettled(link, look))
        for start in range(0, len(known), _BATCH):
            is_complete &= _take_batch(link, look, known[start : start + _BATCH])
        if is_complete:
            _compact_some(link, look)
            return


def _compact_some(link: Link, look: _Look) -> None:
    """Turn long logs of runs that have just come to rest into chunks, for a moment's time."""
    deadline = time.monotonic() + _COMPACTION_S
    for run_id in look.settled:
        if time.monotonic() > deadline:
            return  # the others wait for whoever compacts the whole store
        # A store that cannot be written is read all the same.
        with contextlib.suppress(OSError):
            if compact_run(look.runs / run_id, LONG_RECORDS) is not None:
                with link.transaction():
                    SeriesIndex.forget(link, run_id)


def _take_names(link: Link, runs: Path) -> None:
    """Note runs that are new and forget those that are gone; list only a folder that changed."""
    recover_runs(runs.parent)
    looked = read_looked(link)
    changed, trusted = stamp_folder(runs)
    now = time.time_ns()
    is_thorough = not 0 <= now - looked.get("all", 0) <= _THOROUGH_NS
    if looked.get("runs") == changed and not is_thorough:
        return
    names = set(os.listdir(runs)) if changed >= 0 else set()  # noqa: PTH208 - 100,000 paths cost
    sql = "SELECT run_id FROM run UNION ALL SELECT run_id FROM started"
    known = {run_id for (run_id,) in link.execute(sql)}
    # On a shared disk a list may be older than the runs that another machine has seen.
    gone = {run_id for run_id in known - names if not (runs / run_id).is_dir()}
    new = [name for name in names - known if RUN_ID.fullmatch(name)]
    if not gone and not new and not is_thorough and looked.get("runs") == trusted:
        return
    with link.transaction():
        forget_runs(link, list(gone))
        kept = select_in(link, "SELECT run_id FROM series_file WHERE run_id IN", list(gone))
        for (run_id,) in kept:
            SeriesIndex.forget(link, run_id)
        link.upsert("started", ("run_id", "is_new"), 1, [(run_id, 1) for run_id in new])
        write_looked(link, "runs", trusted)
        if is_thorough:
            link.execute("UPDATE run SET is_settled = 0")
            write_looked(link, "all", now)


def _list_unsettled(link: Link, look: _Look) -> Iterator[_Known]:
    sql = (
        "SELECT run_id, status, writer, evidence, is_settled, tail, ended_at"
        " FROM run JOIN run_document ON run = id WHERE"
    )
    unsettled = link.execute(f"{sql} is_settled = 0").fetchall()
    listed = {row[0] for row in unsettled}
    # Another process, which looked before, may just have said of one that it is at rest.
    late = select_in(
        link, f"{sql} run_id IN", [name for name in look.open_late if name not in listed]
    )
    for row in [*unsettled, *late]:
        yield _Known(*row)
    for (run_id,) in link.execute("SELECT run_id FROM started").fetchall():
        yield _Known(run_id)


def _take_batch(link: Link, look: _Look, batch: list[_Known]) -> bool:
    """Read the runs of a batch that changed; False where another process wrote one meanwhile."""
    changed = [found for known in batch if (found := _look_at(look, known)) is not None]
    if not changed:
        return True
    is_complete = True
    with link.transaction():
        sql = "SELECT run_id, evidence, is_settled FROM run WHERE run_id IN"
        ids = [known.run_id for known, *_ in changed]
        there = {row[0]: (row[1], bool(row[2])) for row in select_in(link, sql, ids)}
        read: dict[str, Entry] = {}
        rested = []
        for known, record, state, tail in changed:
            before = (known.evidence, known.is_settled)
            # Who read first may come to write last: what it read may then be the older.
            if there.get(known.run_id, before) != before:
                is_complete = False
                continue
            if state[1] and _is_long(state[2]):
                look.settled.append(known.run_id)
            if record is not None:
                read[known.run_id] = Entry(record, state, tail)
            else:
                rested.append((int(state[1]), state[2], known.run_id))
        write_runs(link, read.values())
        sql = "DELETE FROM started WHERE run_id = ?"
        link.execute_many(sql, [(run_id,) for run_id in read])
        sql = "UPDATE run SET is_settled = ?, evidence = ? WHERE run_id = ?"
        link.execute_many(sql, rested)
    return is_complete


def _look_at(
    look: _Look, known: _Known
) -> tuple[_Known, RunRecord | None, tuple[str, bool, str], str | None] | None:
    """Read a run if it changed; a record of None says that only its state did."""
    folder = look.runs / known.run_id
    if known.writer:
        # Whether its writers live is asked before its files are: what is read then is the last.
        look.is_alive(known.writer)
        evidence = _find_evidence(folder, known.evidence)
        is_same = _sizes(evidence) == _sizes(known.evidence)
        is_settled = is_same and look.is_settled(known, folder)
        if is_same and not (known.status == "running" and is_settled):
            if not is_settled:
                return None
            return known, None, (known.writer, True, evidence), None
    meta = read_meta(folder)
    if meta is None:
        return None  # being made, or never got further
    writer = json.dumps(meta.get("writer", {}))
    look.is_alive(writer)
    evidence = _find_evidence(folder, known.evidence)
    before = MetricTail.from_json(json.loads(known.tail)) if known.tail else None
    tail = read_tails(folder, before)
    record = read_run(folder, meta, tail)
    now = _Known(known.run_id, record.status, writer, evidence, ended_at=record.ended_at)
    is_settled = record.status != "running" and look.is_settled(now, folder)
    is_long = any(start >= FEW_RECORDS * RECORD_BYTES for start, _ in tail.offsets.values())
    kept = json.dumps(tail.to_json()) if is_long and not is_settled else None
    return known, record, (writer, is_settled, evidence), kept


def _find_evidence(folder: Path, known: str) -> str:
    """Give the time of change of a run's folder and the sizes of its logs, as text."""
    changed, trusted = stamp_folder(folder)
    if changed >= 0 and known.startswith(f"{changed}|"):
        names = [part.rpartition(":")[0] for part in _sizes(known).split("|") if part]
    else:
        try:
            names = [
                name
                for name in sorted(os.listdir(folder))  # noqa: PTH208 - as above
                if name.startswith(("events", "metrics")) and not name.endswith(".part")
            ]
        except OSError:
            names = []
    return "|".join([str(trusted), *(f"{name}:{_size(folder, name)}" for name in names)])


def _sizes(evidence: str) -> str:
    return evidence.partition("|")[2]


def _is_long(evidence: str) -> bool:
    """Tell whether a run has a log that is worth compacting while somebody waits."""
    logs = [part for part in _sizes(evidence).split("|") if ".bin:" in part]
    return sum(int(part.rpartition(":")[2]) for part in logs) >= LONG_RECORDS * RECORD_BYTES


def _size(folder: Path, name: str) -> int:
    try:
        return os.stat(f"{folder}/{name}").st_size  # noqa: PTH116 - as above
    except OSError:
        return -1


def _newest(folder: Path) -> int:
    """Give the latest time of change of a run's files in ns."""
    try:
        with os.scandir(folder) as entries:
            return max((entry.stat().st_mtime_ns for entry in entries), default=0)
    except OSError:
        return 0

"""Reads a run's folder back, also while it is written and after its writer was killed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_nb.records import (
    RUN_STATUSES,
    ArtifactRecord,
    DatasetRecord,
    ProgressRecord,
    RunRecord,
    RunStatus,
)
from mlops_nb.store.frames import unpack_frames
from mlops_nb.store.metrics import MetricTail, read_tails
from mlops_nb.store.runmeta import is_moment
from mlops_nb.store.runmeta import read_meta as read_meta
from mlops_nb.store.writer import is_writer_alive

# In the folder of a run that came from elsewhere: its first files have no writer here.
PULLED = ".pulled"


@dataclass(slots=True)
class RunEvents:
    """What the events of a run add up to."""

    params: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str | None] = field(default_factory=dict)  # None: taken away
    artifacts: dict[str, ArtifactRecord] = field(default_factory=dict)
    datasets: list[DatasetRecord] = field(default_factory=list)
    cells: dict[str | None, int] = field(default_factory=dict)
    name: str | None = None
    environment: str | None = None
    code: str | None = None
    status: RunStatus | None = None
    ended_at: float | None = None
    progress: ProgressRecord | None = None
    last_at: float = 0.0
    dropped: int = 0

    def add(self, event: dict[str, Any]) -> None:
        """Take one event into account; kinds of later versions are passed over."""
        at = event.get("at", 0.0)
        if not is_moment(at):  # what was pulled may say anything
            self.dropped += 1
            return
        self.last_at = max(self.last_at, at)
        take = getattr(self, f"_add_{event.get('type')}", None)
        if take is None:
            return
        try:
            take(event)
        except (KeyError, TypeError, ValueError, AttributeError):
            self.dropped += 1

    def _add_params(self, event: dict[str, Any]) -> None:
        self.params.update({_need(key, str): value for key, value in event["params"].items()})

    def _add_tags(self, event: dict[str, Any]) -> None:
        for key, value in event["tags"].items():
            self.tags[_need(key, str)] = None if value is None else str(value)

    def _add_name(self, event: dict[str, Any]) -> None:
        self.name = _need(event["name"], str)

    def _add_artifact(self, event: dict[str, Any]) -> None:
        record = ArtifactRecord(
            _need(event["path"], str),
            _need(event["digest"], str),
            _need(event["size_bytes"], int),
            _need(event["media_type"], str),
        )
        self.artifacts[record.path] = record

    def _add_dataset(self, event: dict[str, Any]) -> None:
        record = read_dataset(event["dataset"])
        # The bytes of a frame may be stored after it was named: the later record wins.
        same = [
            known
            for known in self.datasets
            if (known.fingerprint, known.role, known.name)
            == (record.fingerprint, record.role, record.name)
        ]
        if same:
            self.datasets[self.datasets.index(same[0])] = record
        else:
            self.datasets.append(record)

    def _add_cell(self, event: dict[str, Any]) -> None:
        session_id = event.get("session_id")
        session_id = None if session_id is None else _need(session_id, str)
        self.cells[session_id] = max(int(event["index"]), self.cells.get(session_id, 0))

    def _add_environment(self, event: dict[str, Any]) -> None:
        self.environment = _need(event["digest"], str)

    def _add_code(self, event: dict[str, Any]) -> None:
        self.code = _need(event["digest"], str)

    def _add_progress(self, event: dict[str, Any]) -> None:
        self.progress = read_progress(event)

    def _add_end(self, event: dict[str, Any]) -> None:
        if event["status"] not in RUN_STATUSES or not is_moment(event["ended_at"]):
            raise ValueError(event["status"])
        self.status, self.ended_at = event["status"], event["ended_at"]


def read_progress(document: dict[str, Any]) -> ProgressRecord:
    """Give how far a run has got from its JSON form; what is not of that form raises."""
    total, rate = document.get("total"), document.get("rate")
    return ProgressRecord(
        float(document["n"]),
        None if total is None else float(total),
        None if rate is None else float(rate),
        _need(document.get("description", ""), str),
    )


def _need(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(value)
    return value


def read_dataset(document: dict[str, Any]) -> DatasetRecord:
    """Give a dataset record from its JSON form."""
    values = dict(document)
    values["shape"] = tuple(values.get("shape", ()))
    values["columns"] = tuple((str(name), str(kind)) for name, kind in values.get("columns", ()))
    return DatasetRecord(**values)


def read_events(folder: Path) -> RunEvents:
    """Read all events of a run, those of forked children too, in the order of their times."""
    found: list[dict[str, Any]] = []
    events = RunEvents()
    paths = sorted(folder.glob("events*.log"))
    for path in paths:
        some, _, dropped = unpack_frames(path.read_bytes())
        found += some
        events.dropped += dropped
    if len(paths) > 1:  # a clock set back must not reorder what one writer wrote
        found.sort(key=lambda event: event["at"] if is_moment(event.get("at")) else 0.0)
    for event in found:
        events.add(event)
    return events


def read_run(folder: Path, meta: dict[str, Any], tail: MetricTail | None = None) -> RunRecord:
    """Give a run as it stands on disk.

    Parameters
    ----------
    folder
        The run's folder.
    meta
        What `read_meta` gave for it.
    tail
        What its metrics add up to, where that was read before.

    Returns
    -------
    RunRecord
        With the cells' indexes resolved by the caller; a run without an end whose writer is gone is
        ``interrupted`` and ends at its last evidence.
    """
    events = read_events(folder)
    tail = tail or read_tails(folder)
    status, ended_at = settle_status(meta, events, tail.latest / 1000)
    return RunRecord(
        run_id=meta["run_id"],
        name=events.name or str(meta.get("name", "")),
        experiment=str(meta.get("experiment", "default")),
        status=status,
        started_at=float(meta.get("started_at", 0.0)),
        ended_at=ended_at,
        params=events.params,
        metrics={key: value for key, (_, _, value) in tail.last.items()},
        tags={
            key: value
            for key, value in {**meta.get("tags", {}), **events.tags}.items()
            if value is not None
        },
        artifacts=tuple(events.artifacts.values()),
        datasets=tuple(events.datasets),
        environment=events.environment,
        code=events.code,
        parent_run_id=meta.get("parent_run_id"),
        session_id=meta.get("session_id"),
        notebook=meta.get("notebook"),
        user=str(meta.get("user", "")),
        host=str(meta.get("writer", {}).get("host", "")),
        dropped_records=events.dropped + tail.dropped + bool(meta.get("is_damaged")),
        progress=None if status == "finished" else events.progress,
    )


def settle_status(
    meta: dict[str, Any], events: RunEvents, last_point_at: float
) -> tuple[RunStatus, float | None]:
    """Tell how a run stands from the evidence on disk.

    Parameters
    ----------
    meta
        The run's ``run.json``.
    events
        Its events.
    last_point_at
        Time of its last metric point in seconds, 0 where there is none.

    Returns
    -------
    status : str
        The recorded end; else ``running`` while the writer lives (or cannot be judged from this
        machine), else ``interrupted``.
    ended_at : float or None
        The recorded end, or the time of the last record of an interrupted run.
    """
    started_at = float(meta.get("started_at", 0.0))
    if events.status is not None and events.ended_at is not None:
        # A clock that was set back meanwhile must not end a run before it began.
        return events.status, max(events.ended_at, started_at)
    if "is_damaged" not in meta and is_writer_alive(meta.get("writer", {})) is not False:
        return "running", None
    return "interrupted", max(events.last_at, last_point_at, started_at)

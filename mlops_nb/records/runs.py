"""Runs and what they hold, as frozen records."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

RunStatus = Literal["running", "finished", "failed", "interrupted"]

RUN_STATUSES: tuple[RunStatus, ...] = ("running", "finished", "failed", "interrupted")


def format_time(seconds: float | None) -> str | None:
    """Give a point in time as ISO 8601 in UTC.

    Parameters
    ----------
    seconds
        Seconds since the epoch, or None where the event has not happened.

    Returns
    -------
    str or None
        For example ``2026-11-21T09:30:00.000+00:00``.
    """
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One logged value of a metric.

    Attributes
    ----------
    key
        Name of the metric.
    value
        The value; NaN and infinities are kept as they are.
    step
        Training step the value belongs to.
    timestamp
        Milliseconds since the epoch, as in MLflow.
    """

    key: str
    value: float
    step: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class ArtifactRecord:
    """A file that a run keeps, by the digest of its bytes."""

    path: str
    digest: str
    size_bytes: int
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """Data that a run used, identified by all of its content.

    Attributes
    ----------
    fingerprint
        Hex digest over every value, independent of how the data lie in memory; of a file over its
        bytes. Empty where the content is not known: addresses, queries, files that changed after
        they were read.
    kind
        ``frame``, ``series``, ``array``, ``sparse``, ``object``; ``file``, ``files`` (many of one
        folder), ``url`` or ``sql``.
    name
        The variable or file the data came from, where known.
    role
        How the run used it: ``X``, ``y``, ``sample_weight``, ``input`` ...; files, addresses and
        queries are ``read`` or ``written``.
    shape
        Rows and columns (any number of axes for arrays).
    columns
        Pairs of column name and type, for frames.
    digest
        Object that holds the bytes, or None when only the fingerprint is kept.
    call
        What opened it, for example ``pandas.read_csv``.
    cell
        The cell of the run's session that opened it.
    """

    fingerprint: str
    kind: str
    name: str = ""
    role: str = ""
    shape: tuple[int, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    size_bytes: int = 0
    digest: str | None = None
    call: str = ""
    cell: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the fields by name; what ``dataclasses.asdict`` gives, without its deep copies."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class CellRecord:
    """One execution of one notebook cell.

    Attributes
    ----------
    index
        Position in execution order within the session, from 0.
    cell_id
        The notebook's cell id where the front end sends it, else None.
    datasets
        Files, addresses and queries that it has read and written.
    """

    index: int
    source: str
    started_at: float
    duration_s: float | None = None
    status: Literal["running", "ok", "error", "interrupted"] = "running"
    error: str | None = None
    cell_id: str | None = None
    tags: tuple[str, ...] = ()
    execution_count: int | None = None
    datasets: tuple[DatasetRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class ProgressRecord:
    """How far a run had got when it was last looked at.

    Attributes
    ----------
    n
        What is done.
    total
        What is to be done, None where that is not known.
    rate
        Done per second, None where that cannot be told yet.
    description
        As the bar or the loop's variable says.
    """

    n: float
    total: float | None = None
    rate: float | None = None
    description: str = ""

    @property
    def share(self) -> float | None:
        """What is done of all, from 0 to 1; None where the total is not known."""
        return None if not self.total else min(1.0, max(0.0, self.n / self.total))


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as read back from the store.

    Attributes
    ----------
    params
        Typed values as they were logged (JSON types).
    metrics
        Last value of each metric.
    session_id
        The kernel session that recorded it; its cells are kept with the session.
    progress
        How far it has got; None of runs that have finished.
    """

    run_id: str
    name: str
    experiment: str
    status: RunStatus
    started_at: float
    ended_at: float | None = None
    params: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    artifacts: tuple[ArtifactRecord, ...] = ()
    datasets: tuple[DatasetRecord, ...] = ()
    cells: tuple[CellRecord, ...] = ()
    environment: str | None = None
    code: str | None = None
    parent_run_id: str | None = None
    session_id: str | None = None
    notebook: str | None = None
    user: str = ""
    host: str = ""
    dropped_records: int = 0
    progress: ProgressRecord | None = None

    @property
    def duration_s(self) -> float | None:
        """Seconds from start to end, None while the run has no end."""
        return None if self.ended_at is None else self.ended_at - self.started_at

    @property
    def verification(self) -> str | None:
        """Whether a pipeline was found to give what its notebook gives; None of other runs."""
        return self.tags.get("mlops.verification")

    @property
    def told_status(self) -> str:
        """The status for people: how far a run is, and whether a pipeline was verified."""
        share = None if self.progress is None else self.progress.share
        words = [self.status, "" if share is None else f"{share:.0%}", self.verification]
        return ", ".join(word for word in words if word)

    def to_json(self) -> dict[str, Any]:
        """Give the run as JSON types; times are ISO 8601 strings in UTC.

        Returns
        -------
        dict
            Every field of the record plus ``duration_s``.
        """
        document = asdict(self)
        document["started_at"] = format_time(self.started_at)
        document["ended_at"] = format_time(self.ended_at)
        document["duration_s"] = self.duration_s
        for cell, record in zip(document["cells"], self.cells, strict=True):
            cell["started_at"] = format_time(record.started_at)
        return document


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two or more runs side by side, differences first.

    Attributes
    ----------
    rows
        One ``(group, key, values, differs)`` per line: group is ``param``, ``metric``, ``dataset``,
        ``environment``, ``code`` or ``tag``; values are in the order of ``runs``.
    metric
        By which the first run was found to be the best, where it was not named.
    """

    runs: tuple[RunRecord, ...]
    rows: tuple[tuple[str, str, tuple[Any, ...], bool], ...]
    metric: str | None = None

    @property
    def titles(self) -> tuple[str, ...]:
        """Name and end of the id of each run, and why the first is there where it was not named."""
        names = [f"{run.name} {run.run_id[-8:]}" for run in self.runs]
        if self.metric is not None:
            names[0] += f", best by {self.metric}" if self.metric else ", the newest other"
        return tuple(names)

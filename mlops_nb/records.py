"""The nouns of the house as frozen records: what is read back, never how it is kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

RunStatus = Literal["running", "finished", "failed", "interrupted"]
StepStatus = Literal["pending", "running", "succeeded", "failed", "skipped"]
StepCause = Literal["error", "timeout", "died", "interrupted"]
VerificationStatus = Literal["verified", "partly verified", "not verified"]

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
        Hex digest over every value, independent of how the data lie in memory.
    kind
        ``frame``, ``series``, ``array``, ``sparse``, ``file`` or ``object``.
    name
        The variable or file the data came from, where known.
    role
        How the run used it: ``X``, ``y``, ``sample_weight``, ``input`` ...
    shape
        Rows and columns (any number of axes for arrays).
    columns
        Pairs of column name and type, for frames.
    digest
        Object that holds the bytes, or None when only the fingerprint is kept.
    """

    fingerprint: str
    kind: str
    name: str = ""
    role: str = ""
    shape: tuple[int, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    size_bytes: int = 0
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class CellRecord:
    """One execution of one notebook cell.

    Attributes
    ----------
    index
        Position in execution order within the session, from 0.
    cell_id
        The notebook's cell id where the front end sends it, else None.
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

    @property
    def duration_s(self) -> float | None:
        """Seconds from start to end, None while the run has no end."""
        return None if self.ended_at is None else self.ended_at - self.started_at

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
class FieldSignature:
    """One input or output of a model: name, type and, for inputs, the range seen in training."""

    name: str
    dtype: str
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] | None = None
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """What a model takes and gives.

    Attributes
    ----------
    inputs
        Columns in training order.
    outputs
        What ``predict`` gives.
    named
        Whether the input names are the data's own; else they are positions (``x0``, ``x1`` ...).
    """

    inputs: tuple[FieldSignature, ...]
    outputs: tuple[FieldSignature, ...]
    named: bool = True


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One immutable version of a registered model, with its lineage.

    Attributes
    ----------
    flavor
        How the model is saved: ``skops``, ``torch``, ...
    digest
        Object that holds the model's bytes; verified before every load.
    run_id, datasets, environment, code
        Lineage: the run that trained it, fingerprints of its data, environment and code documents.
    """

    name: str
    version: int
    flavor: str
    digest: str
    size_bytes: int
    registered_at: float
    model_class: str = ""
    signature: Signature | None = None
    run_id: str | None = None
    datasets: tuple[str, ...] = ()
    environment: str | None = None
    code: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    user: str = ""
    aliases: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the version as JSON types; times are ISO 8601 strings in UTC.

        Returns
        -------
        dict
            Every field of the record.
        """
        document = asdict(self)
        document["registered_at"] = format_time(self.registered_at)
        return document


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of one step of a pipeline run.

    Attributes
    ----------
    error
        What went wrong, for people; its wording may change.
    cause
        Why it failed, for programs: a cell raised (``error``), it took too long (``timeout``), its
        kernel died (``died``), or somebody interrupted it (``interrupted``). None where it did not.
    fused_with
        The step in whose kernel it ran, where something could not leave that kernel.
    reason
        What could not leave, and why.
    """

    name: str
    status: StepStatus
    notebook: str | None = None
    cached: bool = False
    duration_s: float = 0.0
    error: str | None = None
    fused_with: str | None = None
    reason: str | None = None
    cause: StepCause | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a pipeline gave what its notebook gives, run from top to bottom in one kernel.

    Attributes
    ----------
    status
        ``verified``: every value, output and file that was compared is the same, and nothing was
        left open. ``partly verified``: the same, but for what `uncompared` and `unstable` name.
        ``not verified``: they differ, where `step` names a step; else `reason` says why nothing
        was compared.
    step
        The first step after which something differs.
    path
        What differs there: ``model.coef_[0, 3]``, a cell's output or a file.
    kind
        How, as `mlops_nb.pipeline.comparing` calls it.
    reference, pipeline
        Both sides, in short.
    uncompared
        What could not be compared, and why.
    unstable
        What the notebook itself gives different each time.
    reason
        Why nothing was compared, or which run was compared before.
    """

    status: VerificationStatus
    step: str | None = None
    path: str = ""
    kind: str = ""
    reference: str = ""
    pipeline: str = ""
    uncompared: tuple[str, ...] = ()
    unstable: tuple[str, ...] = ()
    reason: str = ""
    duration_s: float = 0.0

    @property
    def is_different(self) -> bool:
        """Whether the pipeline was found to give something else than the notebook."""
        return self.status == "not verified" and self.step is not None

    def __str__(self) -> str:
        """Give the result as one line."""
        if self.is_different:
            place = f"after step {self.step!r}, {self.path} ({self.kind})"
            sides = f"{self.reference} in the notebook, {self.pipeline} in the pipeline"
            return f"not verified: {place}: {sides}"
        notes = [self.reason] if self.reason else []
        if self.unstable:
            listed = ", ".join(self.unstable)
            notes.append(f"the notebook itself gives different values each time: {listed}")
        if self.uncompared:
            notes.append(f"not compared: {'; '.join(self.uncompared)}")
        return ": ".join([self.status, *(["; ".join(notes)] if notes else [])])


@dataclass(frozen=True, slots=True)
class PipelineResult:
    """What became of a pipeline run.

    Attributes
    ----------
    verification
        Whether it gave what the notebook gives; None where the run did not finish.
    """

    run_id: str
    status: RunStatus
    steps: tuple[StepResult, ...]
    metrics: dict[str, float] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    verification: Verification | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the result as JSON types.

        Returns
        -------
        dict
            ``run_id``, ``status``, ``steps``, ``metrics`` and ``params``.
        """
        return asdict(self)


@dataclass(frozen=True, slots=True)
class GateResult:
    """Whether a run's metric is what it must be.

    Attributes
    ----------
    expression
        The condition: ``acc>=0.9``.
    value
        The metric, None where it was not logged.
    reason
        Why it did not pass.
    """

    expression: str
    value: float | None
    passed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TransferReport:
    """What a push or a pull did.

    Attributes
    ----------
    url
        The remote, without credentials.
    objects, sessions, runs, models, audits
        How many files of each kind were new or had grown.
    size_bytes
        How many bytes travelled.
    conflicts
        Files that are not the same here and there; each side keeps its own.
    damaged
        Names on the remote whose bytes are not what the name tells; they were not taken.
    """

    url: str
    objects: int = 0
    sessions: int = 0
    runs: int = 0
    models: int = 0
    audits: int = 0
    size_bytes: int = 0
    conflicts: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Tell whether everything that should travel did."""
        return not self.conflicts and not self.damaged


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One change of the store's state.

    Attributes
    ----------
    sequence
        Position in the log, from 0.
    event
        What happened: ``model.registered``, ``alias.set`` ...
    document
        What it happened to.
    at, user, host
        When, who and from where.
    previous
        Digest of the line before; zeros for the first.
    """

    sequence: int
    at: float
    user: str
    host: str
    event: str
    document: dict[str, Any]
    previous: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What checking the audit log found.

    Attributes
    ----------
    records
        How many records the chains of the store hold together.
    head
        Digest of the last record of this store's own chain; empty where there is none.
    findings
        What is wrong, one sentence each; empty when every chain is whole.
    """

    records: int
    head: str
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two or more runs side by side, differences first.

    Attributes
    ----------
    rows
        One ``(group, key, values, differs)`` per line: group is ``param``, ``metric``, ``dataset``,
        ``environment``, ``code`` or ``tag``; values are in the order of ``runs``.
    """

    runs: tuple[RunRecord, ...]
    rows: tuple[tuple[str, str, tuple[Any, ...], bool], ...]

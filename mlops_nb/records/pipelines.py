"""What became of pipelines, as frozen records."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from mlops_nb.records.runs import RunStatus

StepStatus = Literal["pending", "running", "succeeded", "failed", "skipped"]
StepCause = Literal["error", "timeout", "died", "interrupted"]
VerificationStatus = Literal["verified", "partly verified", "not verified"]


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

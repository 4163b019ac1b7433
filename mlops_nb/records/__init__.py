"""The nouns of the house as frozen records: what is read back, never how it is kept.

Each group is loaded with the first of its names: making a record's class takes half a millisecond,
and a kernel that begins has no use for most of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops_nb.records.datasets import (
        ColumnProfile,
        DatasetProfile,
        DatasetSummary,
        DatasetVersion,
        EnvironmentDifference,
        EnvironmentUse,
    )
    from mlops_nb.records.measures import SYSTEM, is_cost, is_lower_better, is_system
    from mlops_nb.records.models import (
        FieldSignature,
        ModelSummary,
        ModelVersion,
        Signature,
    )
    from mlops_nb.records.pipelines import (
        GateResult,
        PipelineResult,
        StepCause,
        StepResult,
        StepStatus,
        Verification,
        VerificationStatus,
    )
    from mlops_nb.records.reproductions import (
        Reproduction,
        ReproductionStatus,
        RunDifference,
    )
    from mlops_nb.records.runs import (
        RUN_STATUSES,
        ArtifactRecord,
        CellRecord,
        Comparison,
        DatasetRecord,
        MetricPoint,
        ProgressRecord,
        RunRecord,
        RunStatus,
        format_time,
    )
    from mlops_nb.records.sessions import ExecutionRecord, SessionRecord
    from mlops_nb.records.stores import (
        AuditRecord,
        AuditReport,
        TransferReport,
    )

__all__ = [
    "RUN_STATUSES",
    "SYSTEM",
    "ArtifactRecord",
    "AuditRecord",
    "AuditReport",
    "CellRecord",
    "ColumnProfile",
    "Comparison",
    "DatasetProfile",
    "DatasetRecord",
    "DatasetSummary",
    "DatasetVersion",
    "EnvironmentDifference",
    "EnvironmentUse",
    "ExecutionRecord",
    "FieldSignature",
    "GateResult",
    "MetricPoint",
    "ModelSummary",
    "ModelVersion",
    "PipelineResult",
    "ProgressRecord",
    "Reproduction",
    "ReproductionStatus",
    "RunDifference",
    "RunRecord",
    "RunStatus",
    "SessionRecord",
    "Signature",
    "StepCause",
    "StepResult",
    "StepStatus",
    "TransferReport",
    "Verification",
    "VerificationStatus",
    "format_time",
    "is_cost",
    "is_lower_better",
    "is_system",
]

_GROUPS = {
    "datasets": (
        "ColumnProfile",
        "DatasetProfile",
        "DatasetSummary",
        "DatasetVersion",
        "EnvironmentDifference",
        "EnvironmentUse",
    ),
    "measures": (
        "SYSTEM",
        "is_cost",
        "is_lower_better",
        "is_system",
    ),
    "models": (
        "FieldSignature",
        "ModelSummary",
        "ModelVersion",
        "Signature",
    ),
    "pipelines": (
        "GateResult",
        "PipelineResult",
        "StepCause",
        "StepResult",
        "StepStatus",
        "Verification",
        "VerificationStatus",
    ),
    "reproductions": (
        "Reproduction",
        "ReproductionStatus",
        "RunDifference",
    ),
    "runs": (
        "RUN_STATUSES",
        "ArtifactRecord",
        "CellRecord",
        "Comparison",
        "DatasetRecord",
        "MetricPoint",
        "ProgressRecord",
        "RunRecord",
        "RunStatus",
        "format_time",
    ),
    "sessions": (
        "ExecutionRecord",
        "SessionRecord",
    ),
    "stores": (
        "AuditRecord",
        "AuditReport",
        "TransferReport",
    ),
}
_GROUP_OF = {name: group for group, names in _GROUPS.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load the group of a name when it is first asked for."""
    group = _GROUP_OF.get(name)
    if group is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{group}"), name)
    return value


def __dir__() -> list[str]:
    """Name the records for tab completion."""
    return sorted([*globals(), *__all__])

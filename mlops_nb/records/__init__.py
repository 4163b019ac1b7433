"""The nouns of the house as frozen records: what is read back, never how it is kept."""

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

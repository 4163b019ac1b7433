"""What a run depended on beside its data: packages, machine, threads, code; and how two differ."""

from mlops_nb.environment.difference import diff_environments
from mlops_nb.environment.snapshot import (
    capture_environment,
    snapshot_code,
    snapshot_environment,
)

__all__ = ["capture_environment", "diff_environments", "snapshot_code", "snapshot_environment"]

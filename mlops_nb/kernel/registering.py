"""The form of a run's page: what the panel executes in the kernel that has trained the model."""

from __future__ import annotations

from mlops_nb import api


def register_run(
    run_id: str, name: str, alias: str | None = None, reason: str | None = None
) -> None:
    """Register the model that a run has trained in this kernel.

    Parameters
    ----------
    run_id
        The whole id.
    name, alias, reason
        As for `api.register_run`; nothing where empty.

    Raises
    ------
    MLOpsError
        It cannot be registered; the message says why.
    """
    api.register_run(run_id, name=name, alias=alias or None, reason=reason or None)

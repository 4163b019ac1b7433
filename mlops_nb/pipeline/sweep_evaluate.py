"""A trial is a whole run of the pipeline; steps its values do not reach come from the cache."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_nb.config import Settings
from mlops_nb.pipeline.runner import run
from mlops_nb.pipeline.sweep_plan import SweepPlan
from mlops_nb.pipeline.sweep_trials import Evaluate, TrialOutcome
from mlops_nb.store import Store


def make_evaluate(plan: SweepPlan, store: Store, settings: Settings) -> Evaluate:
    """Make what runs the notebook with a set of values.

    Parameters
    ----------
    plan
        Names the notebook, and the values that stay.
    store
        Keeps the runs.
    settings
        Give the experiment.

    Returns
    -------
    Evaluate
        May be called in several threads at once.
    """

    def evaluate(params: Mapping[str, Any], out_dir: Path) -> TrialOutcome:
        result = run(
            Path(plan.notebook),
            params={**(plan.fixed or {}), **params},
            out_dir=out_dir,
            store=store,
            settings=settings,
        )
        failed = next((step for step in result.steps if step.status == "failed"), None)
        error: str = "" if result.status == "finished" else result.status
        if failed is not None:
            error = f"step {failed.name!r}: {failed.error or failed.cause or 'no reason given'}"
        return TrialOutcome(result.metrics, result.run_id, error)

    return evaluate

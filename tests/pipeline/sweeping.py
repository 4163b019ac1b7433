"""Sweeps over plain Python functions: the same loop and store, without kernels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlops_nb.config import load_settings
from mlops_nb.notebook.document import new_code_cell, new_notebook, write_notebook
from mlops_nb.pipeline import plan
from mlops_nb.pipeline.graph import Pipeline
from mlops_nb.pipeline.sweep_ledger import SweepLedger, read_trials
from mlops_nb.pipeline.sweep_plan import Goal, SweepPlan, make_plan
from mlops_nb.pipeline.sweep_result import SweepResult
from mlops_nb.pipeline.sweep_runner import run_sweep
from mlops_nb.pipeline.sweep_trials import Evaluate, TrialOutcome
from mlops_nb.store import Store
from mlops_nb.tracking import Run, adopting, start_run
from mlops_nb.tracking.adopting import Adoption

DECLARATIONS = """\
from typing import Literal
C: float = 1.0
kernel: Literal["rbf", "linear"] = "rbf"
depth = 3
name = "a"
layers: list[int] = [1]
"""
Objective = Callable[[Mapping[str, Any]], float]


def write_pipeline(folder: Path, source: str = DECLARATIONS) -> Pipeline:
    """Write a notebook that declares parameters, and read it."""
    cells = [new_code_cell(source, ["parameters"]), new_code_cell("acc = C", ["step:a"])]
    return plan(write_notebook(new_notebook(cells), folder / "nb.ipynb"))


def make(folder: Path, space: Mapping[str, Any], **options: Any) -> SweepPlan:
    """Plan a sweep of a notebook."""
    goal = Goal(options.pop("metric", "acc"), options.pop("direction", "maximize"))
    return make_plan(write_pipeline(folder), space, goal, **options)


def evaluate_by(
    store: Store, objective: Objective, on_run: Callable[[Run], None] | None = None
) -> Evaluate:
    """Make what records a trial as a pipeline does: a run, and a run of its step below it."""
    settings = load_settings()

    def evaluate(params: Mapping[str, Any], out_dir: Path) -> TrialOutcome:
        run = start_run(store, settings, "nb", nested=False, is_active=False)
        if on_run is not None:
            on_run(run)
        try:
            value = objective(params)
        except ValueError as error:
            run.end("failed")
            return TrialOutcome({}, run.run_id, f"step 'a': {error}")
        with adopting(Adoption(run.run_id)):
            step = start_run(store, settings, "step", nested=False, is_active=False)
        step.log_metric("acc", value)
        step.end()
        run.end()
        return TrialOutcome({"acc": value, "step.acc": value}, run.run_id)

    return evaluate


def sweep(
    store: Store, made: SweepPlan, objective: Objective, folder: Path, **options: Any
) -> SweepResult:
    """Run a sweep from its beginning."""
    ledger = SweepLedger.start(store, load_settings(), made)
    return run_sweep(ledger, evaluate_by(store, objective), out_dir=folder / "out", **options)


def resume(
    store: Store, sweep_id: str, objective: Objective, folder: Path, **options: Any
) -> SweepResult:
    """Go on with a sweep, knowing nothing but the store."""
    ledger = SweepLedger.reopen(store, load_settings(), sweep_id)
    before = read_trials(store, sweep_id, ledger.plan)
    evaluate = evaluate_by(store, objective)
    return run_sweep(ledger, evaluate, out_dir=folder / "out", before=before, **options)

"""What ends trials and sweeps before their time: their limits, and pruners."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlops_nb.config import load_settings
from mlops_nb.errors import InvalidValueError
from mlops_nb.pipeline import sweep_runner
from mlops_nb.pipeline.cancelling import is_cancelled
from mlops_nb.pipeline.sweep_ledger import SweepLedger, read_trials
from mlops_nb.pipeline.sweep_runner import (
    SweepLimits,
    run_sweep,
)
from mlops_nb.pipeline.sweep_trials import TrialOutcome
from mlops_nb.store import Store
from mlops_nb.tracking import Adoption, Run, adopting, start_run
from tests.pipeline.sweeping import evaluate_by, make


def test_the_time_of_a_sweep_is_kept(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it is up no trial begins, and the one that runs can be tried again."""
    runs: list[Run] = []
    clock = SimpleNamespace(monotonic=lambda: 2.0 * (len(runs) > 1))
    monkeypatch.setattr(sweep_runner, "time", clock)

    def objective(params: Mapping[str, Any]) -> float:
        if params["depth"] > 0 and len(runs) > 1:
            wait_until_cancelled(runs[-1])
            raise ValueError("ended")
        return 1.0

    made = make(tmp_path, {"depth": "int:1:9"}, sampler="grid")
    ledger = SweepLedger.start(store, load_settings(), made)
    evaluate = evaluate_by(store, objective, runs.append)
    result = run_sweep(ledger, evaluate, out_dir=tmp_path, limits=SweepLimits(timeout_s=1))
    assert result.status == "finished"
    assert [trial.state for trial in result.records] == ["finished", "interrupted"]


def test_the_time_of_a_trial_is_kept(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial that takes longer has failed, and the others go on."""
    runs: list[Run] = []
    clock = SimpleNamespace(monotonic=lambda: 2.0 * len(runs[:1]))
    monkeypatch.setattr(sweep_runner, "time", clock)

    def objective(params: Mapping[str, Any]) -> float:
        if len(runs) == 1:
            wait_until_cancelled(runs[0])
            raise ValueError("ended")
        return 1.0

    made = make(tmp_path, {"depth": "1,2"}, sampler="grid")
    ledger = SweepLedger.start(store, load_settings(), made)
    evaluate = evaluate_by(store, objective, runs.append)
    result = run_sweep(ledger, evaluate, out_dir=tmp_path, limits=SweepLimits(trial_timeout_s=0.5))
    assert [trial.state for trial in result.records] == ["failed", "finished"]
    assert result.records[0].error == "it took longer than 0.5 s"


def wait_until_cancelled(run: Run) -> None:
    """Work until somebody ends the run, as a kernel would."""
    for _ in range(1200):
        if is_cancelled(run.run_id):
            return
        time.sleep(0.025)
    raise AssertionError("nobody ended it")


def test_lagging_trials_are_pruned(store: Store, tmp_path: Path) -> None:
    """Values that are read from the store while a trial runs decide; its run says pruned."""
    runs: list[Run] = []

    def evaluate(params: Mapping[str, Any], out_dir: Path) -> TrialOutcome:
        run = start_run(store, load_settings(), "nb", nested=False, is_active=False)
        runs.append(run)
        is_bad = len(runs) == 7
        with adopting(Adoption(run.run_id)):
            step = start_run(store, load_settings(), "fit", nested=False, is_active=False)
        for number in range(3):
            step.log_metric("loss", 9.0 if is_bad else 1.0 / (number + 1), number)
        if is_bad:
            wait_until_cancelled(run)
            step.end("interrupted")
            run.end("failed")
            return TrialOutcome({}, run.run_id, "interrupted")
        step.end()
        run.end()
        return TrialOutcome({"loss": 1 / 3}, run.run_id)

    made = make(
        tmp_path,
        {"depth": "int:1:8"},
        metric="loss",
        direction="minimize",
        sampler="grid",
        prune=True,
    )
    ledger = SweepLedger.start(store, load_settings(), made)
    result = run_sweep(ledger, evaluate, out_dir=tmp_path)
    assert [t.state for t in result.records] == ["finished"] * 6 + ["pruned", "finished"]
    assert result.records[6].value == 9.0
    assert store.read_run(runs[6].run_id).tags["mlops.trial.state"] == "pruned"
    again = read_trials(store, result.sweep_id, made)
    assert again[6].steps == {0: 9.0, 1: 9.0, 2: 9.0}


@pytest.mark.parametrize("limits", [{"jobs": 0}, {"timeout_s": 0}, {"trial_timeout_s": -1}])
def test_limits_are_checked(limits: dict[str, Any]) -> None:
    """What limits nothing, or everything, is refused."""
    with pytest.raises(InvalidValueError):
        SweepLimits(**limits)

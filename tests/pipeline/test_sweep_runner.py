"""The loop of a sweep, on plain functions: what is recorded, what is tried again, what ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.config import load_settings
from mlops_nb.errors import InvalidValueError, NotFoundError, PipelineError
from mlops_nb.pipeline import sweep_runner
from mlops_nb.pipeline.cancelling import cancel_run
from mlops_nb.pipeline.sweep_ledger import SweepLedger, read_sweep, read_trials
from mlops_nb.pipeline.sweep_plan import check_same_code
from mlops_nb.pipeline.sweep_result import SweepResult
from mlops_nb.pipeline.sweep_runner import (
    SweepEvent,
    SweepLimits,
    run_sweep,
)
from mlops_nb.pipeline.sweep_trials import Trial, TrialOutcome
from mlops_nb.store import Store
from mlops_nb.tracking import start_run
from tests.pipeline.sweeping import Objective, evaluate_by, make, resume, sweep, write_pipeline

ROOT = Path(__file__).resolve().parents[2]
SPACE = {"C": "lin:0:4", "kernel": "rbf,linear"}


def score(params: Mapping[str, Any]) -> float:
    """Give a value that is largest at C = 1 with the linear kernel."""
    return float(-((params["C"] - 1) ** 2) + (params["kernel"] == "linear"))


def note_calls(calls: list[float]) -> Objective:
    """Make the same objective, which notes that it was called."""

    def objective(params: Mapping[str, Any]) -> float:
        calls.append(params["C"])
        return score(params)

    return objective


def test_a_sweep_is_one_run_with_a_child_a_trial(store: Store, tmp_path: Path) -> None:
    """The best values, the metric and the counts are on the sweep's run, trials are below it."""
    told: list[SweepEvent] = []
    made = make(tmp_path, SPACE, sampler="random", trials=8)
    result = sweep(store, made, score, tmp_path, tell=told.append)
    best = max(result.records, key=lambda trial: trial.value or 0)
    assert result.best_params == best.params
    assert result.best_metric == best.value == score(best.params)
    assert [trial.number for trial in result.records] == list(range(8))
    run = store.read_run(result.sweep_id)
    assert (run.status, run.params, run.metrics) == ("finished", best.params, {"acc": best.value})
    assert run.tags["mlops.kind"] == "sweep"
    assert run.tags["trials.finished"] == "8"
    assert run.tags["best.run"] == best.run_id
    children = store.search(f"attributes.parent_run_id = '{run.run_id}'")
    assert len(children) == 8
    assert store.search("metrics.acc > -100", ["metrics.acc DESC"])[0].run_id in (
        run.run_id,
        best.run_id,
        *(r.run_id for r in store.search(f"attributes.parent_run_id = '{best.run_id}'")),
    )
    series = [point.value for point in store.read_metric_history(run.run_id, "acc")]
    assert series == sorted(series)  # the best so far
    assert len(series) == 8
    assert [event.done for event in told if event.kind == "ended"] == list(range(1, 9))


def test_trials_read_back_are_those_that_ran(store: Store, tmp_path: Path) -> None:
    """The store gives every trial with its types, whatever they were."""
    made = make(tmp_path, {"layers": [[1], [1, 2]], "C": "1,2", "depth": "int:1:2"}, sampler="grid")
    result = sweep(store, made, lambda params: float(params["C"]), tmp_path)
    _, plan = read_sweep(store, result.sweep_id)
    assert plan == made
    found = read_trials(store, result.sweep_id, plan)
    assert len(found) == 8
    for known, again in zip(result.records, found, strict=True):
        assert repr(again.params) == repr(known.params)
        assert (again.state, again.value, again.run_id) == ("finished", known.value, known.run_id)


def test_a_failed_trial_ends_nothing(store: Store, tmp_path: Path) -> None:
    """It is listed with its error, whether it failed inside the notebook or before it began."""

    def objective(params: Mapping[str, Any]) -> float:
        if params["depth"] == 2:
            raise ValueError("no such depth")
        if params["depth"] == 3:
            raise OSError("disk full")
        return float("nan") if params["depth"] == 4 else 1.0

    made = make(tmp_path, {"depth": "1,2,3,4"}, sampler="grid")
    result = sweep(store, made, objective, tmp_path)
    errors = {trial.params["depth"]: trial.error for trial in result.records}
    assert result.status == "finished"
    assert errors[1] is None
    assert errors[2] == "step 'a': no such depth"
    assert "OSError: disk full" in str(errors[3])
    assert "NaN" in str(errors[4])
    assert result.counts["failed"] == 3
    for trial in result.records:
        assert store.read_run(trial.run_id).tags.get("mlops.error") == trial.error


def test_a_trial_that_never_began_leaves_a_run(store: Store, tmp_path: Path) -> None:
    """Even without a run of its own it can be found, and all failed means failed."""

    def evaluate(params: Mapping[str, Any], out_dir: Path) -> TrialOutcome:
        raise OSError("cannot start")

    ledger = SweepLedger.start(store, load_settings(), make(tmp_path, {"C": "1,2"}, trials=2))
    result = run_sweep(ledger, evaluate, out_dir=tmp_path)
    assert result.status == "failed"
    assert (result.best_params, result.best_metric, result.best_trial) == (None, None, None)
    assert [store.read_run(t.run_id).status for t in result.records] == ["failed", "failed"]


def test_an_unknown_metric_ends_the_sweep(store: Store, tmp_path: Path) -> None:
    """The first trial that finished tells which metrics there are."""
    made = make(tmp_path, SPACE, metric="accc")
    with pytest.raises(NotFoundError, match="'acc'") as caught:
        sweep(store, made, score, tmp_path)
    assert "The first trial logged: acc." in str(caught.value)
    (run,) = store.search("tags.`mlops.kind` = 'sweep'")
    assert (run.status, run.tags["trials.failed"]) == ("failed", "1")


def test_jobs_run_at_a_time(store: Store, tmp_path: Path) -> None:
    """As many trials as asked run at once, never more, and each keeps its own run."""
    barrier, running, most = threading.Barrier(3), [0], [0]

    def objective(params: Mapping[str, Any]) -> float:
        running[0] += 1
        most[0] = max(most[0], running[0])
        barrier.wait(timeout=120)  # passes only when three are there
        running[0] -= 1
        return float(params["depth"])

    made = make(tmp_path, {"depth": "int:1:6"}, sampler="grid")
    result = sweep(store, made, objective, tmp_path, limits=SweepLimits(jobs=3))
    assert most == [3]
    for trial in result.records:
        assert trial.value == trial.params["depth"]
        assert store.read_run(trial.run_id).tags["mlops.trial"] == str(trial.number)


def test_the_same_seed_gives_the_same_sweep(store: Store, tmp_path: Path) -> None:
    """Two sweeps of one seed try the same values, with a sampler that learns as well."""
    made = make(tmp_path, SPACE, sampler="tpe", trials=14, seed=7)
    found = [[t.params for t in sweep(store, made, score, tmp_path).records] for _ in range(2)]
    assert found[0] == found[1]


def test_ctrl_c_ends_in_order_and_goes_on(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ran is interrupted, the rest of the table stands, and a resume gives the whole sweep."""
    made = make(tmp_path, SPACE, sampler="tpe", trials=14, seed=3)
    calls: list[float] = []
    caught_up = threading.Event()

    def cancel(run_id: str) -> None:
        cancel_run(run_id)
        caught_up.set()

    monkeypatch.setattr(sweep_runner, "cancel_run", cancel)

    def objective(params: Mapping[str, Any]) -> float:
        calls.append(params["C"])
        if len(calls) == 12:
            os.kill(os.getpid(), signal.SIGINT)
            assert caught_up.wait(120)
            raise ValueError("interrupted in the cell")
        return score(params)

    with pytest.raises(KeyboardInterrupt) as caught:
        sweep(store, made, objective, tmp_path)
    part: SweepResult = vars(caught.value)["result"]
    assert part.status == store.read_run(part.sweep_id).status == "interrupted"
    assert [trial.state for trial in part.records] == ["finished"] * 11 + ["interrupted"]
    calls.clear()
    whole = resume(store, part.sweep_id, note_calls(calls), tmp_path)
    assert len(calls) == 3  # no finished trial ran again
    never_stopped = sweep(store, made, score, tmp_path)
    assert [t.params for t in whole.records] == [t.params for t in never_stopped.records]
    assert store.read_run(whole.sweep_id).status == "finished"


KILLED = """
import os, sys, time
from pathlib import Path
from mlops_nb.store import open_store
from tests.pipeline.sweeping import make, sweep
folder = Path(sys.argv[1])
made = make(folder, {"C": "lin:0:4", "kernel": "rbf,linear"}, sampler="tpe", trials=14, seed=3)
calls = []
def objective(params):
    calls.append(params)
    if len(calls) == 13:
        os.kill(os.getpid(), 9)
    return float(-((params["C"] - 1) ** 2) + (params["kernel"] == "linear"))
sweep(open_store(folder / "store", cache=folder / "cache"), made, objective, folder)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_sweep_goes_on(store: Store, tmp_path: Path) -> None:
    """After kill -9 finished trials are not run again, and the rest is what it would have been."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], env=environment, check=False
    )
    assert done.returncode == -signal.SIGKILL
    (run,) = store.search("tags.`mlops.kind` = 'sweep'")
    assert run.status == "interrupted"
    calls: list[float] = []
    whole = resume(store, run.run_id, note_calls(calls), tmp_path)
    assert len(calls) == 2
    made = make(tmp_path, SPACE, sampler="tpe", trials=14, seed=3)
    never_killed = sweep(store, made, score, tmp_path)
    assert [t.params for t in whole.records] == [t.params for t in never_killed.records]
    assert [t.value for t in whole.records] == [t.value for t in never_killed.records]


def test_a_trial_finished_but_not_told_counts(store: Store, tmp_path: Path) -> None:
    """Killed between the end of a trial and the word about it, the trial is not run again."""
    made = make(tmp_path, {"C": "1,2,3"}, sampler="grid")
    ledger = SweepLedger.start(store, load_settings(), made)
    trial = Trial(0, {"C": 2.0})
    with ledger.trying(trial):
        evaluate_by(store, lambda params: 0.7)(trial.params, tmp_path)
    (found,) = read_trials(store, ledger.run.run_id, made)
    assert (found.state, found.value) == ("finished", 0.7)


def test_a_sweep_that_runs_is_not_resumed(store: Store, tmp_path: Path) -> None:
    """Two processes never work on one sweep; a run that is none is told."""
    ledger = SweepLedger.start(store, load_settings(), make(tmp_path, SPACE))
    with pytest.raises(InvalidValueError, match=f"(?s)not running.*process {os.getpid()}"):
        SweepLedger.reopen(store, load_settings(), ledger.run.run_id)
    ledger.close("finished")
    other = start_run(store, load_settings(), "plain", is_active=False)
    with pytest.raises(InvalidValueError, match="the run of a sweep"):
        SweepLedger.reopen(store, load_settings(), other.run_id)


RESUMED = """
import sys, time
from pathlib import Path
from mlops_nb.errors import InvalidValueError
from mlops_nb.store import open_store
from tests.pipeline.sweeping import resume
folder, sweep_id = Path(sys.argv[1]), sys.argv[2]
store = open_store(folder / "store", cache=folder / "cache" / sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
def objective(params):
    while not (folder / "go").exists():
        time.sleep(0.05)
    return params["C"]
try:
    print(len(resume(store, sweep_id, objective, folder).records), flush=True)
except InvalidValueError as error:
    print(f"refused: {error}", flush=True)
"""


def test_two_that_resume_at_once_are_one(store: Store, tmp_path: Path) -> None:
    """Of two processes that go on with a sweep at the same moment, one does and one is told who."""
    made = make(tmp_path, {"C": "1,2,3"}, sampler="grid")
    ledger = SweepLedger.start(store, load_settings(), made)
    ledger.close("interrupted")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", RESUMED, str(tmp_path), ledger.run.run_id, name],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in ("a", "b")
    ]  # fmt: skip
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    while all(process.poll() is None for process in both):
        time.sleep(0.05)
    both.sort(key=lambda process: process.poll() is None)
    refused = both[0].communicate(timeout=240)[0]
    assert "refused" in refused
    assert f"process {both[1].pid} on" in refused
    (tmp_path / "go").touch()
    assert both[1].communicate(timeout=240)[0] == "3\n"
    assert len(read_trials(store, ledger.run.run_id, made)) == 3
    assert len(store.search("tags.`mlops.trial` != ''")) == 3


def test_changed_code_is_told(tmp_path: Path) -> None:
    """Trials of other code would not compare; a new output or text cell is no other code."""
    made = make(tmp_path, SPACE)
    check_same_code(made, write_pipeline(tmp_path))
    with pytest.raises(PipelineError, match="has changed"):
        check_same_code(made, write_pipeline(tmp_path, "C = 2.0\nkernel = 'rbf'"))

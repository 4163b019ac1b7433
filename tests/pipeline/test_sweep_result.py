"""What came of a sweep, as table, document and pictures."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from mlops_nb.pipeline.sweep_result import SweepResult
from mlops_nb.pipeline.sweep_trials import Trial
from mlops_nb.store import Store
from tests.pipeline.sweeping import make, sweep

SPACE = {
    "C": "log:0.01:100",
    "kernel": "rbf,linear",
    "depth": "int:1:9",
    "layers": [[1], [1, 2]],
    "name": "one,two,three",
}


def score(params: Mapping[str, Any]) -> float:
    """Give a value that depends on C alone, except that deep ones fail."""
    if params["depth"] >= 8:
        raise ValueError("too deep")
    return -(math.log10(params["C"]) ** 2)


@pytest.fixture
def result(store: Store, tmp_path: Path) -> SweepResult:
    """Give a sweep of thirty trials over every kind of dimension."""
    made = make(tmp_path, SPACE, sampler="random", trials=30, seed=1)
    return sweep(store, made, score, tmp_path)


def test_trials_are_a_table(result: SweepResult) -> None:
    """One row a trial, with the swept values as they were, and numbers where numbers belong."""
    table = result.trials
    assert list(table.columns) == [
        "trial", "state", "metrics.acc", "params.C", "params.kernel", "params.depth",
        "params.layers", "params.name", "duration_s", "run_id", "error",
    ]  # fmt: skip
    assert len(table) == 30
    assert table["metrics.acc"].dtype == "float64"
    failed = table[table["state"] == "failed"]
    assert len(failed) == result.counts["failed"] > 0
    assert failed["metrics.acc"].isna().all()
    assert (failed["params.depth"] >= 8).all()
    best = table.sort_values("metrics.acc").dropna(subset="metrics.acc").iloc[-1]
    assert best["params.C"] == (result.best_params or {})["C"]
    assert best["metrics.acc"] == result.best_metric


def test_the_document_is_json(result: SweepResult) -> None:
    """Programs get the best trial and all others."""
    document = json.loads(json.dumps(result.to_json()))
    assert document["best"]["params"] == result.best_params
    assert document["metric"] == "acc"
    assert len(document["trials"]) == 30
    assert sum(document["counts"].values()) == 30


def test_importance_finds_what_mattered(result: SweepResult) -> None:
    """The only parameter that matters has the largest share; shares add up to one."""
    shares = result.importance()
    assert next(iter(shares)) == "C"
    assert sum(shares.values()) == pytest.approx(1)
    assert set(shares) == set(SPACE)


def test_plots_show_every_trial(result: SweepResult) -> None:
    """History, importance, lines and a slice a parameter are drawn, and pyplot keeps nothing."""
    from matplotlib import pyplot

    figure = result.plot()
    assert isinstance(figure, Figure)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["History", "Importance (fANOVA)", "Trials", *SPACE]
    finished = result.counts["finished"]
    assert len(figure.axes[2].lines) == finished + len(SPACE) + 1
    assert len(figure.axes[3].collections[0].get_offsets()) == finished  # type: ignore[arg-type]
    assert figure.axes[3].get_xscale() == "log"
    figure.canvas.draw()
    assert pyplot.get_fignums() == []


def test_nothing_finished_can_be_shown(result: SweepResult) -> None:
    """A sweep without a result is told as one, in every form."""
    records = tuple(Trial(t.number, t.params, "failed", error="no") for t in result.records[:3])
    empty = SweepResult(result.sweep_id, "failed", result.plan, records)
    assert empty.best_params is None
    assert empty.to_json()["best"] is None
    assert empty.importance() == {}
    empty.plot().canvas.draw()
    assert repr(empty).endswith("failed: 3 failed>")
    none = SweepResult(result.sweep_id, "interrupted", result.plan, ())
    assert len(none.trials) == 0
    none.plot().canvas.draw()
    assert "no trial" in repr(none)


def test_a_study_has_the_trials(result: SweepResult) -> None:
    """Optuna's own tools get the same trials with the same best value."""
    study = result.to_study()
    assert len(study.trials) == 30
    assert study.best_value == result.best_metric
    assert study.best_params["kernel"] == (result.best_params or {})["kernel"]


def test_the_outcome_is_told_in_two_lines(result: SweepResult) -> None:
    """What a notebook shows names the metric and the values, ready to be typed."""
    first, second = repr(result).splitlines()
    assert f"{result.counts['finished']} finished" in first
    assert f"kernel={(result.best_params or {})['kernel']}" in second

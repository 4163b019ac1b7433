"""Which run is best, by what, and in what runs differ."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from mlops_nb.errors import NotFoundError
from mlops_nb.records import RunRecord, is_cost, is_lower_better
from mlops_nb.tracking.ranking import (
    choose_metric,
    find_best_kin,
    find_previous_kin,
    list_differing,
    need_metric,
    rank_runs,
    read_numbers,
)


def make_run(started_at: float = 0.0, **fields: Any) -> RunRecord:
    """Make a run."""
    return RunRecord(f"r{started_at}", "fit", "default", "finished", started_at, **fields)


@pytest.mark.parametrize(
    ("key", "lower"),
    [
        ("accuracy", False), ("val_loss", True), ("RMSE", True), ("auc", False), ("wer", True),
        ("certainty", False), ("answers", False), ("val-nll", True), ("neg_mean_squared_error", False),
        ("fit_time_s", True), ("validation_0/logloss", True), ("log_likelihood", False),
        ("mean_absolute_error", True), ("brier_score", True), ("r2", False), ("stderr_free", False),
    ],
)  # fmt: skip
def test_direction_of_a_metric(key: str, lower: bool) -> None:
    """Of losses, errors and times less is better; short names count as whole words only."""
    assert is_lower_better(key) is lower


@pytest.mark.parametrize(
    "key",
    [
        *("fit_time_s", "lr", "lr/opt_g", "lr.1", "epoch", "system/gpu_0"),
        *("best_epoch", "best_iteration"),
    ],
)
def test_costs_are_no_results(key: str) -> None:
    """Times, rates and what the machine did judge no run."""
    assert is_cost(key)


def test_ranking_follows_the_metric_and_its_direction() -> None:
    """The least loss and the greatest score are best; of equals the earlier; NaN is never."""
    runs = [make_run(at, metrics={"x": v}) for at, v in enumerate((1, 3, 3, math.nan, math.inf))]
    runs.append(make_run(9.0))
    assert [run.started_at for run in rank_runs(runs, "x")] == [1, 2, 0]
    assert [run.started_at for run in rank_runs(runs, "x", minimize=True)] == [0, 1, 2]
    losses = [make_run(at, metrics={"loss": v}) for at, v in enumerate((0.3, 0.1))]
    assert rank_runs(losses, "loss")[0].started_at == 1


def test_metric_that_judges() -> None:
    """What most runs have, a validation result first; costs never; an unknown one is named."""
    runs = [make_run(metrics={"fit_time_s": 1, "acc": 1, "val_acc": 1}) for _ in range(2)]
    assert choose_metric([*runs, make_run(metrics={"acc": 1})]) == "acc"
    assert choose_metric(runs) == "val_acc"
    boosted = {"best_iteration": 50, "best_score": 0.2, "test_auc": 0.9}
    assert choose_metric([make_run(metrics=boosted)]) == "test_auc"
    assert choose_metric([make_run(metrics={"best_score": 0.2})]) == "best_score"
    assert choose_metric([make_run(metrics={"lr": 1})]) is None
    with pytest.raises(NotFoundError, match="Did you mean 'acc'"):
        need_metric(runs, "accc")
    with pytest.raises(NotFoundError):
        need_metric([], None)


def test_params_that_differ() -> None:
    """What is the same in all runs, or too long to stand beside others, is left out."""
    runs = [
        make_run(params={"C": c, "solver": "lbfgs", "long": "x" * 99 + str(c), "rare": 1} if c else {"C": c})
        for c in (0, 1)
    ]  # fmt: skip
    assert list_differing(runs) == ["C", "solver", "rare"]


@pytest.mark.parametrize(
    ("values", "numbers", "labels"),
    [
        ([1, 2.5], [1.0, 2.5], []),
        (["a", "b", "a"], [0.0, 1.0, 0.0], ["a", "b"]),
        ([1, None], [0.0, 1.0], ["1", "-"]),
        ([True, False], [0.0, 1.0], ["True", "False"]),
        ([math.inf, 1], [0.0, 1.0], ["inf", "1"]),
    ],
)
def test_places_on_an_axis(values: list[Any], numbers: list[float], labels: list[str]) -> None:
    """Numbers are themselves; texts, switches and what is missing have places by their order."""
    assert read_numbers(values) == (numbers, labels)


def test_the_best_of_the_same_kind() -> None:
    """A run is compared with runs of its name and notebook that have ended, not with itself."""
    own = make_run(3.0, notebook="a.ipynb", metrics={"acc": 0.7})
    good = make_run(1.0, notebook="a.ipynb", metrics={"acc": 0.9})
    poor = make_run(2.0, notebook="a.ipynb", metrics={"acc": 0.2})
    other = make_run(4.0, notebook="b.ipynb", metrics={"acc": 1.0})
    failed = replace(make_run(5.0, notebook="a.ipynb", metrics={"acc": 1.0}), status="failed")
    assert find_best_kin([own, poor, good, other, failed], own) == (good, "acc")
    assert find_best_kin([own, other, failed], own) is None
    bare = [make_run(at) for at in (0.0, 1.0, 2.0)]
    assert find_best_kin(bare, bare[0]) == (bare[2], "")


def test_the_one_before() -> None:
    """It is the last of the same kind that began earlier, also where it failed; the first has none."""
    own = make_run(3.0, notebook="a.ipynb")
    first = make_run(1.0, notebook="a.ipynb")
    failed = replace(make_run(2.0, notebook="a.ipynb"), status="failed")
    later, other = make_run(4.0, notebook="a.ipynb"), make_run(2.5, notebook="b.ipynb")
    runs = [later, own, other, failed, first]
    assert find_previous_kin(runs, own) == failed
    assert find_previous_kin(runs, failed) == first
    assert find_previous_kin(runs, first) is None
    together = replace(own, run_id=own.run_id + "x")
    assert find_previous_kin([*runs, together], together) == own
    assert find_previous_kin([*runs, together], own) == failed

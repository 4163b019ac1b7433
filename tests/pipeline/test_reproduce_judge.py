"""What is compared between a run and the one that was made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from mlops_nb import registry
from mlops_nb.config import load_settings
from mlops_nb.pipeline.reproduce_judge import Judge
from mlops_nb.pipeline.reproduce_surroundings import compare_environments, write_command
from mlops_nb.records import DatasetRecord, RunRecord
from mlops_nb.store import Store, open_store
from mlops_nb.tracking import Run, start_run

Make = Callable[..., RunRecord]


@pytest.fixture
def again(tmp_path: Path) -> Store:
    """Give the store of a replay."""
    return open_store(tmp_path / "again", cache=tmp_path / "again-cache")


def make(store: Store, write: Callable[[Run], Any]) -> RunRecord:
    """Record a run."""
    run = start_run(store, load_settings(), "run", is_active=False)
    write(run)
    run.end()
    return store.read_run(run.run_id)


def judge(
    store: Store,
    again: Store,
    before: Callable[[Run], Any],
    after: Callable[[Run], Any],
    tolerance: float | None = None,
) -> Judge:
    """Compare two runs."""
    found = Judge(store, again, tolerance)
    found.compare(make(store, before), make(again, after))
    return found


def test_every_value_of_every_metric_counts(store: Store, again: Store) -> None:
    """The first that is another, one too few, one that is gone; no times; NaN is NaN."""

    def before(run: Run) -> None:
        for step, value in enumerate((1.0, float("nan"), 3.0)):
            run.log_metrics({"a": value, "b": value, "fit_time_s": value, "gone": 1}, step)

    def after(run: Run) -> None:
        for step, value in enumerate((1.0, float("nan"), 3.0 + 2**-50)):
            run.log_metrics({"a": value, "fit_time_s": step, "new": 2}, step)
            if step < 2:
                run.log_metric("b", value, step)

    found = judge(store, again, before, after)
    assert {row.key: (row.before, row.after) for row in found.differences} == {
        "a (step 2)": (3.0, 3.0 + 2**-50),
        "b": ("3 values", "2 values"),
        "gone": (1.0, None),
        "new": (None, 2.0),
    }
    assert found.remarks == ["times are not compared: fit_time_s"]


def test_tolerance_takes_small_differences(store: Store, again: Store) -> None:
    """A relative one, and of values only."""
    runs = (lambda run: run.log_metric("a", 100.0), lambda run: run.log_metric("a", 100.1))
    assert judge(store, again, *runs, tolerance=0.01).differences == []
    assert len(judge(store, again, *runs, tolerance=0.0001).differences) == 1


def test_norms_are_compared_where_both_were_measured(store: Store, again: Store) -> None:
    """They are taken as often as time allows: other steps are no difference, other values are."""

    def write(steps: dict[int, float]) -> Callable[[Run], None]:
        def fill(run: Run) -> None:
            for step, value in steps.items():
                run.log_metric("grad_norm", value, step)

        return fill

    assert not judge(store, again, write({1: 0.5, 2: 0.6}), write({2: 0.6, 3: 9.0})).differences
    assert judge(store, again, write({1: 0.5, 2: 0.6}), write({2: 0.7})).differences


def test_data_come_first_and_files_that_were_read_before_others(store: Store, again: Store) -> None:
    """What explains a difference is told before it; parameters count by value."""

    def write(mark: str) -> Callable[[Run], None]:
        def fill(run: Run) -> None:
            run.log_params({"a": mark, "same": [1, None]})
            run.log_dataset(DatasetRecord(mark * 20, "frame", "X", "X"))
            run.log_dataset(DatasetRecord(mark * 20, "file", "a.csv", "read", call="open"))
            run.log_dataset(DatasetRecord(mark * 20, "file", "b.csv", "written", call="open"))

        return fill

    found = judge(store, again, write("1"), write("2"))
    assert [(row.group, row.key) for row in found.differences] == [
        ("data", "a.csv (read)"),
        ("data", "X (X)"),
        ("param", "a"),
    ]
    assert found.remarks == ["files with other bytes were written: b.csv"]


def test_models_are_compared_by_what_they_hold(store: Store, again: Store) -> None:
    """The same model may be saved as other bytes; another one is named down to the value."""
    rows = np.arange(12.0).reshape(6, 2)
    target = np.array([0, 1] * 3)
    model = LogisticRegression().fit(rows, target)
    other = LogisticRegression(C=0.1).fit(rows, target)
    one, two = make(store, lambda run: None), make(again, lambda run: None)
    registry.register(store, model, name="a", run=one, example=rows)
    registry.register(again, model, name="a", run=two, example=rows)
    registry.register(store, model, name="b", run=one, example=rows)
    registry.register(again, other, name="b", run=two, example=rows)
    registry.register(store, model, name="c", run=one, example=rows)
    found = Judge(store, again, None)
    found.compare(one, two)
    assert [row.group for row in found.differences] == ["model"]
    assert found.differences[0].key.startswith("b/1 model.")
    assert found.unchecked == ["the model c/1: it could not be registered again"]


def test_environment_is_told_with_the_way_back() -> None:
    """Every difference, and the packages that were installed from an index as a command."""
    before = {
        "python": {"version": "3.11.7", "prefix": "/a"},
        "packages": {"numpy": "1.26", "own": "1"},
        "origins": {"own": "file:///own"},
        "threads": {"torch": 4},
    }
    after = {
        "python": {"version": "3.12.1", "prefix": "/b"},
        "packages": {"numpy": "2.0", "own": "2"},
        "origins": {"own": "file:///own"},
        "threads": {"torch": 2},
    }
    found, unchecked = compare_environments(before, after)
    assert [row.key for row in found] == ["numpy", "own", "version", "torch"]
    assert unchecked == []
    expected = "python3.11 -m venv as-it-was && as-it-was/bin/pip install numpy==1.26"
    assert write_command(before, found) == expected
    assert compare_environments(None, after)[1] == ["the environment: it was not recorded"]
    strange = {"python": {"version": "3.11.2"}, "packages": {"a; rm -rf ~": "$(id)"}}
    found, _ = compare_environments(strange, {"python": {"version": "3.11.2"}, "packages": {}})
    assert write_command(strange, found).endswith(" install 'a; rm -rf ~==$(id)'")

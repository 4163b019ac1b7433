"""The example notebook for XGBoost has no logging call, and its runs answer what one asks of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_nb import api
from mlops_nb.store import open_store
from tests.autolog.test_torch_example import run_example

NAME = "xgboost_tumours.ipynb"


def test_example_notebook(tmp_path: Path) -> None:
    """What was trained, on what, how, how good, how long, from which code, and what changed."""
    node = run_example(NAME, tmp_path)
    sources = [cell.source for cell in node.cells if cell.cell_type == "code"]
    assert not any("mlops" in source for source in sources[1:-2])
    store = open_store(tmp_path / "store", cache=tmp_path / "cache")
    fitted, native = [store.read_run(run_id) for run_id in store.list_run_ids()]
    assert [(run.name, run.status) for run in (fitted, native)] == [
        ("XGBClassifier", "finished"), ("xgboost.train", "finished"),
    ]  # fmt: skip
    changed = "early_stopping_rounds, learning_rate, max_depth, n_estimators, random_state"
    assert fitted.tags["params.changed"] == changed
    assert [fitted.params[key] for key in ("max_depth", "learning_rate")] == [3, 0.1]
    assert [native.params[key] for key in ("max_depth", "eta", "num_boost_round")] == [1, 0.1, 300]
    for run, series in ((fitted, "validation_0-logloss"), (native, "valid-logloss")):
        rounds = [point.value for point in store.read_metric_history(run.run_id, series)]
        assert len(rounds) == run.params["iterations"]
        assert run.metrics["best_score"] == pytest.approx(min(rounds))
        assert run.metrics["test_auc"] > 0.9
        assert run.metrics["fit_time_s"] > 0
        assert [data.shape for data in run.datasets if data.role in {"X", "y"}] == [
            (298, 30), (298,),
        ]  # fmt: skip
        assert any(data.role.endswith(".X") and data.shape == (100, 30) for data in run.datasets)
        assert run.cells
    assert "X_train" in {data.name for data in fitted.datasets}
    # The two were trained on the same data, by content, however they were handed over.
    same = {data.fingerprint for data in fitted.datasets}
    assert same == {data.fingerprint for data in native.datasets}
    rows = api.compare_runs(fitted.run_id, native.run_id, start=tmp_path).rows
    assert {row[1] for row in rows if row[3]} >= {"max_depth", "test_auc", "best_iteration"}
    shown = node.cells[-2].outputs[-1]["data"]["text/plain"]
    assert "max_depth" in shown
    assert "run XGBClassifier" in node.cells[5].outputs[-1]["data"]["text/plain"]

"""The same figures by plotly: the values that were logged, and a clear word where it is missing."""

from __future__ import annotations

import sys

import pytest

import mlops_nb as mlops
from mlops_nb.errors import MissingPackageError
from mlops_nb.records import RunRecord


@pytest.fixture
def runs() -> list[RunRecord]:
    """Give two runs with a curve that differ in two parameters."""
    for depth, kind in ((1, "gini"), (8, "entropy")):
        with mlops.start_run("tree"):
            mlops.log_params({"depth": depth, "kind": kind})
            for step in range(3):
                mlops.log_metric("loss", 1 / (step + depth), step=step)
    return mlops.best_runs("loss")


def test_figures_hold_what_was_logged(runs: list[RunRecord]) -> None:
    """Curves, history, scatter and parallel coordinates are drawn, each from the runs' values."""
    pytest.importorskip("plotly")
    curves = mlops.plot_runs(runs, "curves", interactive=True)
    assert [list(trace.y) for trace in curves.data] == [
        pytest.approx([1 / 8, 1 / 9, 1 / 10]),
        pytest.approx([1, 1 / 2, 1 / 3]),
    ]
    history = mlops.plot_runs(runs, "history", interactive=True)
    assert list(history.data[1].y) == pytest.approx([1 / 3, 1 / 10])
    scatter = mlops.plot_runs(runs, "scatter", params=["kind"], interactive=True)
    assert list(scatter.data[0].x) == ["entropy", "gini"]
    parallel = mlops.plot_runs(runs, "parallel", interactive=True)
    assert [each.label for each in parallel.data[0].dimensions] == ["depth", "kind", "loss"]


def test_missing_package_is_told(runs: list[RunRecord], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without plotly the extra that brings it is named."""
    monkeypatch.setitem(sys.modules, "plotly", None)
    with pytest.raises(MissingPackageError, match=r"mlops-nb\[plot\]"):
        mlops.plot_runs(runs, "curves", interactive=True)

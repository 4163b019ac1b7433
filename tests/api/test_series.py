"""Metrics come back as arrays and as charts through the public verbs."""

from __future__ import annotations

import pytest

import mlops_nb as mlops
from mlops_nb.errors import InvalidValueError, NotFoundError, RunNotFoundError


def test_series_and_preview_of_a_run() -> None:
    """A run's metric is read by name as arrays, in part, and as lows and highs."""
    with mlops.start_run("curve"):
        for step in range(100):
            mlops.log_metric("loss", 1 / (step + 1), step)
    series = mlops.get_metric_series("curve", "loss")
    assert series.steps.tolist() == list(range(100))
    assert series.values[4] == 0.2
    assert len(series.times) == 100
    assert mlops.get_metric_series("curve", "loss", 10, 19).steps.tolist() == list(range(10, 20))
    preview = mlops.preview_metric("curve", "loss", 10)
    assert len(preview.steps) == 10
    assert (preview.highs[0], preview.lows[-1], preview.count) == (1.0, 0.01, 100)
    assert len(mlops.preview_metric("curve", "loss").steps) == 100


def test_what_is_not_there_is_named() -> None:
    """Unknown runs, metrics and widths are refused as everywhere."""
    with mlops.start_run("curve"):
        mlops.log_metric("loss", 1.0)
    with pytest.raises(NotFoundError, match="Did you mean 'loss'"):
        mlops.get_metric_series("curve", "los")
    with pytest.raises(RunNotFoundError):
        mlops.preview_metric("nope", "loss")
    with pytest.raises(InvalidValueError, match="pixels"):
        mlops.preview_metric("curve", "loss", 0)

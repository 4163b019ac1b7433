"""Gates say what metrics must be, and what is wrong where they are not."""

from __future__ import annotations

import math

import pytest

from mlops_nb.errors import InvalidValueError
from mlops_nb.pipeline.gates import check_gates, read_gates
from mlops_nb.records import GateResult


@pytest.mark.parametrize(
    ("text", "value", "passed"),
    [
        ("acc>=0.9", 0.9, True),
        ("acc >= 0.9", 0.89, False),
        ("acc<=1e-3", 0.001, True),
        ("acc>-1", -1.0, False),
        ("acc<inf", 5.0, True),
        ("acc==3", 3.0, True),
        ("acc!=3", 3.0, False),
        ("acc>=0.9", math.nan, False),
        ("acc!=0.9", math.nan, False),
    ],
)
def test_conditions_are_checked(text: str, value: float, passed: bool) -> None:
    """Every sign means what it means, and NaN passes no gate."""
    (result,) = check_gates(read_gates([text]), {"acc": value})
    assert result.passed is passed
    assert (result.reason == "") is passed


def test_metrics_of_any_name_can_be_asked_for() -> None:
    """Names with blanks, dots and signs are metrics too."""
    gates = read_gates(["fit.roc auc>0.5", "a-b<2"])
    assert [gate.metric for gate in gates] == ["fit.roc auc", "a-b"]


def test_missing_metrics_do_not_pass() -> None:
    """A metric that nobody logged fails its gate, and near misses are offered."""
    (result,) = check_gates(read_gates(["accurcy>=0.9"]), {"accuracy": 1.0})
    assert result == GateResult(
        "accurcy>=0.9", None, False, "no metric 'accurcy' was logged; did you mean 'accuracy'?"
    )


@pytest.mark.parametrize("text", ["acc", "acc>=", ">=0.9", "acc=0.9", "acc>=high", "acc>nan", ""])
def test_other_texts_are_refused(text: str) -> None:
    """A condition that cannot be read is told before anything runs."""
    with pytest.raises(InvalidValueError, match="a gate"):
        read_gates([text])

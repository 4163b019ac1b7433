"""What fails or warns in the user's code fails and warns the same with us."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mlops_nb import autolog
from tests.autolog.conftest import Notebook

DATA = np.random.default_rng(0).normal(size=(60, 3))
LABELS = (DATA[:, 0] > 0).astype(int)


def _fit(**params: Any) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(**params).fit(DATA, LABELS)


def _describe_failure(call: Callable[[], Any]) -> tuple[str, list[str]]:
    try:
        call()
    except (ValueError, TypeError) as error:
        shown = traceback.format_exception(error)
        return type(error).__name__, [line for line in shown if "test_harm" not in line]
    raise AssertionError("it was to fail")


def _fail_fit() -> None:
    from sklearn.linear_model import LogisticRegression

    LogisticRegression().fit(DATA, np.zeros(60, dtype=int))


def _fail_search() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    GridSearchCV(LogisticRegression(), {"C": [-1.0]}, cv=2, error_score="raise").fit(DATA, LABELS)


def _fail_validation() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score  # which calls cross_validate

    cross_val_score(LogisticRegression(C=-1.0), DATA, LABELS, cv=2, error_score="raise")


def _fail_metric() -> None:
    from sklearn.metrics import roc_auc_score

    roc_auc_score(LABELS, LABELS[:-1])


def _fail_score() -> None:
    _fit().score(DATA, LABELS[:-1])


def _fail_parameter() -> None:
    _fit(C="much")


FAILURES = [_fail_fit, _fail_search, _fail_validation, _fail_metric, _fail_score, _fail_parameter]


@pytest.mark.parametrize("call", FAILURES)
def test_tracebacks_are_identical(unarmed: Notebook, call: Callable[[], None]) -> None:
    """An error of the user's has the same class, message and frames as without us."""
    plain = _describe_failure(call)
    autolog.arm(unarmed.session)
    try:
        ours = _describe_failure(call)
    finally:
        autolog.disarm()
    assert ours == plain


def _warnings(call: Callable[[], Any]) -> list[tuple[str, str, str, int]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [(w.category.__name__, str(w.message), w.filename, w.lineno) for w in caught]


def _warn_in_metric() -> None:
    from sklearn.metrics import log_loss, precision_score, r2_score

    precision_score([0, 1, 1], [0, 0, 0])
    r2_score([1.0], [1.0])
    log_loss([0, 1], [[0.5, 0.6], [0.5, 0.5]])


def _warn_in_fit() -> None:
    _fit(max_iter=1)


@pytest.mark.parametrize("call", [_warn_in_metric, _warn_in_fit])
def test_warnings_are_identical(unarmed: Notebook, call: Callable[[], None]) -> None:
    """A warning has the same class, text, file and line as without us."""
    plain = _warnings(call)
    assert plain
    autolog.arm(unarmed.session)
    try:
        assert _warnings(call) == plain
    finally:
        autolog.disarm()

"""What is read of an estimator quickly is what its own ``get_params`` gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import all_estimators

from mlops_nb.autolog.describe import describe_kind, describe_params, read_plain_params


class _Own(BaseEstimator):  # type: ignore[misc]
    """An estimator of the user's, with an estimator inside."""

    def __init__(self, inner: Any = None, scale: float = 1.0) -> None:
        self.inner, self.scale = inner, scale


_NESTED = {
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression(C=2)),
    "pipeline in pipeline": make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), SVC())),
    "estimator inside": BaggingClassifier(LogisticRegression(C=3), n_estimators=4),
    "inside a step": Pipeline([("a", StandardScaler()), ("b", BaggingClassifier(SVC()))]),
    "of the user's": _Own(SVC(), 2.0),
}


@pytest.mark.parametrize("name", sorted(_NESTED))
def test_nested_estimators_are_read_as_get_params_gives_them(name: str) -> None:
    """Names, values, order and what was changed are the same by the quick way."""
    read = read_plain_params(_NESTED[name])
    assert read is not None
    params, changed = describe_params(_NESTED[name])
    assert list(read.params.items()) == list(params.items())
    assert read.changed == changed


def test_every_estimator_is_read_as_get_params_gives_it() -> None:
    """All that scikit-learn has and that can be made without arguments, with its defaults."""
    count = 0
    for _, kind in all_estimators():
        try:
            estimator = kind()
        except (TypeError, FutureWarning):  # needs arguments, or is about to go
            continue
        read = read_plain_params(estimator)
        if read is not None:
            assert (read.params, read.changed) == describe_params(estimator), kind
            count += 1
    assert count > 100


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(class_weight={0: 1.0}),
        RandomForestClassifier(random_state=np.random.RandomState(0)),
        Pipeline([("a", "passthrough"), ("b", SVC())]),
        object(),
    ],
)
def test_what_is_not_plain_is_left_to_get_params(estimator: object) -> None:
    """A dict, a generator, a step that is no estimator and what is none have no quick way."""
    assert read_plain_params(estimator) is None


def test_what_draws_is_known() -> None:
    """A forest draws where it has no seed, in a pipeline too; a class of the user's may always."""
    forest = read_plain_params(make_pipeline(StandardScaler(), RandomForestClassifier()))
    seeded = read_plain_params(
        make_pipeline(StandardScaler(), RandomForestClassifier(random_state=1))
    )
    own = read_plain_params(_Own(SVC()))
    assert forest is not None
    assert seeded is not None
    assert own is not None
    assert [(each.is_library, each.draws) for each in (forest, seeded, own)] == [
        (True, True),
        (True, False),
        (False, False),
    ]


def test_parameters_kept_elsewhere_are_left_to_get_params() -> None:
    """A class whose attributes have other names than its parameters is asked for them."""

    class Elsewhere(BaseEstimator):  # type: ignore[misc]
        def __init__(self, alpha: float = 1.0, beta: int = 2) -> None:
            self.kept, self.beta = alpha, beta

        @property
        def alpha(self) -> float:
            return self.kept

    estimator = Elsewhere(3.0)
    assert read_plain_params(estimator) is None
    assert describe_params(estimator) == ({"alpha": 3.0, "beta": 2}, ["alpha"])


@pytest.mark.parametrize(
    ("written", "shown"),
    [("Plain", "Plain"), ("two\nlines", "two\\nlines"), ("x" * 300, "x" * 100)],
)
def test_a_run_has_a_name_that_can_be_shown(written: str, shown: str) -> None:
    """Whatever a class made on the fly is called."""
    assert describe_kind(type(written, (BaseEstimator,), {})()).name == shown


def test_a_pipeline_is_looked_at_each_time() -> None:
    """Two of one class end in other steps."""
    ends = [
        describe_kind(make_pipeline(StandardScaler(), last)) for last in (SVC(), StandardScaler())
    ]
    assert [(kind.name, kind.is_preparation) for kind in ends] == [
        ("SVC", False),
        ("StandardScaler", True),
    ]
    assert [kind.tags["estimator.last"] for kind in ends] == ["SVC", "StandardScaler"]

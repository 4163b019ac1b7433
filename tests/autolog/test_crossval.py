"""A cross-validation is one run: its folds make no noise, and its scores stand in a table."""

from __future__ import annotations

import traceback

import numpy as np
import pytest
import sklearn.model_selection

from mlops_nb import autolog
from mlops_nb.autolog.metrics import find_cell
from tests.autolog.conftest import Notebook

HEAD = "from sklearn.model_selection import cross_val_predict, cross_val_score, cross_validate\n"


@pytest.mark.parametrize("jobs", ["None", "2"])
def test_scores_are_one_run(notebook: Notebook, jobs: str) -> None:
    """Case 27: ``cross_val_score`` is one event with mean, spread and the score of each fold."""
    notebook.run(
        HEAD + "import joblib\nwith joblib.parallel_config(backend='threading'):\n"
        f"    scores = cross_val_score(Ridge(alpha=2.0), X, y, cv=3, n_jobs={jobs})"
    )
    (run,) = notebook.runs()
    scores = notebook.namespace["scores"]
    assert (run.name, run.status, run.tags["method"]) == ("Ridge", "finished", "cross_val_score")
    assert (run.params["alpha"], run.params["cross_validation.cv"]) == (2.0, 3)
    assert run.metrics["cv_score"] == pytest.approx(scores.mean())
    assert run.metrics["cv_score_std"] == pytest.approx(scores.std())
    table = notebook.store.objects.read_json(run.artifacts[0].digest)
    assert table["test_score"] == list(scores)
    assert [(data.role, data.name) for data in run.datasets] == [("X", "X"), ("y", "y")]


def test_several_scores_are_told_apart(notebook: Notebook) -> None:
    """``cross_validate`` gives a mean for each scorer and the times of every fold."""
    notebook.run(
        HEAD + "found = cross_validate(LogisticRegression(), X, y, cv=2,\n"
        "    scoring=['accuracy', 'roc_auc'], return_train_score=True)"
    )
    (run,) = notebook.runs()
    found = notebook.namespace["found"]
    assert run.metrics["cv_roc_auc"] == pytest.approx(found["test_roc_auc"].mean())
    assert run.metrics["cv_train_accuracy"] == pytest.approx(found["train_accuracy"].mean())
    assert run.params["cross_validation.scoring"] == ["accuracy", "roc_auc"]
    table = notebook.store.objects.read_json(run.artifacts[0].digest)
    assert set(table) == set(found)


def test_models_and_indices_beside_the_scores(notebook: Notebook) -> None:
    """``cross_validate`` that gives back models and indices too is recorded by its scores."""
    notebook.run(
        HEAD + "found = cross_validate(Ridge(), X, y, cv=2, return_estimator=True,\n"
        "    return_indices=True)"
    )
    notebook.run("later = Ridge().fit(X, y)")
    run, later = notebook.runs()
    assert (run.status, later.name) == ("finished", "Ridge")
    found = notebook.namespace["found"]
    assert run.metrics["cv_score"] == pytest.approx(found["test_score"].mean())
    table = notebook.store.objects.read_json(run.artifacts[0].digest)
    assert set(table) == {"fit_time", "score_time", "test_score"}


def test_metrics_of_predictions_find_their_run(notebook: Notebook) -> None:
    """What is computed of the predictions of all folds is the metric of that run, also later."""
    notebook.run(HEAD + "p = cross_val_predict(LogisticRegression(), X, y, cv=2)")
    notebook.run("other = Ridge().fit(X, y)")
    notebook.run("acc = accuracy_score(y, p)")
    assert notebook.metrics() == [{"acc": notebook.namespace["acc"]}, {}]


def test_a_fitted_model_keeps_its_run(notebook: Notebook) -> None:
    """Validating a model that was fitted before does not take its later metrics away."""
    notebook.run(HEAD + "model = LogisticRegression().fit(X, y)")
    notebook.run("cross_val_score(model, X, y, cv=2)")
    notebook.run("acc = accuracy_score(y, model.predict(X))")
    assert [set(metrics) for metrics in notebook.metrics()] == [
        {"acc"},
        {"cv_score", "cv_score_std"},
    ]


def test_a_search_within_is_one_run(notebook: Notebook) -> None:
    """Nested cross-validation, a search in each fold, is one run with no candidate of its own."""
    notebook.run(
        HEAD + "from sklearn.model_selection import GridSearchCV\n"
        "search = GridSearchCV(DecisionTreeClassifier(), {'max_depth': [1, 2]}, cv=2)\n"
        "cross_val_score(search, X, y, cv=2)"
    )
    assert [set(metrics) for metrics in notebook.metrics()] == [{"cv_score", "cv_score_std"}]


def test_a_validation_that_fails(notebook: Notebook) -> None:
    """It raises as without us, its run is failed, and the next fit is recorded."""
    with pytest.raises(ValueError, match="n_splits=500") as ours:
        notebook.run(HEAD + "cross_val_score(LogisticRegression(), X, y, cv=500)")
    notebook.run("model = Ridge().fit(X, y)")
    assert [run.status for run in notebook.runs()] == ["failed", "finished"]
    assert "mlops_nb/autolog" not in "".join(traceback.format_exception(ours.value))


def test_functions_stay_themselves(unarmed: Notebook) -> None:
    """Case 2: the public functions are the same objects, and what they call is put back."""
    function = sklearn.model_selection.cross_validate
    cell = find_cell(function)
    assert cell is not None
    before = cell.cell_contents
    autolog.arm(unarmed.session)
    assert sklearn.model_selection.cross_validate is function
    assert cell.cell_contents is not before
    autolog.disarm()
    assert cell.cell_contents is before


def test_results_are_the_same(unarmed: Notebook) -> None:
    """Scores are those that are computed without us."""
    from sklearn.linear_model import Ridge

    data = np.random.default_rng(0).normal(size=(30, 2))
    plain = sklearn.model_selection.cross_val_score(Ridge(), data, data[:, 0], cv=3)
    autolog.arm(unarmed.session)
    try:
        ours = sklearn.model_selection.cross_val_score(Ridge(), data, data[:, 0], cv=3)
    finally:
        autolog.disarm()
    np.testing.assert_array_equal(plain, ours)

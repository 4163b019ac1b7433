"""Cases 26, 30, 32, 35, 37 and 39 of the harm suite: scikit-learn where it is not plain."""

from __future__ import annotations

import io
import pickle
import traceback

import pytest

from mlops_nb import autolog
from tests.autolog.conftest import Notebook

META = {
    "StackingClassifier": "([('a', LogisticRegression()), ('b', DecisionTreeClassifier())], cv=2)",
    "VotingClassifier": "([('a', LogisticRegression()), ('b', DecisionTreeClassifier())])",
    "BaggingClassifier": "(DecisionTreeClassifier(), n_estimators=3)",
    "CalibratedClassifierCV": "(LogisticRegression(), cv=2)",
    "OneVsRestClassifier": "(LogisticRegression())",
    "AdaBoostClassifier": "(n_estimators=2)",
}
HOMES = (
    "from sklearn.calibration import CalibratedClassifierCV\n"
    "from sklearn.ensemble import *\n"
    "from sklearn.multiclass import OneVsRestClassifier\n"
)


@pytest.mark.filterwarnings("ignore:The SAMME.R algorithm")  # of AdaBoost before scikit-learn 1.6
@pytest.mark.parametrize("name", META)
def test_what_fits_others_is_one_run(notebook: Notebook, name: str) -> None:
    """Case 26: a meta-estimator is one run under its own name; what it fits inside is none."""
    notebook.run(HOMES + f"model = {name}{META[name]}.fit(X, y); acc = model.score(X, y)")
    assert notebook.names() == [name]
    assert notebook.metrics() == [{"acc": notebook.namespace["acc"]}]


TABLES = {
    "pl.DataFrame(A, schema=list('abc'))": ((40, 3), (40,)),
    "torch.tensor(A)": ((40, 3), (40,)),
    "A.tolist()": (None, (40,)),
    "scipy.sparse.csr_array(A)": ((40, 3), (40,)),
    "pyarrow.table(dict(zip('abc', A.T)))": ((40, 3), (40,)),
    "Own(A)": (None, (40,)),
}


@pytest.mark.parametrize("source", TABLES)
def test_data_of_any_kind(
    notebook: Notebook, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever a library takes as a table leaves the recorder at work, and what is known is named."""
    notebook.run(
        "import polars as pl, pyarrow, scipy.sparse, torch\n"
        "A, b = X.to_numpy()[:40], y.to_numpy()[:40]\n"
        "class Own:\n"
        "    shape = (40, 3)\n"
        "    def __init__(self, held): self.held = held\n"
        "    def __array__(self, dtype=None, copy=None): return self.held\n"
        "    def __len__(self): return 40\n"
        "    def __getitem__(self, key): raise RuntimeError(key)\n"
        f"data = {source}\n"
        "model = LogisticRegression().fit(data, b)\nacc = accuracy_score(b, model.predict(data))"
    )
    assert capsys.readouterr().err == ""
    autolog.disarm()
    (run,) = notebook.runs()
    found = {data.role: data.shape for data in run.datasets}
    assert (found.get("X"), found["y"]) == TABLES[source]
    assert run.metrics["acc"] == notebook.namespace["acc"]


def test_a_search_over_a_pipeline(notebook: Notebook) -> None:
    """Case 26: a randomized search over a pipeline is one run; its best candidate is marked."""
    notebook.run(
        "from sklearn.model_selection import RandomizedSearchCV\n"
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import StandardScaler\n"
        "pipe = make_pipeline(StandardScaler(), LogisticRegression())\n"
        "space = {'logisticregression__C': [0.01, 1.0, 100.0]}\n"
        "search = RandomizedSearchCV(pipe, space, n_iter=3, cv=2, random_state=0).fit(X, y)\n"
        "acc = accuracy_score(y, search.best_estimator_.predict(X))"
    )
    (run,) = notebook.runs()
    search = notebook.namespace["search"]
    table = notebook.store.objects.read_json(run.artifacts[0].digest)
    assert table["best_index"] == search.best_index_
    assert len(table["candidates"]["params"]) == 3
    assert run.params["best.logisticregression__C"] == search.best_params_["logisticregression__C"]
    assert run.metrics["acc"] == notebook.namespace["acc"]


def test_a_parameter_that_is_refused(notebook: Notebook) -> None:
    """Case 30: a wrong parameter raises as without us; the cell is failed, and no run is open."""
    with pytest.raises(ValueError, match="'C' parameter") as raised:
        notebook.run("LogisticRegression(C='much').fit(X, y)")
    assert "mlops_nb/autolog" not in "".join(traceback.format_exception(raised.value))
    notebook.run("model = Ridge().fit(X, y)")
    (run,) = notebook.runs()
    assert [cell.status for cell in run.cells][1:2] == ["error"]


def test_bytes_of_a_model_in_every_form(unarmed: Notebook) -> None:
    """Case 32: pickle, joblib and cloudpickle write the same bytes as without us."""
    import cloudpickle
    import joblib  # type: ignore[import-untyped]
    from sklearn.tree import DecisionTreeClassifier

    def write() -> tuple[bytes, bytes, bytes]:
        model = DecisionTreeClassifier(random_state=0).fit([[0.0], [1.0]], [0, 1])
        file = io.BytesIO()
        joblib.dump(model, file)
        return pickle.dumps(model), file.getvalue(), cloudpickle.dumps(model)

    plain = write()
    autolog.arm(unarmed.session)
    try:
        assert write() == plain
    finally:
        autolog.disarm()


def test_one_metric_of_many_inside(notebook: Notebook) -> None:
    """Cases 35 and 37: of a slice of probabilities one metric is logged, and none of its parts."""
    notebook.run(
        "model = LogisticRegression().fit(X, y)\n"
        "proba = model.predict_proba(X)\n"
        "auc = roc_auc_score(y, proba[:, 1])\n"
        "rmse = mean_squared_error(y, proba[:, 1]) ** 0.5"
    )
    (found,) = notebook.metrics()
    assert found["auc"] == notebook.namespace["auc"]
    assert found["rmse"] == notebook.namespace["rmse"]
    assert set(found) == {"auc", "rmse", "mean_squared_error"} or set(found) == {"auc", "rmse"}


def test_set_params_keeps_what_was_recorded(notebook: Notebook) -> None:
    """Case 39: parameters that are set after a fit belong to the next run, not to the last."""
    notebook.run("model = LogisticRegression(C=1.0).fit(X, y); model.set_params(C=7.0)")
    notebook.run("model.fit(X, y)")
    assert [run.params["C"] for run in notebook.runs()] == [1.0, 7.0]


def test_two_metrics_of_one_name(notebook: Notebook) -> None:
    """Called for training and test data, a function of the user's gives both as it names them."""
    notebook.run(
        "def report(model, X, y):\n"
        "    return accuracy_score(y, model.predict(X))\n"
        "model = DecisionTreeClassifier(max_depth=2).fit(X[:60], y[:60])\n"
        "train = report(model, X[:60], y[:60])\n"
        "test = report(model, X[60:], y[60:])"
    )
    space = notebook.namespace
    assert notebook.metrics() == [{"train": space["train"], "test": space["test"]}]


def test_two_metrics_of_one_name_in_a_helper(notebook: Notebook) -> None:
    """Where the name stands in the function itself, the second call is the next step of it."""
    notebook.run(
        "def report(model, X, y):\n"
        "    acc = accuracy_score(y, model.predict(X))\n"
        "    return acc\n"
        "model = DecisionTreeClassifier(max_depth=2).fit(X[:60], y[:60])\n"
        "train = report(model, X[:60], y[:60])\n"
        "test = report(model, X[60:], y[60:])"
    )
    (run,) = notebook.runs()
    points = notebook.store.read_metric_history(run.run_id, "acc")
    space = notebook.namespace
    assert [point.value for point in points] == [space["train"], space["test"]]

"""Estimators of the user's that use no library are recorded too, by what their fit leaves."""

from __future__ import annotations

import sys

import pytest

from tests.autolog.conftest import Notebook

MEAN = (
    "from sklearn.base import BaseEstimator, RegressorMixin\n"
    "class Mean(RegressorMixin, BaseEstimator):\n"
    "    def __init__(self, shift=0.0):\n        self.shift = shift\n"
    "    def fit(self, X, y):\n        self.mean_ = float(y.mean()) + self.shift\n        return self\n"
    "    def predict(self, X):\n        return np.full(len(X), self.mean_)\n"
)


def test_a_fit_without_a_library_is_a_run(notebook: Notebook) -> None:
    """Case 31: an estimator without hooks of the library is recorded as its own class."""
    notebook.run(MEAN)
    notebook.run("model = Mean(shift=0.5).fit(X, y)")
    (run,) = notebook.runs()
    assert (run.name, run.status, run.params) == ("Mean", "finished", {"shift": 0.5})
    assert run.tags["fit.seen"] == "after it"


def test_metrics_of_the_same_cell_find_it(notebook: Notebook) -> None:
    """A metric asks for its model before the cell ends; another model fitted before is not meant."""
    notebook.run("other = Ridge().fit(X, y)\n" + MEAN)
    notebook.run("model = Mean().fit(X, y)\nmse = mean_squared_error(y, model.predict(X))")
    notebook.run("r2 = model.score(X, y)")
    assert [set(metrics) for metrics in notebook.metrics()] == [set(), {"mse", "r2"}]


def test_a_later_fit_is_another_run(notebook: Notebook) -> None:
    """Fitted again in another cell it is another run, whose metrics are its own."""
    notebook.run(MEAN + "model = Mean().fit(X, y)")
    notebook.run("mse = mean_squared_error(y, model.predict(X))")
    notebook.run(
        "model.set_params(shift=1.0).fit(X, y)\nmse = mean_squared_error(y, model.predict(X))"
    )
    first, second = notebook.runs()
    assert (first.params["shift"], second.params["shift"]) == (0.0, 1.0)
    assert first.metrics["mse"] < second.metrics["mse"]


def test_nothing_else_is_taken_for_a_fit(notebook: Notebook) -> None:
    """A copy, one that nobody fitted, and attributes that are set by hand are no runs."""
    notebook.run(MEAN + "import copy\nmodel = Mean().fit(X, y)")
    notebook.run("other = copy.deepcopy(model); fresh = Mean()")
    notebook.run("read = copy.copy(model); fresh.fitness_ = 1")
    notebook.run("one = Ridge().fit(X, y)")
    assert notebook.names() == ["Mean", "Ridge"]


def test_what_fits_a_library_inside_is_one_run(notebook: Notebook) -> None:
    """Case 31: a meta-estimator of the user's that calls the library inside is recorded once."""
    notebook.run(
        MEAN + "class Meta(Mean):\n"
        "    def fit(self, X, y):\n"
        "        self.inner_ = Ridge().fit(X, y)\n        return super().fit(X, y)\n"
    )
    notebook.run("model = Meta().fit(X, y)")
    notebook.run("model.fit(X, y)")
    assert notebook.names() == ["Meta", "Meta"]


SLOTS = (
    "class Shift:\n"
    "    __slots__ = ('by', 'mean_')\n"
    "    def __init__(self, by=0.0):\n        self.by = by\n"
    "    def get_params(self, deep=True):\n        return {'by': self.by}\n"
    "    def fit(self, X, y):\n        self.mean_ = float(y.mean()) + self.by\n        return self\n"
    "    def predict(self, X):\n        return np.full(len(X), self.mean_)\n"
)


def test_slots_alone(notebook: Notebook) -> None:
    """One with slots and no weak references is known again by what it holds; twice fitted, two runs."""
    notebook.run(SLOTS + "unused = Shift(2.0)")
    notebook.run("model = Shift(0.5).fit(X, y)\nmse = mean_squared_error(y, model.predict(X))")
    notebook.run("other = Ridge().fit(X, y)")
    notebook.run("later = mean_squared_error(y, model.predict(X))")
    notebook.run("model.fit(X, y + 1)\nmse = mean_squared_error(y, model.predict(X))")
    runs = [(run.name, run.params.get("by")) for run in notebook.runs()]
    assert runs == [("Shift", 0.5), ("Ridge", None), ("Shift", 0.5)]
    assert [set(metrics) for metrics in notebook.metrics()] == [{"mse", "later"}, set(), {"mse"}]


def test_attributes_that_raise_are_not_asked(notebook: Notebook) -> None:
    """Properties of the user's are not computed to see whether something was fitted."""
    notebook.run(
        "class Odd:\n"
        "    asked = []\n"
        "    def fit(self, X): return self\n"
        "    def get_params(self, deep=True): return {}\n"
        "    @property\n"
        "    def score_(self): self.asked.append(1); raise RuntimeError\n"
        "odd = Odd().fit(X)"
    )
    assert notebook.namespace["Odd"].asked == []
    assert notebook.names() == []


def test_a_loop_of_joblib_is_the_users(notebook: Notebook) -> None:
    """Fits that the user gives to joblib's threads are each a run; other processes leave none."""
    notebook.run(
        "from joblib import Parallel, delayed\n"
        "models = [Ridge(alpha=a) for a in (1.0, 2.0)]\n"
        "Parallel(n_jobs=2, backend='threading')(delayed(m.fit)(X, y) for m in models)\n"
        "Parallel(n_jobs=1)(delayed(m.fit)(X, y) for m in models)"
    )
    assert sorted(run.params["alpha"] for run in notebook.runs()) == [1.0, 1.0, 2.0, 2.0]


def test_a_class_with_slots_alone(notebook: Notebook) -> None:
    """An object to which there are no weak references stops no recorder; later fits are recorded."""
    notebook.run(
        "class Slots:\n    __slots__ = ('m',)\n    def get_params(self, deep=True):\n"
        "        return {}\n    def fit(self, X, y):\n"
        "        self.m = LogisticRegression().fit(X, y)\n        return self\n"
        "    def predict(self, X):\n        return self.m.predict(X)\n"
        "own = Slots().fit(X, y)\nacc = accuracy_score(y, own.predict(X))\n"
        "r2 = Ridge().fit(X, y).score(X, y)"
    )
    assert notebook.names() == ["Slots", "Ridge"]
    assert [set(found) for found in notebook.metrics()] == [{"acc"}, {"r2"}]


WRAPPER = (
    "from sklearn.base import BaseEstimator\n"
    "class Wrapper(BaseEstimator):\n"
    "    def __init__(self, k=0):\n        self.k = k\n"
    "    def fit(self, X, y):\n        self.classes_ = np.unique(y)\n"
    "        self.inner_ = [LogisticRegression().fit(X, y) for _ in range(2)]\n"
    "        return self\n"
    "    def predict(self, X):\n        return self.inner_[0].predict(X)\n"
)


def test_what_is_set_before_the_inner_fit_is_no_fit(notebook: Notebook) -> None:
    """Attributes that a ``fit`` sets before it uses the library make no run of their own."""
    notebook.run(WRAPPER + "model = Wrapper().fit(X, y)\nacc = accuracy_score(y, model.predict(X))")
    notebook.run("model.fit(X, y)\nacc = accuracy_score(y, model.predict(X))")
    assert [(run.name, set(run.metrics)) for run in notebook.runs()] == [
        ("Wrapper", {"fit_time_s", "acc"}),
        ("Wrapper", {"fit_time_s", "acc"}),
    ]


@pytest.mark.skipif(sys.gettrace() is not None, reason="coverage traces on Python 3.11")
def test_each_call_of_an_own_fit_is_a_run(notebook: Notebook) -> None:
    """A loop that fits one object again and again gives a run each time, with its parameters."""
    notebook.run(
        WRAPPER + "model = Wrapper()\nfor k in range(5):\n    model.set_params(k=k).fit(X, y)\n"
        "    acc = accuracy_score(y, model.predict(X))"
    )
    runs = notebook.runs()
    assert [run.params for run in runs] == [{"k": k} for k in range(5)]
    assert all(set(run.metrics) == {"fit_time_s", "acc"} for run in runs)


def test_who_fits_an_own_transformer(notebook: Notebook) -> None:
    """Through the library's ``fit_transform`` data keep their names; its own checks are no runs."""
    notebook.run(
        "from sklearn.base import BaseEstimator, TransformerMixin\n"
        "from sklearn.cluster import KMeans\n"
        "from sklearn.utils.estimator_checks import check_transformer_general\n"
        "class Near(TransformerMixin, BaseEstimator):\n"
        "    def fit(self, X, y=None):\n"
        "        self.means_ = KMeans(2, n_init=1, random_state=0).fit(X)\n        return self\n"
        "    def transform(self, X):\n        return self.means_.transform(X)\n"
    )
    notebook.run("places = Near().fit_transform(X[['a', 'b']])")
    notebook.run("check_transformer_general('Near', Near())")
    (run,) = notebook.runs()
    assert [(data.role, data.name) for data in run.datasets] == [("X", "X[['a', 'b']]")]

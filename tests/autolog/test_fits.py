"""Each outermost fit is one run that says what was trained, on what, how and how long."""

from __future__ import annotations

import pytest

from mlops_nb import autolog
from mlops_nb.data import fingerprint, load_frame
from tests.autolog.conftest import Notebook


def test_fit_is_a_run(notebook: Notebook) -> None:
    """Class, parameters, changed ones, time, data, seeds and the cell are recorded."""
    notebook.run("model = LogisticRegression(C=0.5, max_iter=50).fit(X, y)")
    (run,) = notebook.runs()
    assert (run.name, run.status) == ("LogisticRegression", "finished")
    assert (run.params["C"], run.params["max_iter"], run.params["solver"]) == (0.5, 50, "lbfgs")
    assert run.tags["params.changed"] == "C, max_iter"
    assert run.tags["estimator.module"].startswith("sklearn.linear_model")
    assert run.tags["mlops.source"] == "autolog"
    assert run.tags["seed.numpy"]
    assert 0 < run.metrics["fit_time_s"] < 60
    assert run.cells[-1].source.startswith("model = ")
    assert [(data.name, data.role, data.shape) for data in run.datasets] == [
        ("X", "X", (120, 3)),
        ("y", "y", (120,)),
    ]
    assert autolog.run_of(notebook.namespace["model"]) == run.run_id


def test_data_are_stored_in_the_background(notebook: Notebook) -> None:
    """After the session has ended the bytes of what was fitted on read back, as they were then."""
    notebook.run("kept = X.copy(); LogisticRegression().fit(X, y); X.iloc[0, 0] = 99.0")
    autolog.disarm()
    (run,) = notebook.runs()
    again = load_frame(notebook.store, run.datasets[0])
    assert again.equals(notebook.namespace["kept"])
    record = fingerprint(notebook.namespace["kept"])
    assert record is not None
    assert run.datasets[0].fingerprint == record.fingerprint


def test_environment_is_described_once_the_libraries_are_loaded(notebook: Notebook) -> None:
    """The run's environment knows the thread pools and the packages that the fit has loaded."""
    notebook.run("model = LogisticRegression().fit(X, y)")
    autolog.disarm()
    (run,) = notebook.runs()
    assert run.environment is not None
    document = notebook.store.objects.read_json(run.environment)
    assert "scikit-learn" in document["imported"]
    assert document["threads"]["pools"]


def test_pipeline_is_named_by_its_last_step(notebook: Notebook) -> None:
    """A pipeline is one run with the parameters of its steps."""
    notebook.run(
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import StandardScaler\n"
        "pipe = make_pipeline(StandardScaler(), LogisticRegression(C=2.0)).fit(X, y)"
    )
    (run,) = notebook.runs()
    assert run.name == "LogisticRegression"
    assert run.tags["estimator"] == "Pipeline"
    assert run.params["logisticregression__C"] == 2.0
    assert run.params["standardscaler"] == "StandardScaler"
    assert "steps" not in run.params
    assert run.tags["params.changed"].split(", ").count("logisticregression__C") == 1


def test_preparation_alone_is_no_run(notebook: Notebook) -> None:
    """Scaling, encoding and splitting do not fill the table of runs; decompositions do."""
    notebook.run(
        "from sklearn.preprocessing import StandardScaler, OneHotEncoder\n"
        "from sklearn.decomposition import PCA\n"
        "StandardScaler().fit_transform(X); OneHotEncoder().fit(X)\n"
        "PCA(2).fit_transform(X)"
    )
    assert notebook.names() == ["PCA"]


@pytest.mark.parametrize(
    "backend", ["1", "2, backend='threading'", "2, backend='loky'"], ids=["one", "threads", "loky"]
)
def test_search_is_one_run(notebook: Notebook, backend: str) -> None:
    """A search is one run with all its candidates, whatever its workers are."""
    notebook.run(
        "from sklearn.model_selection import GridSearchCV\n"
        "from sklearn.metrics import make_scorer\n"
        "import joblib\n"
        f"with joblib.parallel_config(n_jobs={backend}):\n"
        "    search = GridSearchCV(DecisionTreeClassifier(), {'max_depth': [1, 2]}, cv=2,\n"
        "        scoring=make_scorer(accuracy_score)).fit(X, y)\n"
        "assert search.score(X, y) > 0.5"
    )
    (run,) = notebook.runs()
    assert run.name == "GridSearchCV"
    assert run.params["best.max_depth"] in {1, 2}
    assert run.metrics["best_cv_score"] == notebook.namespace["search"].best_score_
    assert notebook.metrics()[0].keys() == {"best_cv_score", "score"}
    table = notebook.store.objects.read_json(run.artifacts[0].digest)
    assert table["candidates"]["params"] == [{"max_depth": 1}, {"max_depth": 2}]
    assert autolog.run_of(notebook.namespace["search"].best_estimator_) == run.run_id


def test_curves_and_importances_make_no_noise(notebook: Notebook) -> None:
    """Fits of curves and importances are no runs and no metrics."""
    notebook.run(
        "from sklearn.inspection import permutation_importance\n"
        "from sklearn.model_selection import learning_curve\n"
        "learning_curve(LogisticRegression(), X, y, cv=2, train_sizes=[0.5, 1.0])\n"
        "model = LogisticRegression().fit(X, y)\n"
        "permutation_importance(model, X, y, n_repeats=2)"
    )
    assert notebook.metrics() == [{}]


def test_fits_in_threads_are_each_a_run(notebook: Notebook) -> None:
    """Four fits in a pool of the user's own are four runs."""
    notebook.run(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "models = [LogisticRegression(C=c) for c in (1.0, 2.0, 3.0, 4.0)]\n"
        "with ThreadPoolExecutor(4) as pool:\n"
        "    list(pool.map(lambda m: m.fit(X, y), models))"
    )
    assert sorted(run.params["C"] for run in notebook.runs()) == [1.0, 2.0, 3.0, 4.0]
    assert {run.status for run in notebook.runs()} == {"finished"}


def test_partial_fit_is_one_run(notebook: Notebook) -> None:
    """Ten thousand calls of ``partial_fit`` are one run with a few dozen values."""
    notebook.run(
        "from sklearn.linear_model import SGDClassifier\n"
        "model = SGDClassifier()\n"
        "rows, labels = X.to_numpy()[:4], y.to_numpy()[:4]\n"
        "for _ in range(2000):\n"
        "    model.partial_fit(rows, labels, classes=[0, 1])"
    )
    autolog.disarm()
    (run,) = notebook.runs()
    assert run.metrics["partial_fit_calls"] == 2000
    points = notebook.store.read_metric_history(run.run_id, "fit_time_s")
    assert len(points) < 60
    assert run.metrics["fit_time_s"] == max(point.value for point in points)


def test_script_without_cells(unarmed: Notebook) -> None:
    """Without cells a fit's run ends with the fit, and counted fits are still one run."""
    from sklearn.linear_model import LinearRegression, SGDRegressor

    autolog.arm(unarmed.session)
    try:
        model = SGDRegressor()
        for _ in range(20):
            model.partial_fit([[0.0], [1.0]], [0.0, 1.0])
        line = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
        r2 = line.score([[0.0], [1.0]], [0.0, 1.0])
    finally:
        autolog.disarm()
    first, second = unarmed.runs()
    assert (first.status, first.metrics["partial_fit_calls"]) == ("finished", 20)
    assert (second.status, second.metrics["r2"]) == ("finished", r2)


def test_partial_fit_in_another_cell_is_another_run(notebook: Notebook) -> None:
    """Going on with the training in a later cell is a run of its own."""
    notebook.run("from sklearn.linear_model import SGDClassifier\nmodel = SGDClassifier()")
    for _ in range(2):
        notebook.run("for _ in range(3):\n    model.partial_fit(X, y, classes=[0, 1])")
    assert [run.metrics["partial_fit_calls"] for run in notebook.runs()] == [3, 3]


def test_failing_fit_is_a_failed_run(notebook: Notebook) -> None:
    """A fit that raises is a failed run with its error, also when the cell goes on."""
    notebook.run(
        "try:\n    LogisticRegression().fit(X, [1] * len(X))\nexcept ValueError as error:\n    pass\n"
        "ok = Ridge().fit(X, y)"
    )
    failed, fine = notebook.runs()
    assert (failed.status, fine.status) == ("failed", "finished")
    assert failed.tags["error"].startswith("ValueError: This solver needs samples")


def test_interrupted_fit_is_an_interrupted_run(notebook: Notebook) -> None:
    """An interrupt inside a fit marks the run, and the next fit is recorded as ever."""
    source = (
        "from sklearn.svm import SVC\n"
        "def stop(a, b):\n    raise KeyboardInterrupt\n"
        "SVC(kernel=stop).fit(X, y)"
    )
    with pytest.raises(KeyboardInterrupt):
        notebook.run(source)
    notebook.run("model = Ridge().fit(X, y)")
    assert [run.status for run in notebook.runs()] == ["interrupted", "finished"]


def test_convergence_warning_is_a_tag(notebook: Notebook) -> None:
    """The user sees the warning as always, and the run has it as a tag."""
    with pytest.warns(match="failed to converge"):
        notebook.run("model = LogisticRegression(max_iter=1).fit(X, y)")
    assert notebook.runs()[0].tags["warnings"].startswith("ConvergenceWarning: lbfgs failed")


def test_estimator_of_the_user_is_recorded_as_such(notebook: Notebook) -> None:
    """A class defined in the notebook that fits others inside is one run under its own name."""
    notebook.run(
        "from sklearn.base import BaseEstimator, ClassifierMixin\n"
        "class Mine(ClassifierMixin, BaseEstimator):\n"
        "    def __init__(self, c=1.0):\n        self.c = c\n"
        "    def fit(self, X, y):\n"
        "        self.first_ = LogisticRegression(C=self.c).fit(X, y)\n"
        "        self.second_ = Ridge().fit(X, y)\n"
        "        return self\n"
        "    def predict(self, X):\n        return self.first_.predict(X)\n"
        "mine = Mine(c=3.0).fit(X, y)\n"
        "acc = accuracy_score(y, mine.predict(X))"
    )
    (run,) = notebook.runs()
    assert run.name == "Mine"
    assert run.params["c"] == 3.0
    assert set(run.metrics) == {"fit_time_s", "acc"}
    assert [data.name for data in run.datasets] == ["X", "y"]


def test_same_cell_again_makes_a_sibling(notebook: Notebook) -> None:
    """Running a cell ten times makes ten finished runs."""
    for _ in range(10):
        notebook.run("model = Ridge(alpha=0.5).fit(X, y)")
    assert [run.status for run in notebook.runs()] == ["finished"] * 10


def test_fit_inside_a_run_of_the_user_is_its_child(notebook: Notebook) -> None:
    """A fit in a ``with`` block belongs to the block's run."""
    notebook.namespace["session"] = notebook.session
    notebook.run("with session.start_run('outer'):\n    Ridge().fit(X, y)")
    outer, inner = notebook.runs()
    assert (outer.name, inner.parent_run_id) == ("outer", outer.run_id)


def test_paused_session_records_nothing(notebook: Notebook) -> None:
    """While the session is paused fits and metrics leave no trace."""
    notebook.session.is_paused = True
    notebook.run("model = LogisticRegression().fit(X, y); acc = model.score(X, y)")
    assert notebook.runs() == []


def test_sparse_data_are_never_made_dense(notebook: Notebook) -> None:
    """A sparse matrix whose dense form would not fit in memory is recorded as it is."""
    notebook.run(
        "from scipy import sparse\n"
        "at = (np.arange(200), np.arange(200) * 1000)\n"
        "wide = sparse.csr_matrix((np.ones(200), at), shape=(200, 50_000_000))\n"
        "from sklearn.dummy import DummyClassifier\n"
        "DummyClassifier().fit(wide, [0, 1] * 100)"
    )
    (run,) = notebook.runs()
    assert (run.datasets[0].kind, run.datasets[0].shape) == ("sparse", (200, 50_000_000))


def test_example_of_a_model(notebook: Notebook) -> None:
    """The training data are the example while they live; a few of their rows afterwards."""
    notebook.run("model = Ridge().fit(X, y); other = Ridge().fit(X.copy(), y)")
    assert autolog.example_of(notebook.namespace["model"]) is notebook.namespace["X"]
    sample = autolog.example_of(notebook.namespace["other"])
    assert sample.equals(notebook.namespace["X"].iloc[:100])
    assert autolog.example_of(object()) is None
    assert autolog.run_of(object()) is None


def test_types_as_parameters_are_named(notebook: Notebook) -> None:
    """A column transformer, whose encoder has a numpy type as parameter, is recorded whole."""
    notebook.run(
        "from sklearn.compose import ColumnTransformer\n"
        "from sklearn.pipeline import Pipeline\n"
        "from sklearn.preprocessing import OneHotEncoder, StandardScaler\n"
        "pre = ColumnTransformer([('num', StandardScaler(), ['a']), ('cat', OneHotEncoder(), ['b'])])\n"
        "pipe = Pipeline([('pre', pre), ('clf', LogisticRegression(C=3.0))])\n"
        "pipe.fit(X.round(), y)\n"
        "LogisticRegression().fit(X, y)"
    )
    first, second = notebook.runs()
    assert first.params["pre__cat__dtype"] == "numpy.float64"
    assert first.tags["params.changed"] == "clf__C"
    assert second.tags["params.changed"] == ""


def test_an_estimator_without_readable_parameters_is_recorded(notebook: Notebook) -> None:
    """A class that forgets to keep an argument has a run without params, and others go on."""
    notebook.run(
        "from sklearn.base import BaseEstimator\n"
        "class Forgetful(LogisticRegression):\n"
        "    def get_params(self, deep=True):\n"
        "        if deep: raise AttributeError('nothing kept')\n"
        "        return super().get_params(deep=False)\n"
        "Forgetful().fit(X, y)\n"
        "LogisticRegression(C=2.0).fit(X, y)"
    )
    first, second = notebook.runs()
    assert first.params == {}
    assert first.tags["params.unknown"] == "AttributeError: nothing kept"
    assert (second.status, second.params["C"]) == ("finished", 2.0)


def test_timed_fits_are_no_runs(notebook: Notebook) -> None:
    """What %timeit repeats hundreds of times is measured, not recorded."""
    notebook.run(
        "def train(): return Ridge().fit(X, y)\n"
        "code = compile('def inner(train):\\n    for _ in range(50): train()', "
        "'<magic-timeit>', 'exec')\n"
        "space = {}\n"
        "exec(code, space)\n"
        "space['inner'](train)"
    )
    assert notebook.names() == []


def test_fits_under_pythons_timeit_are_no_runs(notebook: Notebook) -> None:
    """What the module ``timeit`` repeats is measured, not recorded, as a text and as a function."""
    notebook.run(
        "from timeit import timeit, repeat\n"
        "took = timeit('Ridge().fit(X, y)', number=3, globals=globals())\n"
        "took = repeat(lambda: Ridge().fit(X, y), number=2, repeat=2)\n"
        "LogisticRegression().fit(X, y)"
    )
    assert notebook.names() == ["LogisticRegression"]


def test_a_fit_is_done_when_it_returns(notebook: Notebook) -> None:
    """A cell that fails or waits after a fit does not make the fit fail, or longer."""
    with pytest.raises(ZeroDivisionError):
        notebook.run("import time\nRidge().fit(X, y)\nend = time.time()\ntime.sleep(0.1)\n1 / 0")
    (run,) = notebook.runs()
    assert run.status == "finished"
    assert run.ended_at is not None
    assert run.ended_at < notebook.namespace["end"] + 0.05

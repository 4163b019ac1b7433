"""XGBoost and LightGBM are recorded in both of their APIs: one run each, with all that it gave."""

from __future__ import annotations

import pytest

from mlops_nb import autolog
from mlops_nb.data import load_frame
from mlops_nb.records import RunRecord
from tests.autolog.conftest import Notebook
from tests.autolog.torchbook import read_points, read_values

FIRST = """
import xgboost as xgb
import lightgbm as lgb
from xgboost import XGBClassifier
from lightgbm import LGBMClassifier
XT, yt, XV, yv = X[:80], y[:80], X[80:], y[80:]
XP = {'objective': 'binary:logistic', 'max_depth': 2, 'nthread': 1}
LP = {'objective': 'binary', 'max_depth': 2, 'num_threads': 1, 'verbosity': -1}
"""


@pytest.fixture
def book(notebook: Notebook) -> Notebook:
    """Give a notebook with both libraries imported and data split."""
    notebook.run(FIRST)
    return notebook


def only_run(notebook: Notebook) -> RunRecord:
    """Give the one run there is."""
    (run,) = notebook.runs()
    return run


@pytest.mark.parametrize(
    ("fit", "kind", "series"),
    [
        (
            "model = XGBClassifier(n_estimators=5, max_depth=2, n_jobs=1)\n"
            "model.fit(XT, yt, eval_set=[(XV, yv)], verbose=False)\n",
            "XGBClassifier",
            "validation_0-logloss",
        ),
        (
            "model = LGBMClassifier(n_estimators=5, max_depth=2, n_jobs=1, verbose=-1)\n"
            "model.fit(XT, yt, eval_X=XV, eval_y=yv)\n",
            "LGBMClassifier",
            "valid_0-binary_logloss",
        ),
    ],
)
def test_fit_is_one_run(book: Notebook, fit: str, kind: str, series: str) -> None:
    """Parameters and which are changed, both data sets by name, each round, and the metric after."""
    book.run(f"{fit}acc = accuracy_score(yv, model.predict(XV))")
    run = only_run(book)
    assert (run.name, run.status, run.tags["method"]) == (kind, "finished", "fit")
    library = "xgboost" if kind.startswith("XGB") else "lightgbm"
    assert run.tags["library"].startswith(f"{library} ")
    expected = "max_depth, n_estimators, n_jobs" + (", verbose" if library == "lightgbm" else "")
    assert run.tags["params.changed"] == expected
    assert (run.params["max_depth"], run.params["iterations"]) == (2, 5)
    assert (run.params["model.trees"], run.params["model.features"]) == (5, 3)
    data = {(each.role, each.name): each.shape for each in run.datasets}
    role = series.partition("-")[0]
    assert data == {
        ("X", "XT"): (80, 3), ("y", "yt"): (80,),
        (f"{role}.X", "XV"): (40, 3), (f"{role}.y", "yv"): (40,),
    }  # fmt: skip
    name = series.partition("-")[2]
    model = book.namespace["model"]
    found = model.evals_result() if library == "xgboost" else model.evals_result_
    assert read_values(book, run.run_id, series) == found[role][name]
    assert run.metrics["acc"] == book.namespace["acc"]
    assert run.metrics["fit_time_s"] > 0
    assert autolog.run_of(model) == run.run_id


def test_native_xgboost(book: Notebook) -> None:
    """Rounds of every set, the rate of a plan, the best round, the user's own callbacks and results."""
    book.run(
        "train, valid = xgb.DMatrix(XT, label=yt), xgb.DMatrix(XV, label=yv)\n"
        "rates = xgb.callback.LearningRateScheduler(lambda n: 0.9 * 0.9 ** n)\n"
        "mine = {}\n"
        "model = xgb.train(XP, train, 60, evals=[(train, 'train'), (valid, 'valid')],\n"
        "    early_stopping_rounds=2, evals_result=mine, callbacks=[rates], verbose_eval=False)\n"
        "acc = accuracy_score(yv, model.predict(valid) > 0.5)"
    )
    run = only_run(book)
    assert (run.name, run.status, run.tags["method"]) == ("xgboost.train", "finished", "train")
    mine, model = book.namespace["mine"], book.namespace["model"]
    for label in ("train", "valid"):
        assert read_values(book, run.run_id, f"{label}-logloss") == mine[label]["logloss"]
    count = len(mine["valid"]["logloss"])
    assert count < 60
    assert (run.params["num_boost_round"], run.params["iterations"]) == (60, count)
    assert run.metrics["best_iteration"] == model.best_iteration
    assert run.metrics["best_score"] == pytest.approx(model.best_score)
    best = model.best_iteration
    assert run.tags["early_stopping"] == f"after {count} of 60 iterations, best {best}"
    rates = dict(read_points(book, run.run_id, "learning_rate"))
    assert rates[0] == pytest.approx(0.3)  # a plan speaks of the rounds after the first
    given = ("objective", "max_depth", "early_stopping_rounds", "callbacks", "data.rows")
    assert [run.params[key] for key in given] == [
        "binary:logistic", 2, 2, "LearningRateScheduler", 80,
    ]  # fmt: skip
    roles = [(data.role, data.name) for data in run.datasets]
    assert roles == [("X", "train"), ("y", "train"), ("valid.X", "valid"), ("valid.y", "valid")]
    assert run.metrics["acc"] == book.namespace["acc"]
    assert autolog.run_of(model) == run.run_id


def test_native_lightgbm(book: Notebook) -> None:
    """Rounds of every set, changing rates, the best round, the user's own callbacks and results."""
    book.run(
        "train, valid = lgb.Dataset(XT, yt), lgb.Dataset(XV, yv)\n"
        "mine = {}\n"
        "model = lgb.train(LP, train, 60, valid_sets=[train, valid], valid_names=['train', 'valid'],\n"
        "    callbacks=[lgb.early_stopping(2, verbose=False), lgb.record_evaluation(mine),\n"
        "        lgb.reset_parameter(learning_rate=lambda n: 0.9 * 0.5 ** n)])\n"
        "acc = accuracy_score(yv, model.predict(XV) > 0.5)"
    )
    run = only_run(book)
    assert (run.name, run.status, run.tags["method"]) == ("lightgbm.train", "finished", "train")
    mine, model = book.namespace["mine"], book.namespace["model"]
    for label in ("train", "valid"):
        assert (
            read_values(book, run.run_id, f"{label}-binary_logloss")
            == (mine[label]["binary_logloss"])
        )
    count = len(mine["valid"]["binary_logloss"])
    assert (run.params["num_iterations"], run.params["iterations"]) == (60, count)
    assert run.metrics["best_iteration"] == model.best_iteration
    assert run.metrics["best_score"] == min(mine["valid"]["binary_logloss"])
    rates = read_values(book, run.run_id, "learning_rate")
    assert rates == [pytest.approx(0.9 * 0.5**n) for n in range(count)]
    assert run.params["callbacks"].startswith("EarlyStoppingCallback, RecordEvaluation")
    assert [(data.role, data.shape) for data in run.datasets] == [
        ("X", (80, 3)), ("y", (80,)), ("valid.X", (40, 3)), ("valid.y", (40,)),
    ]  # fmt: skip
    assert run.metrics["acc"] == book.namespace["acc"]
    assert autolog.run_of(model) == run.run_id


@pytest.mark.parametrize(
    ("call", "name", "series"),
    [
        ("table = xgb.cv(XP, xgb.DMatrix(X, y), 4, nfold=3)", "xgboost.cv", "test-logloss"),
        (
            "table = lgb.cv(LP, lgb.Dataset(X, y), 4, nfold=3)",
            "lightgbm.cv",
            "valid-binary_logloss",
        ),
    ],
)
def test_folds_are_one_run(book: Notebook, call: str, name: str, series: str) -> None:
    """Means and spreads over the folds are those that the library gives back."""
    book.run(call)
    run = only_run(book)
    assert (run.name, run.params["nfold"], run.params["iterations"]) == (name, 3, 4)
    table = book.namespace["table"]
    column = series if name.startswith("xgb") else series.replace("-", " ")
    spread = "std" if name.startswith("xgb") else "stdv"
    assert read_values(book, run.run_id, f"{series}-mean") == list(table[f"{column}-mean"])
    assert read_values(book, run.run_id, f"{series}-std") == list(table[f"{column}-{spread}"])


def test_data_of_a_matrix_are_those_it_was_made_of(book: Notebook) -> None:
    """What is kept are the user's own frames, or what the matrix holds where they are gone."""
    book.run("model = xgb.train(XP, xgb.DMatrix(XT, yt), 1)")
    book.run("train = xgb.DMatrix(XT * 2, list(yt)); model = xgb.train(XP, train, 1)")
    autolog.disarm()
    first, second = book.runs()
    assert load_frame(book.store, first.datasets[0]).equals(book.namespace["XT"])
    held = load_frame(book.store, second.datasets[0])
    assert held.toarray() == pytest.approx(book.namespace["XT"].to_numpy() * 2)
    assert [data.role for data in second.datasets] == ["X", "y"]


def test_within_scikit_learn(book: Notebook) -> None:
    """A pipeline's run has the rounds; a search, folds and ensembles are one run without them."""
    book.run(
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import StandardScaler\n"
        "from sklearn.model_selection import GridSearchCV, cross_val_score\n"
        "from sklearn.ensemble import VotingClassifier\n"
        "made = make_pipeline(StandardScaler(), XGBClassifier(n_estimators=3, n_jobs=1))\n"
        "made.fit(X, y, xgbclassifier__eval_set=[(X.to_numpy(), y)], xgbclassifier__verbose=False)\n"
        "small = LGBMClassifier(n_estimators=3, n_jobs=1, verbose=-1)\n"
        "GridSearchCV(small, {'max_depth': [1, 2]}, cv=2).fit(X, y)\n"
        "VotingClassifier([('a', small), ('b', XGBClassifier(n_estimators=2, n_jobs=1))]).fit(X, y)\n"
        "cross_val_score(XGBClassifier(n_estimators=2, n_jobs=1), X, y, cv=2)"
    )
    runs = book.runs()
    names = ["XGBClassifier", "GridSearchCV", "VotingClassifier"]
    assert [run.name for run in runs][:3] == names
    assert [run.tags["method"] for run in runs[3:]] == ["cross_val_score"]
    assert len(read_values(book, runs[0].run_id, "validation_0-logloss")) == 3
    assert all("iterations" not in run.params for run in runs[1:])
    assert {run.status for run in runs} == {"finished"}


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("xgb.train({**XP, 'objective': 'no'}, xgb.DMatrix(X, y), 2)", "xgboost.train"),
        ("lgb.train({**LP, 'objective': 'no'}, lgb.Dataset(X, y), 2)", "lightgbm.train"),
        ("XGBClassifier(n_jobs=1).fit(X, y[:5])", "XGBClassifier"),
        ("LGBMClassifier(n_jobs=1, verbose=-1).fit(X, y[:5])", "LGBMClassifier"),
    ],
)
def test_failures(book: Notebook, call: str, name: str) -> None:
    """A training that raises is a failed run, also where the user catches it; the next one is not."""
    with pytest.raises(Exception, match=r"(?i)objective|label"):
        book.run(call)
    book.run(
        f"try:\n    {call}\nexcept Exception:\n    pass\nmodel = LogisticRegression().fit(X, y)"
    )
    runs = book.runs()
    assert [(run.name, run.status) for run in runs] == [
        (name, "failed"), (name, "failed"), ("LogisticRegression", "finished"),
    ]  # fmt: skip
    assert "Error" in runs[0].tags["error"]  # told by the cell where the library tells nobody
    if name != "lightgbm.train":
        assert "Error" in runs[1].tags["error"]


@pytest.mark.parametrize(
    "call",
    [
        "xgb.train(XP, xgb.DMatrix(X, y), 50, callbacks=[Stop()])",
        "lgb.train(LP, lgb.Dataset(X, y), 50, callbacks=[stop])",
    ],
)
def test_interrupt_keeps_what_was_there(book: Notebook, call: str) -> None:
    """Interrupted at the third round, the run is interrupted and has its rounds."""
    book.run(
        "class Stop(xgb.callback.TrainingCallback):\n"
        "    def after_iteration(self, model, epoch, evals_log):\n"
        "        if epoch == 2: raise KeyboardInterrupt\n"
        "        return False\n"
        "def stop(env):\n"
        "    if env.iteration == 2: raise KeyboardInterrupt\n"
    )
    with pytest.raises(KeyboardInterrupt):
        book.run(call)
    assert only_run(book).status == "interrupted"


def test_metrics_of_the_training_are_no_metrics_of_the_notebook(book: Notebook) -> None:
    """A metric of scikit-learn that XGBoost computes each round is a series, not noise."""
    book.run(
        "from sklearn.metrics import mean_absolute_error\n"
        "from xgboost import XGBRegressor\n"
        "model = XGBRegressor(n_estimators=3, n_jobs=1, eval_metric=mean_absolute_error)\n"
        "model.fit(XT, yt, eval_set=[(XV, yv)], verbose=False)"
    )
    run = only_run(book)
    assert len(read_values(book, run.run_id, "validation_0-mean_absolute_error")) == 3
    assert "mean_absolute_error" not in run.metrics


def test_status_tells_both(book: Notebook) -> None:
    """Both are armed with their versions, and stay as they were when auto-logging is off."""
    import lightgbm
    import xgboost

    rows = {row[0]: row[1:] for row in autolog.status()}
    assert rows["XGBoost"] == ("armed", xgboost.__version__)
    assert rows["LightGBM"] == ("armed", lightgbm.__version__)
    autolog.disarm()
    book.run("model = xgb.train(XP, xgb.DMatrix(X, y), 1); XGBClassifier(n_estimators=1).fit(X, y)")
    assert book.runs() == []

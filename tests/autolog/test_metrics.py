"""A metric belongs to the model it speaks of and has the name the user gives it."""

from __future__ import annotations

import pytest

from tests.autolog.conftest import Notebook

FIT = "model = LogisticRegression().fit(X, y)\np = model.predict(X)\n"

NAMES = {
    "acc = accuracy_score(y, p)": {"acc"},
    "accuracy_score(y, p)": {"accuracy_score"},
    "acc: float = accuracy_score(y, p)": {"acc"},
    "acc = round(accuracy_score(y, p), 3)": {"acc"},
    "acc = float(accuracy_score(y, p))": {"acc"},
    "acc, f1 = accuracy_score(y, p), f1_score(y, p)": {"acc", "f1"},
    "out = {}\nout['accuracy'] = accuracy_score(y, p)": {"accuracy"},
    "out = {'acc': accuracy_score(y, p), 'f1': f1_score(y, p)}": {"acc", "f1"},
    "out = dict(acc=accuracy_score(y, p))": {"acc"},
    "print(f'AUC: {roc_auc_score(y, p):.3f}')": {"auc"},
    "print('Accuracy:', accuracy_score(y, p), 'F1 score =', f1_score(y, p))": {
        "accuracy",
        "f1_score",
    },
    "print(f'acc={accuracy_score(y, p):.2f}, f1={f1_score(y, p):.2f}')": {"acc", "f1"},
    "print('accuracy: %.3f' % accuracy_score(y, p))": {"accuracy"},
    "print('acc %5.2f (F1 %s)' % (accuracy_score(y, p), f1_score(y, p)))": {"acc", "f1"},
    "print('AUC {:.3f}, acc {}'.format(roc_auc_score(y, p), accuracy_score(y, p)))": {
        "auc",
        "acc",
    },
    "print('100 %% or {'.join(map(str, [accuracy_score(y, p)])))": {"accuracy_score"},
    "print(accuracy_score(y, p))": {"accuracy_score"},
    "if (acc := accuracy_score(y, p)) > 0: pass": {"acc"},
    "scores = [accuracy_score(y, p) for _ in range(2)]": {"accuracy_score"},
    "_ = accuracy_score(y, p)": {"accuracy_score"},
    "class R: pass\nR.acc = accuracy_score(y, p)": {"acc"},
    "def f(m):\n    return accuracy_score(y, m.predict(X))\ntest_acc = f(model)": {"test_acc"},
    "test_acc = model.score(X, y)": {"test_acc"},
    "model.score(X, y)": {"score"},
    "def f(_):\n    return model.score(X, y)\n"
    "from concurrent.futures import ThreadPoolExecutor\n"
    "with ThreadPoolExecutor(1) as pool: list(pool.map(f, [1]))": {"score"},
    "auc = roc_auc_score(y, model.predict_proba(X)[:, 1])": {"auc"},
    "from sklearn.metrics import get_scorer\nget_scorer('f1')(model, X, y)": {"f1_score"},
    "accuracy_score(\n    y,\n    p,\n)": {"accuracy_score"},
    "error = 1 - accuracy_score(y, p)": {"accuracy_score", "error"},
    "rmse = mean_squared_error(y, p) ** 0.5": {"mean_squared_error", "rmse"},
    "rmse = np.sqrt(mean_squared_error(y, p))": {"mean_squared_error", "rmse"},
    "text = str(accuracy_score(y, p))": {"accuracy_score"},
    "from sklearn.metrics import confusion_matrix, classification_report\n"
    "confusion_matrix(y, p); classification_report(y, p)": set(),
    "f1_score(y, p, average=None)": set(),
}


@pytest.mark.parametrize("source", NAMES)
def test_name_of_a_metric(notebook: Notebook, source: str) -> None:
    """The variable, key, keyword or printed label names the metric; else its function does."""
    notebook.run(FIT + source)
    assert set(notebook.metrics()[0]) == NAMES[source]


def test_value_is_the_value(notebook: Notebook) -> None:
    """What is recorded is what the user got."""
    notebook.run(FIT + "acc = accuracy_score(y, p)\nrmse = mean_squared_error(y, p)")
    assert notebook.metrics() == [
        {"acc": notebook.namespace["acc"], "rmse": notebook.namespace["rmse"]}
    ]


def test_derived_value_is_the_variable(notebook: Notebook) -> None:
    """A variable that arithmetic makes of a metric is recorded with the value it has."""
    notebook.run(FIT + "rmse = mean_squared_error(y, p) ** 0.5")
    assert notebook.metrics()[0]["rmse"] == notebook.namespace["rmse"]


WITHIN = [
    "v = silhouette_score(X, KMeans(2, n_init=1).fit_predict(X))",
    "v = {k: silhouette_score(X, KMeans(k, n_init=1).fit_predict(X)) for k in (3, 2)}[2]",
    "v = accuracy_score(y, KMeans(2, n_init=1).fit(X).predict(X))",
    "v = accuracy_score(y, cross_val_predict(LogisticRegression(), X, y, cv=2).round())",
    "p = cross_val_predict(LogisticRegression(), X, y, cv=2, method='predict_proba')[:, 1]\n"
    "v = roc_auc_score(y, p)",
]


@pytest.mark.parametrize("source", WITHIN)
def test_metric_of_a_model_that_nobody_holds(notebook: Notebook, source: str) -> None:
    """What the call itself fits is meant, and a column of what a validation has predicted."""
    notebook.run(
        "from sklearn.cluster import KMeans\nfrom sklearn.metrics import silhouette_score\n"
        "from sklearn.model_selection import cross_val_predict\n"
        f"other = Ridge().fit(X, y)\n{source}"
    )
    assert notebook.runs()[0].metrics.keys() == {"fit_time_s"}
    found = [value for name, value in notebook.metrics()[-1].items() if name != "fit_time_s"]
    assert found == [notebook.namespace["v"]]


DERIVED = {
    "out = {'rmse': mean_squared_error(y, p) ** 0.5}": ("rmse", "mse ** 0.5"),
    "out = {}\nout['rmse'] = np.sqrt(mean_squared_error(y, p))": ("rmse", "mse ** 0.5"),
    "print(f'RMSE: {np.sqrt(mean_squared_error(y, p)):.3f}')": ("rmse", "mse ** 0.5"),
    "rows = [dict(err=100 * (1 - mean_squared_error(y, p)))]": ("err", "100 * (1 - mse)"),
    "def rmse(a, b):\n    return mean_squared_error(a, b) ** 0.5\nrmse(y, p)": ("rmse", "mse ** 0.5"),
    "def rmse(a, b):\n    return np.sqrt(mean_squared_error(a, b))\nerr = -rmse(y, p)": (
        "err", "-(mse ** 0.5)",
    ),
    "def mse(a, b):\n    return mean_squared_error(a, b)\nout = {'root': mse(y, p) ** 0.5}": (
        "root", "mse ** 0.5",
    ),
    "out = {'odd': 1 / (mean_squared_error(p, p) * 2)}": ("mean_squared_error", "0.0"),
}  # fmt: skip


@pytest.mark.parametrize("source", DERIVED)
def test_plain_arithmetic_is_done_at_once(notebook: Notebook, source: str) -> None:
    """A root or a percentage has the name that the user gives it, wherever that stands."""
    name, value = DERIVED[source]
    notebook.run(
        FIT
        + f"try:\n    {source.replace(chr(10), chr(10) + '    ')}\nexcept (ZeroDivisionError, RuntimeWarning): pass"
    )
    metrics = notebook.metrics()[0]
    assert metrics[name] == pytest.approx(eval(value, {"mse": metrics["mean_squared_error"]}))
    assert set(metrics) == {"mean_squared_error", name}


def test_repeated_metric_gets_steps(notebook: Notebook) -> None:
    """The same name again is the next step, not another metric."""
    notebook.run(FIT + "for cut in (0, 1, 2):\n    acc = accuracy_score(y, p)")
    (run,) = notebook.runs()
    points = notebook.store.read_metric_history(run.run_id, "acc")
    assert [point.step for point in points] == [0, 1, 2]


TWO = (
    "good = LogisticRegression().fit(X, y)\n"
    "bad = DecisionTreeClassifier(max_depth=1).fit(X[['c']], y)\n"
)

# The first of the two models is the one meant, so that "the latest fit" would be wrong.
FIRST = [
    ["acc = accuracy_score(y, good.predict(X))"],
    ["p = good.predict(X)\nacc = accuracy_score(y, p)"],
    ["p = good.predict(X)", "acc = accuracy_score(y, p)"],
    ["p = good.predict_proba(X)", "q = p[:, 1]", "acc = roc_auc_score(y, q)"],
    [
        "p = good.predict(X)",
        "q = (p > 0.5).astype(int)",
        "acc = accuracy_score(y_true=y, y_pred=q)",
    ],
    ["acc = good.score(X, y)"],
    ["models = {'good': good, 'bad': bad}", "acc = accuracy_score(y, models['good'].predict(X))"],
    ["def f(m):\n    q = m.predict(X)\n    return accuracy_score(y, q)", "acc = f(good)"],
    ["def f(y, q):\n    return accuracy_score(y, q)", "acc = f(y, good.predict(X))"],
    ["def f(q, y):\n    return accuracy_score(y, q)", "p = good.predict(X)", "acc = f(q=p, y=y)"],
    ["def f():\n    return good.predict(X)", "p = f()", "acc = accuracy_score(y, p)"],
    ["a, b = good.predict(X), bad.predict(X[['c']])", "acc = accuracy_score(y, a)"],
    ["class H: pass\nh = H(); h.model = good", "acc = accuracy_score(y, h.model.predict(X))"],
    ["with open('/dev/null') as f:\n    p = good.predict(X)", "acc = accuracy_score(y, p)"],
    ["import copy\nother = copy.deepcopy(good)", "acc = accuracy_score(y, other.predict(X))"],
    ["frame = pd.DataFrame({'p': good.predict(X)})", "acc = accuracy_score(y, frame['p'])"],
]


@pytest.mark.parametrize("cells", FIRST, ids=[" | ".join(cells) for cells in FIRST])
def test_metric_belongs_to_its_model(notebook: Notebook, cells: list[str]) -> None:
    """Names are followed through cells, functions, slices and collections to the model."""
    notebook.run(TWO)
    for cell in cells:
        notebook.run(cell)
    assert notebook.metrics() == [{"acc": notebook.namespace["acc"]}, {}]


LOOPS = {
    "predictions filled in": "preds = {}\nfor n, m in models.items():\n    preds[n] = m.predict(X)\n"
    "for name in preds:\n    acc = accuracy_score(y, preds[name])",
    "predictions in a literal": "preds = {'lr': models['lr'].predict(X), 'tree': models['tree'].predict(X)}\n"
    "for name, p in preds.items():\n    acc = accuracy_score(y, p)",
    "predictions by constant": "preds = {n: m.predict(X) for n, m in models.items()}\n"
    "a = accuracy_score(y, preds['lr'])\nb = accuracy_score(y, preds['tree'])",
    "list of models": "for m in [models['lr'], models['tree']]:\n    acc = accuracy_score(y, m.predict(X))",
    "while": "i = 0\nms = list(models.values())\nwhile i < 2:\n    acc = accuracy_score(y, ms[i].predict(X))\n    i += 1",
    "function": "def report(name, m):\n    p = m.predict(X)\n    return {'acc': accuracy_score(y, p)}\n"
    "out = {n: report(n, m) for n, m in models.items()}",
    "items": "for name, m in models.items():\n    acc = accuracy_score(y, m.predict(X))",
    "fit inside": "for name, m in models.items():\n    m.fit(X, y)\n    acc = accuracy_score(y, m.predict(X))",
    "predictions by name": "preds = {n: m.predict(X) for n, m in models.items()}\n"
    "for name, p in preds.items():\n    acc = accuracy_score(y, p)",
    "comprehension": "out = {n: accuracy_score(y, m.predict(X)) for n, m in models.items()}",
    "score": "for m in models.values():\n    acc = m.score(X, y)",
    "list of pairs": "for name, m in list(models.items()):\n    p = m.predict(X)\n    acc = accuracy_score(y, p)",
}


@pytest.mark.parametrize("loop", LOOPS)
def test_loop_over_models_gives_each_its_metric(notebook: Notebook, loop: str) -> None:
    """In a loop over models each gets its own value."""
    notebook.run(
        "models = {'lr': LogisticRegression(), 'tree': DecisionTreeClassifier(max_depth=1)}\n"
        "for m in models.values():\n    m.fit(X, y)"
    )
    notebook.run(LOOPS[loop])
    models = notebook.namespace["models"]
    data, labels = notebook.namespace["X"], notebook.namespace["y"]
    found = [next(iter(metrics.values())) for metrics in notebook.metrics() if metrics]
    expected = [float((model.predict(data) == labels).mean()) for model in models.values()]
    assert found == expected


def test_metric_of_no_model_goes_to_no_model(notebook: Notebook) -> None:
    """A baseline computed by hand is not ascribed to the model fitted before."""
    notebook.run(TWO)
    notebook.run("baseline = np.zeros(len(y), dtype=int)")
    notebook.run("acc = accuracy_score(y, baseline)")
    assert notebook.metrics() == [{}, {}]


def test_metric_of_no_model_goes_to_the_users_run(notebook: Notebook) -> None:
    """Inside a run of the user's own, a metric of no fitted model is that run's."""
    notebook.namespace["session"] = notebook.session
    notebook.run("with session.start_run('mine'):\n    acc = accuracy_score([0, 1, 1], [0, 1, 0])")
    assert [run.name for run in notebook.runs()] == ["mine"]
    assert notebook.metrics()[0]["acc"] == pytest.approx(2 / 3)


def test_several_candidates_are_not_guessed(notebook: Notebook) -> None:
    """Where a value may come from any of several models, none gets it."""
    notebook.run(TWO + "both = [good, bad]\nimport random")
    notebook.run("p = random.choice([m.predict(X[m.feature_names_in_]) for m in both])")
    notebook.run("acc = accuracy_score(y, p)")
    assert notebook.metrics() == [{}, {}]


def test_late_metric_brings_its_cell(notebook: Notebook) -> None:
    """A metric computed in a later cell goes to the finished run, with that cell."""
    notebook.run(FIT)
    notebook.run("acc = accuracy_score(y, p)")
    (run,) = notebook.runs()
    assert run.status == "finished"
    assert run.cells[-1].source == "acc = accuracy_score(y, p)"
    assert "acc" in run.metrics


def test_names_imported_before_arming_are_recorded(unarmed: Notebook) -> None:
    """Everything imported and bound before the extension was loaded is recorded all the same."""
    from mlops_nb import autolog

    unarmed.run(
        "from sklearn.linear_model import LogisticRegression\n"
        "from sklearn.metrics import accuracy_score\n"
        "import numpy as np\n"
        "X = np.arange(20.0).reshape(-1, 1); y = (X[:, 0] > 9).astype(int)"
    )
    autolog.arm(unarmed.session)
    try:
        unarmed.run(FIT + "acc = accuracy_score(y, p)")
    finally:
        autolog.disarm()
    assert unarmed.metrics() == [{"acc": 1.0}]


def test_no_source_falls_back_to_the_function(notebook: Notebook) -> None:
    """Code without source, as at a bare prompt, still records under the function's name."""
    notebook.run(FIT)
    exec(compile("acc = accuracy_score(y, p)", "<string>", "exec"), notebook.namespace)
    assert set(notebook.metrics()[0]) == {"accuracy_score"}


def test_a_call_that_is_repeated_follows_its_names_again(notebook: Notebook) -> None:
    """One place in the source gives each value to the model that its names mean at that moment."""
    notebook.run(
        TWO + "def report(model, data):\n"
        "    guess = model.predict(data)\n"
        "    return float(accuracy_score(y, guess))\n"
        "for _ in range(3):\n"
        "    first = report(good, X)\n"
        "    second = report(bad, X[['c']])\n"
        "    model = good\n"
        "    p = model.predict(X)\n"
        "    third = accuracy_score(y, p)\n"
    )
    one, other = notebook.runs()
    assert {"first", "third"} <= one.metrics.keys()
    assert "second" in other.metrics
    assert not {"first", "third"} & other.metrics.keys()
    points = notebook.store.read_metric_history(one.run_id, "third")
    assert [point.step for point in points] == [0, 1, 2]


def test_a_variable_that_refuses_questions(
    notebook: Notebook, capfd: pytest.CaptureFixture[str]
) -> None:
    """What holds no number at the end of the cell is not asked for one."""
    notebook.run(
        FIT + "class Closed:\n    def __getattr__(self, name): raise RuntimeError(name)\n"
        "rmse = abs(mean_squared_error(y, p)) ** 0.5\nrmse = Closed()\nacc = accuracy_score(y, p)"
    )
    assert "no longer recorded" not in capfd.readouterr().err
    assert set(notebook.metrics()[0]) == {"mean_squared_error", "acc"}

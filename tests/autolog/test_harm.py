"""Auto-logging changes nothing for the user: objects, results, errors, warnings, lifetimes."""

from __future__ import annotations

import copy
import inspect
import linecache
import pickle
import subprocess
import sys
import warnings
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mlops_nb
from mlops_nb import autolog
from mlops_nb.autolog.metrics import find_cell
from tests.autolog.conftest import Notebook

ROOT = Path(mlops_nb.__file__).parents[1]

DATA = np.random.default_rng(0).normal(size=(60, 3))
LABELS = (DATA[:, 0] > 0).astype(int)


def _hooks() -> list[Any]:
    """Give every object that arming may replace."""
    import sklearn.base
    import sklearn.metrics
    import sklearn.utils.parallel

    found: list[Any] = [sklearn.base.config_context, sklearn.utils.parallel.config_context]
    support = sys.modules.get("sklearn.callback._callback_support")
    if support is not None:
        found.append(vars(support)["callback_management_context"])
    found.append(vars(warnings)["_showwarnmsg"])
    for name in sklearn.metrics.__all__:
        function = getattr(sklearn.metrics, name)
        cell = find_cell(function)
        found.append(function)
        found.append(cell.cell_contents if cell is not None else None)
    found.extend(sys.meta_path)
    found.extend(vars(sklearn.base.BaseEstimator).values())
    return found


def _fit(**params: Any) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(**params).fit(DATA, LABELS)


def test_disarming_restores_the_very_objects(unarmed: Notebook) -> None:
    """After disarming every attribute, closure cell and finder is the object it was before."""
    _fit()
    before = _hooks()
    autolog.arm(unarmed.session)
    during = _hooks()
    autolog.disarm()
    after = _hooks()
    assert any(one is not other for one, other in zip(before, during, strict=True))
    assert all(one is other for one, other in zip(before, after, strict=True))


def test_arming_twice_is_arming_once(notebook: Notebook) -> None:
    """A second load of the extension records nothing twice."""
    autolog.arm(notebook.session)
    autolog.arm(notebook.session)
    notebook.run("model = LogisticRegression().fit(X, y); acc = accuracy_score(y, y)")
    assert len(notebook.runs()) == 1
    autolog.disarm()
    autolog.disarm()
    assert autolog.status() == []


def test_arming_imports_nothing() -> None:
    """In a fresh process arming loads no library, waits for them, and puts one finder in place."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from mlops_nb import autolog\n"
        "from mlops_nb.config import load_settings\n"
        "from mlops_nb.store import open_store\n"
        "from mlops_nb.tracking import open_session\n"
        "root = Path(sys.argv[1])\n"
        "session = open_session(open_store(root / 's', cache=root / 'c'), load_settings(root))\n"
        "autolog.arm(session)\n"
        "heavy = {'numpy', 'pandas', 'sklearn', 'torch', 'pyarrow', 'scipy', 'IPython', 'joblib'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert {row[1] for row in autolog.status() if row[0] != 'files'} == {'waiting'}\n"
        "from sklearn.linear_model import LinearRegression\n"
        "import sklearn.metrics, sklearn.base, inspect\n"
        "assert {row[1] for row in autolog.status() if 'scikit' in row[0]} == {'armed'}, autolog.status()\n"
        "LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])\n"
        "def count():\n"
        "    return sum('mlops' in type(finder).__module__ for finder in sys.meta_path)\n"
        "assert count() == 1\n"  # it still waits for torch
        "autolog.disarm()\n"
        "assert count() == 0\n"
        "assert type(sklearn.base.__loader__).__name__ == 'SourceFileLoader'\n"
        "assert sklearn.base.__spec__.loader is sklearn.base.__loader__\n"
        "assert 'class BaseEstimator' in inspect.getsource(sklearn.base)\n"
        "assert len(session.store.list_run_ids()) == 1\n"
    )
    arguments = [sys.executable, "-W", "error", "-c", code]
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        command = [*arguments, folder]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_model_is_the_same_with_and_without_us(unarmed: Notebook) -> None:
    """A fitted model has the same bytes, attributes and coefficients as without us."""
    plain = _fit(C=0.3)
    autolog.arm(unarmed.session)
    try:
        ours = _fit(C=0.3)
        assert pickle.dumps(ours) == pickle.dumps(plain)
        assert vars(ours).keys() == vars(plain).keys()
        assert repr(ours) == repr(plain)
    finally:
        autolog.disarm()


def test_copies_carry_nothing_of_ours(notebook: Notebook) -> None:
    """Clones and deep copies of a recorded model are no recorded models."""
    from sklearn.base import clone

    model = _fit()
    assert autolog.run_of(model) is not None
    assert autolog.run_of(copy.deepcopy(model)) is None
    assert autolog.run_of(clone(model)) is None
    assert set(vars(clone(model))) == set(model.get_params())
    assert len(notebook.runs()) == 1


def test_functions_are_themselves(notebook: Notebook) -> None:
    """Metric functions pickle as themselves and keep signature, doc and identity."""
    from sklearn import metrics

    for function in (metrics.accuracy_score, metrics.roc_auc_score):
        assert pickle.loads(pickle.dumps(function)) is function
        assert "mlops" not in (function.__doc__ or "")
        assert list(inspect.signature(function).parameters)[:1] == ["y_true"]
        assert "mlops_nb" not in inspect.getsource(function)
    scorer = metrics.make_scorer(metrics.accuracy_score)
    assert pickle.loads(pickle.dumps(scorer))._score_func is metrics.accuracy_score


def _drop_all() -> list[bool]:
    """Fit, score, and drop everything; tell what is gone without a garbage collection."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score

    data, labels = DATA.copy(), LABELS.copy()
    model = LogisticRegression().fit(data, labels)
    accuracy_score(labels, model.predict(data))
    model.score(data, labels)
    gone = [weakref.ref(model), weakref.ref(data), weakref.ref(labels)]
    del model, data, labels
    return [reference() is None for reference in gone]


def test_nothing_of_the_user_is_kept_alive(unarmed: Notebook) -> None:
    """What the user drops is gone at the same moment as without us, model and data alike."""
    import gc

    gc.disable()
    try:
        plain = _drop_all()
        autolog.arm(unarmed.session)
        assert _drop_all() == plain
        assert plain[0]
        assert len(unarmed.runs()) == 1
    finally:
        autolog.disarm()
        gc.enable()


def test_locals_of_the_user_stay_the_users(notebook: Notebook) -> None:
    """What a function got from ``locals()`` before a metric is still there after it."""
    from sklearn.metrics import accuracy_score

    def evaluate(truth: Any, guess: Any) -> dict[str, Any]:
        mine = locals()
        accuracy_score(truth, guess)
        return mine

    assert set(evaluate(LABELS, LABELS)) >= {"truth", "guess", "accuracy_score"}


def test_failed_fit_keeps_nothing_alive(notebook: Notebook) -> None:
    """After a fit that raised, dropping the exception drops data and model."""
    from sklearn.linear_model import LogisticRegression

    data = DATA.copy()
    model = LogisticRegression()
    with pytest.raises(ValueError, match="2 classes"):
        model.fit(data, np.zeros(60, dtype=int))
    gone = [weakref.ref(model), weakref.ref(data)]
    del model, data
    import gc

    gc.collect()  # pytest's own record of the exception is a cycle
    assert [reference() for reference in gone] == [None] * 2


def test_random_states_are_untouched(notebook: Notebook) -> None:
    """Recording a fit and a metric draws no random number."""
    import random

    notebook.run(
        "import random\n"
        "random.seed(1); np.random.seed(1)\n"
        "model = LogisticRegression().fit(X, y); acc = model.score(X, y)\n"
        "drawn = random.random(), float(np.random.rand())"
    )
    expected = random.Random(1).random(), float(np.random.RandomState(1).rand())
    assert notebook.namespace["drawn"] == expected


def test_caller_finds_its_data_unchanged(notebook: Notebook) -> None:
    """Frames keep their flags, columns and internals; sparse matrices their attributes."""
    notebook.run(
        "from scipy import sparse\n"
        "S = sparse.csr_matrix(X.to_numpy()); S.indices = S.indices.copy()\n"
        "before = dict(vars(S)); keys = set(vars(X))\n"
        "from sklearn.dummy import DummyClassifier\n"
        "DummyClassifier().fit(S, y); DummyClassifier().fit(X, y)\n"
        "same = vars(S).keys() == before.keys() and set(vars(X)) == keys"
    )
    assert notebook.namespace["same"] is True


def test_estimator_with_hostile_attributes(notebook: Notebook) -> None:
    """Parameters whose ``repr`` and ``==`` raise do not disturb the fit or the record."""
    notebook.run(
        "from sklearn.base import BaseEstimator\n"
        "from sklearn.base import _fit_context\n"
        "class Bad:\n"
        "    def __repr__(self): raise RuntimeError('repr')\n"
        "    def __eq__(self, other): raise RuntimeError('eq')\n"
        "    __hash__ = None\n"
        "class Mine(BaseEstimator):\n"
        "    _parameter_constraints = {}\n"
        "    def __init__(self, bad=None): self.bad = bad\n"
        "    @_fit_context(prefer_skip_nested_validation=True)\n"
        "    def fit(self, X, y=None):\n        self.n_ = 1\n        return self\n"
        "    def predict(self, X): return X\n"
        "mine = Mine(Bad()).fit(X)"
    )
    (run,) = notebook.runs()
    assert (run.name, run.params["bad"], run.tags["params.changed"]) == ("Mine", "Bad", "bad")
    states = [row[1] for row in autolog.status() if "scikit" in row[0]]
    assert states == ["armed", "armed"]


def test_callbacks_of_the_user_still_run(notebook: Notebook) -> None:
    """Callbacks that the user sets on an estimator run as ever and are the only ones it has."""
    pytest.importorskip("sklearn.callback")
    notebook.run(
        "from sklearn.callback import ScoringMonitor\n"
        "model = LogisticRegression(max_iter=5, tol=0.0)\n"
        "import warnings\n"
        "callback = ScoringMonitor(scoring='accuracy')\n"
        "model.set_callbacks(callback)\n"
        "with warnings.catch_warnings():\n"
        "    warnings.simplefilter('ignore')\n"
        "    model.fit(X, y)\n"
        "alone = model.__dict__.get('_skl_callbacks') == [callback]"
    )
    assert notebook.namespace["alone"] is True
    assert len(notebook.runs()) == 1


def test_unknown_library_version_is_told(
    unarmed: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the hook point is gone nothing is patched, and the status says why."""
    import sklearn.base

    def _fit_context(*, prefer_skip_nested_validation: bool) -> Any:
        return lambda method: method

    monkeypatch.setattr(sklearn.base, "_fit_context", _fit_context)
    autolog.arm(unarmed.session)
    try:
        rows = {row[0]: row[1:] for row in autolog.status()}
        assert rows["scikit-learn fits"][0] == "not armed"
        assert "no known hook" in rows["scikit-learn fits"][1]
        _fit()
        assert unarmed.runs() == []
    finally:
        autolog.disarm()


def test_forked_child_records_nothing() -> None:
    """A fit in a forked child leaves the parent's runs as they are."""
    code = (
        "import os, sys, tempfile, warnings\n"
        "from pathlib import Path\n"
        "from mlops_nb import autolog\n"
        "from mlops_nb.config import load_settings\n"
        "from mlops_nb.store import open_store\n"
        "from mlops_nb.tracking import open_session\n"
        "from sklearn.dummy import DummyRegressor\n"
        "root = Path(tempfile.mkdtemp())\n"
        "store = open_store(root / 's', cache=root / 'c')\n"
        "session = open_session(store, load_settings(root))\n"
        "autolog.arm(session)\n"
        "index = session.begin_cell('x')\n"
        "model = DummyRegressor().fit([[0.0]], [1.0])\n"
        "warnings.simplefilter('ignore')\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    DummyRegressor().fit([[0.0]], [1.0])\n"
        "    os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "session.end_cell(index)\n"
        "print(len(store.list_run_ids()), store.read_run(store.list_run_ids()[0]).status)\n"
    )
    if not hasattr(__import__("os"), "fork"):
        pytest.skip("no fork here")
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "finished"]


def test_source_lines_are_still_found(notebook: Notebook) -> None:
    """Reading sources for names leaves the line cache as it was."""
    before = set(linecache.cache)
    notebook.run(
        "model = LogisticRegression().fit(X, y); acc = accuracy_score(y, model.predict(X))"
    )
    added = set(linecache.cache) - before
    assert all(name.startswith("<cell") or Path(name).is_file() for name in added)

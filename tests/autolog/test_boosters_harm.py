"""Recording XGBoost and LightGBM changes nothing for the user, also when our hooks fail."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import sys
import threading
import traceback
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest
import xgboost as xgb
from sklearn.base import clone

from mlops_nb import autolog
from mlops_nb.autolog.boosters import BoosterRecorder
from mlops_nb.autolog.frames import BUSY
from mlops_nb.autolog.metrics import find_cell
from mlops_nb.autolog.training import Training
from tests.autolog.conftest import Notebook

DATA = np.random.default_rng(0).normal(size=(80, 3))
LABELS = (DATA[:, 0] > 0).astype(int)
XP = {"objective": "binary:logistic", "max_depth": 2, "nthread": 1}
LP = {"objective": "binary", "num_threads": 1, "verbosity": -1, "deterministic": True}


@pytest.fixture
def armed(unarmed: Notebook) -> Iterator[Notebook]:
    """Give a notebook with auto-logging armed and nothing run."""
    autolog.arm(unarmed.session)
    yield unarmed
    autolog.disarm()


def _hooks() -> list[Any]:
    """Give every object that arming may replace, and those that it must not."""
    sklearn, engine = sys.modules["xgboost.sklearn"], sys.modules["lightgbm.engine"]
    found: list[Any] = [vars(sklearn)["config_context"], *vars(engine).values()]
    found += [*vars(sys.modules["lightgbm.callback"]).values()]
    found += [*vars(sys.modules["lightgbm.sklearn"]).values()]
    for function in (xgb.train, xgb.cv, xgb.DMatrix.__init__, xgb.QuantileDMatrix.__init__):
        cell = find_cell(function)
        assert cell is not None
        found += [function, cell.cell_contents]
    for kind in (xgb.XGBModel, xgb.Booster, xgb.DMatrix, lgb.LGBMModel, lgb.Booster, lgb.Dataset):
        found += [*vars(kind).values()]
    return [*found, *vars(xgb.callback.CallbackContainer).values()]


def _fit_xgb(**given: Any) -> Any:
    model = xgb.XGBClassifier(n_estimators=3, n_jobs=1, **given)
    return model.fit(DATA, LABELS, eval_set=[(DATA, LABELS)], verbose=False)


def _fit_lgb(**given: Any) -> Any:
    model = lgb.LGBMClassifier(n_estimators=3, n_jobs=1, verbose=-1, **given)
    return model.fit(DATA, LABELS, eval_X=DATA, eval_y=LABELS)


def _train_xgb(**given: Any) -> Any:
    matrix = xgb.DMatrix(DATA, LABELS)
    return xgb.train(XP, matrix, 3, evals=[(matrix, "all")], verbose_eval=False, **given)


def _train_lgb(**given: Any) -> Any:
    data = lgb.Dataset(DATA, LABELS)
    return lgb.train(LP, data, 3, valid_sets=[data], **given)


CALLS = [_fit_xgb, _fit_lgb, _train_xgb, _train_lgb]


def test_disarming_restores_the_very_objects(unarmed: Notebook) -> None:
    """Public functions and classes stay themselves while armed; all is back afterwards."""
    before = _hooks()
    public = [xgb.train, xgb.cv, lgb.train, lgb.cv, xgb.callback.CallbackContainer]
    autolog.arm(unarmed.session)
    during = _hooks()
    assert sum(a is not b for a, b in zip(before, during, strict=True)) == 7
    now = [xgb.train, xgb.cv, lgb.train, lgb.cv, xgb.callback.CallbackContainer]
    assert all(a is b for a, b in zip(public, now, strict=True))
    autolog.disarm()
    assert all(a is b for a, b in zip(before, _hooks(), strict=True))


def test_models_are_the_same(unarmed: Notebook) -> None:
    """Bytes, attributes, parameters and text of trained models are what they are without us."""
    plain = [make() for make in CALLS]
    autolog.arm(unarmed.session)
    try:
        ours = [make() for make in CALLS]
        assert len(unarmed.runs()) == 4
        for one, other in zip(plain, ours, strict=True):
            assert pickle.dumps(one) == pickle.dumps(other)
            assert vars(one).keys() == vars(other).keys()
            assert autolog.run_of(other) is not None
            assert autolog.run_of(copy.deepcopy(other)) is None
        for one, other in zip(plain[:2], ours[:2], strict=True):
            assert repr(one) == repr(other)
            assert one.get_params().keys() == other.get_params().keys()
            assert repr(clone(one)) == repr(clone(other))
    finally:
        autolog.disarm()


def test_functions_are_themselves(armed: Notebook) -> None:
    """Functions pickle as themselves and keep signature, doc and source."""
    for function in (xgb.train, xgb.cv, lgb.train, lgb.cv):
        assert pickle.loads(pickle.dumps(function)) is function
        assert next(iter(inspect.signature(function).parameters)) == "params"
        assert "mlops" not in inspect.getsource(function)
        assert "mlops" not in (function.__doc__ or "")


class _Counting(xgb.callback.TrainingCallback):
    """A callback of the user's that stops the training by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Count, and stop after the second round."""
        self.seen.append(epoch)
        return epoch == 1


def test_callbacks_of_the_user_stay_theirs(armed: Notebook) -> None:
    """The user's own callbacks run as ever, their lists do not grow, and they may stop early."""
    mine = _Counting()
    given = [mine]
    model = _train_xgb(callbacks=given)
    assert (mine.seen, given, model.num_boosted_rounds()) == ([0, 1], [mine], 2)
    fitted = _fit_xgb(callbacks=given)
    assert fitted.callbacks is given
    assert given == [mine]
    rounds: list[int] = []
    others = [lambda env: rounds.append(env.iteration)]
    _train_lgb(callbacks=others)
    assert (rounds, len(others)) == ([0, 1, 2], 1)
    stopped = armed.runs()[0]
    assert stopped.tags["early_stopping"] == "after 2 of 3 iterations"


def test_nothing_is_kept_alive(unarmed: Notebook) -> None:
    """What the user drops is gone at the same moment as without us, without a collection."""
    gc.collect()
    gc.disable()
    try:
        plain = [weakref.ref(make())() is None for make in CALLS]
        autolog.arm(unarmed.session)
        assert [weakref.ref(make())() is None for make in CALLS] == plain
        assert plain.count(True) >= 2
        assert not BUSY.value
    finally:
        autolog.disarm()
        gc.enable()


def _fail_fit_xgb() -> None:
    xgb.XGBClassifier(n_jobs=1).fit(DATA, LABELS[:-1])


def _fail_train_xgb() -> None:
    xgb.train({"booster": "no"}, xgb.DMatrix(DATA, LABELS), 1)


def _fail_callbacks_xgb() -> None:
    _train_xgb(callbacks=[3])


def _fail_matrix_xgb() -> None:
    xgb.DMatrix(DATA, LABELS[:-1])


def _fail_fit_lgb() -> None:
    lgb.LGBMClassifier(n_jobs=1, verbose=-1).fit(DATA, LABELS, eval_X=DATA, eval_y=LABELS[:-1])


def _fail_train_lgb() -> None:
    lgb.train({**LP, "objective": "no"}, lgb.Dataset(DATA, LABELS), 1)


def _describe_failure(call: Callable[[], Any]) -> tuple[str, list[str]]:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - each library has classes of its own
        shown = traceback.format_exception(error)
        return type(error).__name__, [line for line in shown if "Stack trace" not in line]
    raise AssertionError("it was to fail")


FAILURES = [
    _fail_fit_xgb, _fail_train_xgb, _fail_callbacks_xgb, _fail_matrix_xgb, _fail_fit_lgb,
    _fail_train_lgb,
]  # fmt: skip


def test_tracebacks_are_identical(unarmed: Notebook) -> None:
    """Errors of the user's have the same class and frames as without us."""
    plain = [_describe_failure(call) for call in FAILURES]
    autolog.arm(unarmed.session)
    try:
        assert [_describe_failure(call) for call in FAILURES] == plain
        assert not BUSY.value
    finally:
        autolog.disarm()


def _warn_xgb() -> None:
    xgb.train({**XP, "unknown_one": 1}, xgb.DMatrix(DATA, LABELS), 1)


def _warn_lgb() -> None:
    lgb.train({**LP, "num_iterations": 2, "n_iter": 3}, lgb.Dataset(DATA, LABELS))


def test_warnings_are_identical(unarmed: Notebook) -> None:
    """Warnings have the same class, file and line as without us."""

    def collect(call: Callable[[], None]) -> list[tuple[str, str, int]]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call()
        return [(each.category.__name__, each.filename, each.lineno) for each in caught]

    plain = [collect(call) for call in (_warn_xgb, _warn_lgb)]
    assert all(plain)
    autolog.arm(unarmed.session)
    try:
        assert [collect(call) for call in (_warn_xgb, _warn_lgb)] == plain
    finally:
        autolog.disarm()


INJECTIONS = [
    (BoosterRecorder, "begin_fit"),
    (BoosterRecorder, "begin_training"),
    (BoosterRecorder, "end"),
    (Training, "gather"),
]


@pytest.mark.parametrize(("owner", "method"), INJECTIONS)
def test_a_hook_that_raises_is_told_once(
    notebook: Notebook,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    owner: type,
    method: str,
) -> None:
    """Trainings go on with their results; one line a library; no run is left open."""

    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("injected fault")

    notebook.namespace |= {"xgb": _train_xgb, "lgb": _train_lgb, "fx": _fit_xgb, "fl": _fit_lgb}
    others = set(threading.enumerate())
    monkeypatch.setattr(owner, method, explode)
    for _ in range(2):
        notebook.run("models = [fx(), fl(), xgb(), lgb()]")
    monkeypatch.undo()
    assert len(notebook.namespace["models"]) == 4
    assert sorted(capsys.readouterr().err.splitlines()) == [
        f"mlops_nb: {name} trainings are no longer recorded in this session: "
        "RuntimeError: injected fault"
        for name in ("LightGBM", "XGBoost")
    ]
    states = {row[0]: row[1] for row in autolog.status()}
    assert (states["XGBoost"], states["LightGBM"]) == ("stopped", "stopped")
    assert not BUSY.value
    assert "running" not in {run.status for run in notebook.runs()}
    notebook.run("model = LogisticRegression().fit(X, y)")
    assert notebook.names()[-1] == "LogisticRegression"
    ours = {each for each in set(threading.enumerate()) - others if "data" in each.name}
    autolog.disarm()
    assert not any(each.is_alive() for each in ours)


def test_unknown_library_is_not_armed(unarmed: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a version has no known point, its row says so, and trainings are as without us."""
    monkeypatch.setattr(xgb.training, "train", lambda *_, **__: None)
    monkeypatch.delattr(sys.modules["lightgbm.callback"], "_should_enable_early_stopping")
    autolog.arm(unarmed.session)
    try:
        rows = {row[0]: row[1:] for row in autolog.status()}
    finally:
        autolog.disarm()
    assert rows["XGBoost"][0] == rows["LightGBM"][0] == "not armed"
    assert "has no known point within xgboost.train" in rows["XGBoost"][1]


def test_part_of_a_library_is_armed(unarmed: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only ``cv`` has no known point, as in XGBoost 2, all else is recorded, and that is said."""
    monkeypatch.setattr(xgb.training, "cv", inspect.unwrap(xgb.cv))
    autolog.arm(unarmed.session)
    try:
        rows = {row[0]: row[1:] for row in autolog.status()}
        _train_xgb()
    finally:
        autolog.disarm()
    assert rows["XGBoost"] == ("armed", f"{xgb.__version__}, but for cv")
    assert unarmed.names() == ["xgboost.train"]

"""XGBoost: ``train``, ``cv`` and the fits of its estimators; no class and no function is replaced.

Verified with XGBoost 3.0 and 3.2; of 2.1 all but ``cv``. ``train`` and ``cv`` are decorated: what
stands in the decorator's closure is wrapped, and given a callback of ours in a list of its own.
"""

from __future__ import annotations

import json
import sys
import time
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar

from mlops_nb.autolog.boosters import (
    BoosterRecorder,
    FitScope,
    describe_callbacks,
    log_given,
    name_set,
)
from mlops_nb.autolog.fits import Fit, FitRecorder
from mlops_nb.autolog.frames import BUSY, get_caller, hide_frame, read_locals
from mlops_nb.autolog.integration import Integration
from mlops_nb.autolog.metrics import find_cell
from mlops_nb.autolog.training import Training
from mlops_nb.tracking import Run, Session

_MATRICES = ("DMatrix", "QuantileDMatrix", "ExtMemQuantileDMatrix")
_DEFAULT_ROUNDS = 10
# Reading a rate means writing the model's settings as text: a hundredth of the time at most.
_PATIENCE = 100
_MOST_CELLS = 4_000_000


class XGBoostIntegration(Integration):
    """Arms XGBoost as its modules are imported.

    Parameters
    ----------
    session
        Keeps the runs.
    fits
        Records fits of its estimators.
    """

    name: ClassVar[str] = "XGBoost"
    recorder: BoosterRecorder
    package: ClassVar[str] = "xgboost"

    def __init__(self, session: Session, fits: FitRecorder) -> None:
        super().__init__(session)
        self.recorder = BoosterRecorder(session, fits)
        self._sources: weakref.WeakKeyDictionary[Any, list[tuple[str, weakref.ref[Any]]]] = (
            weakref.WeakKeyDictionary()
        )
        self._make_callback: Callable[[_Following], Any] | None = None

    # ------------------------------------------------------------------ arming
    def patch(self, module: ModuleType) -> str:
        """Wrap what the decorated functions of a module keep."""
        if module.__name__ == "xgboost.core":
            for name in _MATRICES:
                cell = find_cell(getattr(vars(module).get(name), "__init__", None))
                if cell is not None:  # without it the data are told by their shape alone
                    self.patches.set_cell(cell, self._wrap_matrix)
            return ""
        if module.__name__ == "xgboost.sklearn":
            if "config_context" not in vars(module):
                return "fits its estimators in no known way"
            self.patches.set_attribute(module, "config_context", self._wrap_config)
            return ""
        cells = {name: find_cell(vars(module).get(name)) for name in ("train", "cv")}
        base = getattr(sys.modules.get("xgboost.callback"), "TrainingCallback", None)
        if base is None or cells["train"] is None:
            return "has no known point within xgboost.train"
        self._make_callback = _derive(base)
        for name, cell in cells.items():
            if cell is None:
                self.lacking = name  # before 3.0 it has no decorator
            else:
                self.patches.set_cell(cell, self._make_wrapper(name))
        return ""

    def _make_wrapper(self, name: str) -> Callable[[Any], Any]:
        return lambda original: self._wrap_train(original, name)

    def _wrap_matrix(self, original: Any) -> Any:
        def __init__(**kwargs: Any) -> None:  # noqa: N807 - tracebacks name it
            try:
                original(**kwargs)
            except BaseException as error:
                _pass_over(error)
                raise
            caller = get_caller().f_back
            if caller is not None and caller.f_globals.get("__name__") != "xgboost.sklearn":
                self.guard.call(self._note_matrix, kwargs)

        return hide_frame(__init__)

    def _note_matrix(self, given: dict[str, Any]) -> None:
        found = []
        for role, name in (("X", "data"), ("y", "label")):
            try:
                found.append((role, weakref.ref(given.get(name))))
            except TypeError:
                continue  # lists have no weak references
        self._sources[given["self"]] = found

    def _wrap_config(self, original: Any) -> Any:
        def config_context(**changes: Any) -> Any:
            inner = original(**changes)
            if BUSY.value or self.guard.is_stopped or get_caller().f_code.co_name != "fit":
                return inner
            frame = get_caller()
            return self._make_scope(inner, read_locals(frame), frame)

        return hide_frame(config_context)

    def _make_scope(self, inner: Any, values: dict[str, Any], frame: Any) -> Any:
        estimator = values["self"]
        given = {role: values[role] for role in ("X", "y") if values.get(role) is not None}
        pairs = values.get("eval_set") or []

        def begin() -> Fit | None:
            evals = [
                (f"validation_{number}", pair[0], pair[1])
                for number, pair in enumerate(pairs)
                if isinstance(pair, (list, tuple)) and len(pair) == 2
            ]
            return self.recorder.begin_fit(estimator, given, evals, frame, self.library)

        return FitScope(self.recorder, self.guard, begin, estimator, inner)

    def _wrap_train(self, original: Any, name: str) -> Any:
        def train(**kwargs: Any) -> Any:
            following = self.guard.call(self._begin, name, kwargs, get_caller().f_back)
            given = kwargs if following is None else _add_callback(kwargs, following[1])
            try:
                model = original(**given)
            except BaseException as error:
                _pass_over(error)
                if following is not None:
                    self.guard.call(self.recorder.end, following[0].training, error)
                    following[0].training.let_go()
                raise
            if following is not None:
                self.guard.call(self._end, following[0], model, kwargs)
                following[0].training.let_go()
            return model

        return hide_frame(train)

    # ------------------------------------------------------------------ one training
    def _begin(
        self, name: str, given: dict[str, Any], caller: Any
    ) -> tuple[_Following, Any] | None:
        training = self.recorder.begin_training(
            f"xgboost.{name}",
            self.library,
            caller,
            lambda run: self._describe(run, given, name_set(caller, 1, "dtrain")),
        )
        if training is None or self._make_callback is None:
            return None
        callbacks = given.get("callbacks") or ()
        has_plan = any(type(each).__name__ == "LearningRateScheduler" for each in callbacks)
        following = _Following(self, training, has_plan=has_plan)
        return following, self._make_callback(following)

    def _describe(self, run: Run, given: dict[str, Any], name: str) -> dict[str, Any]:
        params = given.get("params") or {}
        others: dict[str, Any] = {"num_boost_round": given.get("num_boost_round", _DEFAULT_ROUNDS)}
        for key in ("early_stopping_rounds", "maximize", "nfold", "stratified", "seed"):
            others[key] = given.get(key)
        for key, role in (("obj", "objective"), ("custom_metric", "custom_metric")):
            others[role] = given.get(key)
        others["callbacks"] = describe_callbacks(given.get("callbacks")) or None
        others["continues"] = None if given.get("xgb_model") is None else True
        named = {key: value for key, value in others.items() if value is not None}
        kept = log_given(run, {**dict(params), **named})
        matrix = given["dtrain"]
        run.log_params({"data.rows": matrix.num_row(), "data.columns": matrix.num_col()})
        sets = [("", name, matrix)]
        sets += [(f"{label}.", label, each) for each, label in given.get("evals") or ()]
        seen = set()
        for prefix, label, each in sets:
            if id(each) not in seen:
                seen.add(id(each))
                self.recorder.log_data(
                    run, [(f"{prefix}{role}", label, obj) for role, obj in self._find_data(each)]
                )
        return kept

    def _find_data(self, matrix: Any) -> list[tuple[str, Any]]:
        """Give what a matrix was made of, or what it holds where that is gone."""
        sources = {role: source() for role, source in self._sources.get(matrix, ())}
        found = [(role, sources.get(role)) for role in ("X", "y")]
        return [(role, _read_matrix(matrix, role) if obj is None else obj) for role, obj in found]

    def _end(self, following: _Following, model: Any, given: dict[str, Any]) -> None:
        training = following.training
        best, score = None, None
        if hasattr(model, "attr"):
            if training.is_owned:
                self.recorder.fits.known.add(model, training.run)
            best, score = _read_best(model)
            run = training.run
            run.log_params(
                {
                    "model.trees": model.num_boosted_rounds(),
                    "model.features": model.num_features(),
                }
            )
        elif training.steps < given.get("num_boost_round", _DEFAULT_ROUNDS):
            best = len(model) - 1  # a table of results ends with the best of them
        planned = given.get("num_boost_round", _DEFAULT_ROUNDS)
        self.recorder.conclude(training, planned, best, score)
        self.recorder.end(training)

    # ------------------------------------------------------------------ end
    def close(self) -> None:
        """Restore every patched object and finish what is open."""
        super().close()
        self._sources.clear()


class _Following:
    """Follows one training from iteration to iteration."""

    def __init__(
        self, owner: XGBoostIntegration, training: Training, *, has_plan: bool = False
    ) -> None:
        self._owner, self.training = owner, training
        self._has_plan = has_plan
        self._due = 0.0

    def note(self, model: Any, iteration: int, history: Any) -> None:
        """Note what an iteration gave."""
        self._owner.guard.call(self._note, model, iteration, history)

    def _note(self, model: Any, iteration: int, history: Any) -> None:
        training = self.training
        training.steps += 1
        values: list[tuple[str, float]] = []
        for label, metrics in history.items():
            for metric, series in metrics.items():
                value = series[-1]
                name = f"{label}-{metric}"
                if isinstance(value, tuple):
                    values += [(f"{name}-mean", float(value[0])), (f"{name}-std", float(value[1]))]
                else:
                    values.append((name, float(value)))
        if self._has_plan and time.perf_counter() >= self._due:
            values += self._read_rate(model)
        training.gather(iteration, values)

    def _read_rate(self, model: Any) -> list[tuple[str, float]]:
        begun = time.perf_counter()
        boosters = getattr(model, "cvfolds", None)
        source = boosters[0].bst if boosters else model
        found = _find_rate(json.loads(source.save_config()))
        now = time.perf_counter()
        self._due = now + _PATIENCE * (now - begun)
        return [] if found is None else [("learning_rate", found)]


def _derive(base: Any) -> Callable[[_Following], Any]:
    """Make the class of our callback from the library's own."""

    class Recording(base):  # type: ignore[misc]
        """Hands each iteration to what follows the training."""

        def __init__(self, following: _Following) -> None:
            super().__init__()
            self._following = following

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            self._following.note(model, epoch, evals_log)
            return False

    return Recording


def _add_callback(kwargs: dict[str, Any], callback: Any) -> dict[str, Any]:
    """Give the arguments with a callback before the user's, in a list that nobody else has."""
    try:
        # The first: the library asks no further once one of them says that it is enough.
        return {**kwargs, "callbacks": [callback, *(kwargs.get("callbacks") or ())]}
    except TypeError:
        return kwargs  # not a list: the library says so


def _pass_over(error: BaseException) -> None:
    """Leave our frame out of a traceback."""
    if error.__traceback__ is not None:
        error.__traceback__ = error.__traceback__.tb_next


def _read_matrix(matrix: Any, role: str) -> Any:
    """Read the data of a matrix that was made of something that is gone; None where it is large."""
    if role == "y":
        return matrix.get_label()
    is_small = matrix.num_row() * matrix.num_col() <= _MOST_CELLS
    return matrix.get_data() if type(matrix).__name__ == "DMatrix" and is_small else None


def _find_rate(settings: Any) -> float | None:
    """Find the learning rate in a model's settings."""
    waiting = [settings]
    while waiting:
        current = waiting.pop()
        if isinstance(current, list):
            waiting.extend(current)
        elif isinstance(current, dict):
            for key in ("eta", "learning_rate"):
                if isinstance(current.get(key), str):
                    return float(current[key])
            waiting.extend(current.values())
    return None


def _read_best(model: Any) -> tuple[int | None, float | None]:
    best, score = model.attr("best_iteration"), model.attr("best_score")
    return (None if best is None else int(best)), (None if score is None else float(score))

"""LightGBM: ``train``, ``cv`` and the fits of its estimators; no public function is replaced.

Verified with LightGBM 4.6 and 4.7. Both functions ask ``lightgbm.callback`` whether to stop early,
just before they sort their callbacks: there ours is added to the set that they have made. It lives
as long as that set, so that its end is the end of the training.
"""

from __future__ import annotations

import sys
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
from mlops_nb.autolog.training import Training
from mlops_nb.tracking import Run, Session

_POINT = "_should_enable_early_stopping"
_FIRST = -(2**31)


class LightGBMIntegration(Integration):
    """Arms LightGBM as its modules are imported.

    Parameters
    ----------
    session
        Keeps the runs.
    fits
        Records fits of its estimators.
    """

    name: ClassVar[str] = "LightGBM"
    recorder: BoosterRecorder
    package: ClassVar[str] = "lightgbm"

    def __init__(self, session: Session, fits: FitRecorder) -> None:
        super().__init__(session)
        self.recorder = BoosterRecorder(session, fits)

    # ------------------------------------------------------------------ arming
    def patch(self, module: ModuleType) -> str:
        """Wrap what ``train`` and ``cv`` ask, and what fits call."""
        if module.__name__ == "lightgbm.sklearn":
            if not callable(vars(module).get("train")):
                return "fits its estimators in no known way"
            self.patches.set_attribute(module, "train", self._wrap_fit)
            return ""
        callback = sys.modules.get("lightgbm.callback")
        codes = {}
        for name in ("train", "cv"):
            code = getattr(vars(module).get(name), "__code__", None)
            known = () if code is None else (*code.co_names, *code.co_varnames)
            if _POINT in known and "callbacks_set" in known:
                codes[code] = name
        if len(codes) < 2 or callback is None or _POINT not in vars(callback):
            return "has no known point within lightgbm.train"
        self.patches.set_attribute(callback, _POINT, lambda found: self._wrap_point(found, codes))
        return ""

    def _wrap_point(self, original: Any, codes: dict[Any, str]) -> Any:
        def _should_enable_early_stopping(*args: Any, **kwargs: Any) -> Any:
            if not self.guard.is_stopped:
                name = codes.get(get_caller().f_code)
                if name is not None:
                    self.guard.call(self._begin, name, get_caller())
            return original(*args, **kwargs)

        return hide_frame(_should_enable_early_stopping)

    def _wrap_fit(self, original: Any) -> Any:
        def train(*args: Any, **kwargs: Any) -> Any:
            scope = None
            if not BUSY.value and not self.guard.is_stopped:
                scope = self.guard.call(self._make_scope, get_caller())
            try:
                if scope is None:
                    return original(*args, **kwargs)
                with scope:
                    return original(*args, **kwargs)
            except BaseException as error:
                if error.__traceback__ is not None:
                    error.__traceback__ = error.__traceback__.tb_next
                raise

        return hide_frame(train)

    def _make_scope(self, frame: Any) -> FitScope | None:
        estimator = read_locals(frame).get("self")
        if estimator is None or frame.f_code.co_name != "fit":
            return None
        # A classifier hands encoded labels to the fit of its base: the outer one has the user's.
        above = frame.f_back
        while above is not None and above.f_code.co_name == "fit":
            if read_locals(above).get("self") is not estimator:
                break
            frame, above = above, above.f_back
        values = read_locals(frame)
        given = {role: values[role] for role in ("X", "y") if values.get(role) is not None}
        pairs, names = _list_evals(values), values.get("eval_names") or []
        asked = values.get("eval_metric")
        callbacks = describe_callbacks(values.get("callbacks"))

        def begin() -> Fit | None:
            evals = [
                (names[number] if number < len(names) else f"valid_{number}", pair[0], pair[1])
                for number, pair in enumerate(pairs)
                if isinstance(pair, (list, tuple)) and len(pair) == 2
            ]
            fit = self.recorder.begin_fit(estimator, given, evals, frame, self.library)
            if fit is not None and not fit.is_continued:
                named = {"fit.eval_metric": asked, "fit.callbacks": callbacks or None}
                fit.run.log_params({k: v for k, v in named.items() if v and type(v) in {str, list}})
            return fit

        return FitScope(self.recorder, self.guard, begin, estimator)

    # ------------------------------------------------------------------ one training
    def _begin(self, name: str, frame: Any) -> None:
        values = read_locals(frame)
        caller = frame.f_back
        training = self.recorder.begin_training(
            f"lightgbm.{name}",
            self.library,
            caller,
            lambda run: self._describe(run, values, name_set(caller, 1, "train_set")),
        )
        if training is not None:
            values["callbacks_set"].add(_Following(self, training, values["num_boost_round"]))

    def _describe(self, run: Run, values: dict[str, Any], name: str) -> dict[str, Any]:
        params = {key: value for key, value in values["params"].items() if value is not None}
        if values.get("fobj") is not None:
            params["objective"] = values["fobj"]
        params["callbacks"] = describe_callbacks(values.get("callbacks")) or None
        params["continues"] = None if values.get("init_model") is None else True
        params["feval"] = values.get("feval")
        folds = ("nfold", "stratified", "shuffle", "seed")
        kept = log_given(run, params, {key: values[key] for key in folds if key in values})
        training_set = values["train_set"]
        if getattr(training_set, "_handle", None) is not None:  # made before: the data may be gone
            rows, columns = training_set.num_data(), training_set.num_feature()
            run.log_params({"data.rows": rows, "data.columns": columns})
        labels = values.get("name_valid_sets") or []
        sets = [("", name, training_set)]
        sets += zip(labels, labels, values.get("reduced_valid_sets") or [], strict=False)
        for label, called, each in sets:
            prefix = f"{label}." if label else ""
            parts = [("X", getattr(each, "data", None)), ("y", getattr(each, "label", None))]
            given = [(f"{prefix}{role}", called, obj) for role, obj in parts]
            self.recorder.log_data(run, given)
        return kept

    def end(self, training: Training, model: Any, planned: int) -> None:
        """Close a training that has ended, well or not.

        Parameters
        ----------
        training
            That was followed.
        model
            A booster, or those of all folds; None where there was no iteration.
        planned
            How many iterations it was to make.
        """
        best = getattr(model, "best_iteration", 0) or 0
        if training.steps < planned and best <= 0:
            self.recorder.fail(training)
            return
        score = None
        if model is not None and not hasattr(model, "boosters"):
            facts = {"model.trees": model.num_trees(), "model.features": model.num_feature()}
            training.run.log_params(facts)
            trained = getattr(model, "_train_data_name", "training")
            score = _find_score(model.best_score, trained) if best > 0 else None
        self.recorder.conclude(training, planned, best if best > 0 else None, score)
        self.recorder.end(training)


class _Following:
    """Our callback: follows one training, and tells its end by its own."""

    order = _FIRST
    before_iteration = False

    def __init__(self, owner: LightGBMIntegration, training: Training, planned: int) -> None:
        self._owner, self._training, self._planned = owner, training, planned
        self._model: Any = None
        self._rate: Any = None

    def __call__(self, env: Any) -> None:
        """Note what an iteration gave."""
        self._owner.guard.call(self._note, env)

    def _note(self, env: Any) -> None:
        training = self._training
        if self._model is None:
            self._model = env.model
            if training.is_owned and not hasattr(env.model, "boosters"):
                self._owner.recorder.fits.known.add(env.model, training.run)
        training.steps += 1
        values: list[tuple[str, float]] = []
        for entry in env.evaluation_result_list or ():
            label, metric, value, _, *spread = entry
            name = metric.replace(" ", "-") if label == "cv_agg" else f"{label}-{metric}"
            if spread:
                values += [(f"{name}-mean", float(value)), (f"{name}-std", float(spread[0]))]
            else:
                values.append((name, float(value)))
        rate = env.params.get("learning_rate")
        if type(rate) is float and rate != self._rate:
            self._rate = rate
            values.append(("learning_rate", rate))
        training.gather(env.iteration, values)

    def __del__(self) -> None:
        """Close the training: the function that had us is over."""
        model, self._model = self._model, None
        if not self._training.is_over:
            self._owner.guard.call(self._owner.end, self._training, model, self._planned)
        self._training.let_go()


def _list_evals(values: dict[str, Any]) -> list[Any]:
    """List the sets that a fit evaluates, given in one argument or, since 4.7, in two."""
    if values.get("eval_set") is not None:
        return list(values["eval_set"])
    features, targets = values.get("eval_X"), values.get("eval_y")
    if isinstance(features, tuple) and isinstance(targets, tuple):
        return list(zip(features, targets, strict=False))
    return [] if features is None else [(features, targets)]


def _find_score(scores: Any, trained: str) -> float | None:
    """Give the first of the best scores that early stopping goes by: not of what is trained on."""
    for name in sorted(scores, key=trained.__eq__):
        for value in scores[name].values():
            return float(value)
    return None

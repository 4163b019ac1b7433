"""Gradient boosting: what XGBoost and LightGBM have in common, in both of their APIs."""

from __future__ import annotations

import ast
import contextlib
import sys
from collections.abc import Callable, Iterable
from types import FrameType, TracebackType
from typing import Any

from mlops_nb.autolog.callsites import find_site
from mlops_nb.autolog.describe import make_plain
from mlops_nb.autolog.fits import Fit, FitRecorder
from mlops_nb.autolog.frames import BUSY, Spot, is_timed
from mlops_nb.autolog.guard import Guard
from mlops_nb.autolog.training import Recorder, Training, find_user
from mlops_nb.tracking import Run, Session
from mlops_nb.tracking.values import read_params

LIBRARIES = ("xgboost.", "lightgbm.", "sklearn.", "joblib.")
# What scikit-learn runs between a pipeline's fit and that of its last step.
_PASSING = ("sklearn.pipeline.", "sklearn.base.", "sklearn.compose._target.", "joblib.memory.")
_LONGEST_NAME = 60
_Eval = tuple[str, Any, Any]


class BoosterRecorder(Recorder):
    """Records boosting: fits as any other, native trainings as runs of their own.

    Parameters
    ----------
    session
        Keeps the runs.
    fits
        Records fits of the API that is scikit-learn's.
    """

    def __init__(self, session: Session, fits: FitRecorder) -> None:
        super().__init__(session)
        self.fits = fits
        self._has_series: set[str] = set()

    # ------------------------------------------------------------------ fits
    def begin_fit(
        self,
        estimator: Any,
        given: dict[str, Any],
        evals: Iterable[_Eval],
        frame: FrameType,
        library: str,
    ) -> Fit | None:
        """Open the run of a fit.

        Parameters
        ----------
        estimator
            What is fitted.
        given
            Training data by role.
        evals
            Name, features and target of each set that is evaluated.
        frame
            Of the fit.
        library
            With its version.

        Returns
        -------
        Fit or None
            None where nothing is recorded.
        """
        user = find_user(frame, LIBRARIES)
        if user is None or is_timed(user):
            return None
        fit = self.fits.begin(estimator, "fit", given, user)
        if fit is None or fit.is_continued:
            return fit
        fit.run.set_tag("library", library)
        names = _name_evals(user)
        sets = [
            (f"{name}.{role}", names.get((position, part), ""), obj)
            for position, (name, features, target) in enumerate(evals)
            for part, (role, obj) in enumerate((("X", features), ("y", target)))
            if obj is not None and obj is not given.get(role)
        ]
        self.log_data(fit.run, sets)
        return fit

    # ------------------------------------------------------------------ trainings
    def begin_training(
        self,
        method: str,
        library: str,
        frame: FrameType,
        describe: Callable[[Run], dict[str, Any]],
    ) -> Training | None:
        """Open the run of a native training, or go on with that of the fit around it.

        Parameters
        ----------
        method
            As the user calls it: ``xgboost.train``.
        library
            With its version.
        frame
            That called it.
        describe
            Says what is trained, where a run is opened, and gives its parameters.

        Returns
        -------
        Training or None
            None where nothing is recorded: in a search, within another training, under ``%timeit``.
        """
        if self.session.is_paused:
            return None
        if BUSY.value:
            fit = BUSY.fit
            if fit is None or fit.run.run_id in self._has_series or not _is_fitted_alone(frame):
                return None
            self._has_series.add(fit.run.run_id)
            return self.attach(fit.run)
        user = find_user(frame, LIBRARIES)
        if user is not frame or is_timed(user):
            return None  # trained by a function of a library for its own use, or to be timed
        training = self.open(method, library, method.rpartition(".")[2])
        try:
            params = describe(training.run)
            cell, names = self.session.cell, ", ".join(params)
            self.fits.known.places.note(Spot(frame), training.run, params, names, cell)
        except BaseException as error:
            self.end(training, error)  # no run is left open, whatever the user's objects do
            raise
        self.fits.latest = training.run
        return training

    def conclude(
        self, training: Training, planned: int, best: int | None, score: float | None
    ) -> None:
        """Say how far a training came, and which of its iterations was the best.

        Parameters
        ----------
        training
            That has come to its end.
        planned
            How many iterations it was to make.
        best, score
            As the library counts; None where it did not look for the best.
        """
        run = training.run
        run.log_params({"iterations": training.steps})
        if best is not None:
            found = {"best_iteration": float(best)}
            if score is not None:
                found["best_score"] = score
            run.log_metrics(found, step=max(best, 0))
        if training.steps < planned:
            text = f"after {training.steps} of {planned} iterations"
            run.set_tag("early_stopping", text if best is None else f"{text}, best {best}")

    def end(self, training: Training, error: BaseException | None = None) -> None:
        """Close a training, with the time it took."""
        if training.is_owned:
            duration = training.measure()
            training.run.log_metric("fit_time_s", duration)
            self.fits.known.places.add_time(training.run, duration)
        super().end(training, error)

    def finish_cell(self) -> None:
        """End with the cell what has not told its end."""
        self._has_series.clear()
        super().finish_cell()


class FitScope:
    """A fit of the API that is scikit-learn's, from its begin to its end.

    Parameters
    ----------
    recorder
        Opens and closes its run.
    guard
        Stops the recorder when it fails.
    begin
        Opens the run.
    estimator
        What is fitted.
    inner
        A context of the library's own that is entered before and left after; None for none.
    """

    __slots__ = ("_begin", "_estimator", "_fit", "_guard", "_inner", "_recorder")

    def __init__(
        self,
        recorder: BoosterRecorder,
        guard: Guard,
        begin: Callable[[], Fit | None],
        estimator: Any,
        inner: Any = None,
    ) -> None:
        self._recorder, self._guard = recorder, guard
        self._begin: Callable[[], Fit | None] | None = begin
        self._estimator, self._inner = estimator, inner
        self._fit: Fit | None = None

    def __enter__(self) -> Any:
        entered = None if self._inner is None else self._inner.__enter__()
        BUSY.value = True
        # It holds the frame of the fit, which holds us.
        begin, self._begin = self._begin, None
        try:
            self._fit = None if begin is None else self._guard.call(begin)
        except BaseException:  # an interrupt while we were at work
            BUSY.value = False
            if self._inner is not None:
                self._inner.__exit__(*sys.exc_info())
            raise
        BUSY.fit = self._fit
        return entered

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Any:
        BUSY.value, BUSY.fit = False, None
        fit, estimator = self._fit, self._estimator
        self._fit = self._estimator = None
        try:
            if fit is not None:
                self._guard.call(self._recorder.fits.end, fit, estimator, error)
                if self._guard.is_stopped:
                    with contextlib.suppress(Exception):
                        self._recorder.session.adopt(fit.run)  # no run is left open
        finally:
            answer = None
            if self._inner is not None:
                answer = self._inner.__exit__(kind, error, traceback)
        return answer


def describe_callbacks(callbacks: Any) -> str:
    """Name callbacks by their classes; empty where there are none."""
    found = callbacks if isinstance(callbacks, (list, tuple, set)) else []
    return ", ".join(sorted(type(each).__name__.strip("_") for each in found))


def log_given(
    run: Run, given: dict[str, Any], defaults: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Log the parameters of a native training, and give them as they are kept.

    Parameters
    ----------
    run
        Of the training.
    given
        The user's parameters and arguments; those without a value are left out.
    defaults
        Others, which may be the library's own.
    """
    changed = {str(name): make_plain(each) for name, each in given.items() if each is not None}
    others = {name: make_plain(each) for name, each in (defaults or {}).items()}
    kept = read_params({**others, **changed})
    run.log_params(kept)
    run.set_tag("params.changed", ", ".join(changed))
    return kept


def name_set(frame: FrameType | None, position: int, keyword: str) -> str:
    """Give what the user calls an argument of the call that a frame makes."""
    site = find_site(frame) if frame is not None else None
    if site is None:
        return ""
    for word in site.call.keywords:
        if word.arg == keyword:
            return _spell(word.value)
    return _spell(site.call.args[position]) if position < len(site.call.args) else ""


def _name_evals(frame: FrameType) -> dict[tuple[int, int], str]:
    """Give what the user calls the parts of ``eval_set=[(X_test, y_test)]``, by their places."""
    site = find_site(frame)
    found: dict[tuple[int, int], str] = {}
    for word in site.call.keywords if site is not None else ():
        value = word.value
        parts = value.elts if isinstance(value, (ast.List, ast.Tuple)) else [value]
        if word.arg == "eval_set":
            for position, pair in enumerate(parts):
                if isinstance(pair, (ast.List, ast.Tuple)):
                    found |= {(position, part): _spell(node) for part, node in enumerate(pair.elts)}
        elif word.arg in {"eval_X", "eval_y"}:
            part = int(word.arg == "eval_y")
            found |= {(position, part): _spell(node) for position, node in enumerate(parts)}
    return found


def _spell(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= _LONGEST_NAME else ""


def _is_fitted_alone(frame: FrameType | None) -> bool:
    """Tell whether a fit trains one model: no search, no ensemble, no folds are above it."""
    frame = find_user(frame, ())  # past a frame of ours
    if frame is None or not f"{frame.f_globals.get('__name__')}.".startswith(LIBRARIES):
        return False  # the user's own code within a fit may train any number of models
    while frame is not None:
        name = f"{frame.f_globals.get('__name__')}."
        if name.startswith(("sklearn.", "joblib.")) and not name.startswith(_PASSING):
            return False
        frame = frame.f_back
    return True

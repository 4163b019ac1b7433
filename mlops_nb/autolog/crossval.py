"""Cross-validation: one run for all its folds, with the scores of each as a table.

The functions are found as metrics are, by the closure cell of their decorator, so that names that
were bound before stay the same objects.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

from mlops_nb.autolog.describe import make_plain
from mlops_nb.autolog.fits import Fit, FitRecorder
from mlops_nb.autolog.frames import BUSY, get_caller, hide_frame, is_timed
from mlops_nb.autolog.guard import Guard
from mlops_nb.autolog.metrics import find_cell, find_user_frame
from mlops_nb.autolog.patching import Patches

_FUNCTIONS = ("cross_val_score", "cross_validate", "cross_val_predict")
_DATA = ("X", "y")
_SETTINGS = ("cv", "scoring")
_LEAST_FOLDS = 2


def patch_validation(
    module: ModuleType, patches: Patches, guard: Guard, recorder: FitRecorder
) -> int:
    """Have every cross-validation of a module recorded.

    Parameters
    ----------
    module
        ``sklearn.model_selection``.
    patches
        Keeps what to undo.
    guard, recorder
        Get what is validated.

    Returns
    -------
    int
        How many functions are recorded.
    """
    count = 0
    for name in _FUNCTIONS:
        cell = find_cell(getattr(module, name, None))
        if cell is not None:
            patches.set_cell(cell, lambda original: _make_traced(original, guard, recorder))
            count += 1
    return count


def _make_traced(
    function: Callable[..., Any], guard: Guard, recorder: FitRecorder
) -> Callable[..., Any]:
    @functools.wraps(function)
    def traced(*args: Any, **kwargs: Any) -> Any:
        if BUSY.value:
            try:
                return function(*args, **kwargs)
            except BaseException as error:
                _pass_over(error)
                raise
        BUSY.value = True
        fit = guard.call(_begin, recorder, function, args, kwargs, get_caller())
        BUSY.fit = fit
        try:
            value = function(*args, **kwargs)
        except BaseException as error:
            BUSY.value, BUSY.fit = False, None
            _pass_over(error)
            if fit is not None:
                guard.call(recorder.end, fit, None, error)
            raise
        BUSY.value, BUSY.fit = False, None
        if fit is not None:
            guard.call(_end, recorder, fit, function.__name__, value)
        return value

    return hide_frame(traced)


def _pass_over(error: BaseException) -> None:
    """Leave our frame, which is nobody's business, out of a traceback."""
    if error.__traceback__ is not None:
        error.__traceback__ = error.__traceback__.tb_next


def _begin(
    recorder: FitRecorder,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    frame: Any,
) -> Fit | None:
    outer, user = find_user_frame(frame)
    if outer is not frame or user is None or is_timed(user):
        return None  # a function of the library validates for its own use
    given = inspect.signature(function).bind_partial(*args, **kwargs).arguments
    estimator = given.get("estimator")
    if not hasattr(type(estimator), "get_params"):
        return None
    data = {role: given[role] for role in _DATA if given.get(role) is not None}
    settings = {
        f"cross_validation.{name}": make_plain(given[name])
        for name in _SETTINGS
        if given.get(name) is not None
    }
    return recorder.begin_trial(estimator, function.__name__, data, settings, user)


def _end(recorder: FitRecorder, fit: Fit, function: str, value: Any) -> None:
    if function == "cross_val_predict":
        # What is computed of these predictions later is this run's.
        recorder.known.add(value, fit.run)
        recorder.latest = fit.run
    else:
        scores = value if isinstance(value, dict) else {"test_score": value}
        _log_scores(fit, scores)
    recorder.end(fit, None, None)


def _log_scores(fit: Fit, scores: dict[str, Any]) -> None:
    folds = {
        name: [float(part) for part in values]
        for name, values in scores.items()
        # Beside the scores there may be lists of models, and a dict of indices.
        if getattr(getattr(values, "dtype", None), "kind", "O") in "biuf" and values.ndim == 1
    }
    for name, values in folds.items():
        known = name.removeprefix("test_")
        if not name.startswith(("test_", "train_")) or not values:
            continue
        mean = sum(values) / len(values)
        fit.run.log_metric(f"cv_{known}", mean)
        if len(values) >= _LEAST_FOLDS:
            spread = (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5
            fit.run.log_metric(f"cv_{known}_std", spread)
    fit.run.log_bytes(json.dumps(folds).encode(), "cv_scores.json", "application/json")

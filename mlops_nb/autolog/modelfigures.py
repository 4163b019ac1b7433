"""Figures of a fitted scikit-learn model, drawn when they are asked for, on data at hand."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from mlops_nb.errors import InvalidValueError, MLOpsError
from mlops_nb.tracking import pausing

if TYPE_CHECKING:
    from mlops_nb.tracking.runfigures import RunFigure

_MOST_FEATURES = 20
_MOST_CLASSES = 12
_FOLDS = 5


def plot_model(model: Any, kind: str, features: Any = None, target: Any = None) -> RunFigure:
    """Draw a model.

    Parameters
    ----------
    model
        A fitted estimator.
    kind
        One of `MODEL_PLOTS`.
    features, target
        Data to judge it by; what names of features and importances the model has needs none.

    Returns
    -------
    RunFigure
        Nothing is recorded meanwhile, and the random state of NumPy is as before.

    Raises
    ------
    InvalidValueError
        There is no such kind, or the model or the data are not of the kind that it needs.
    """
    draw = MODEL_PLOTS.get(kind)
    if draw is None:
        raise InvalidValueError("kind of plot", kind, f"one of {', '.join(MODEL_PLOTS)}")
    if not hasattr(model, "predict") or not hasattr(model, "fit"):
        raise InvalidValueError("model", type(model).__name__, "a fitted scikit-learn estimator")
    needs_data = kind != "importance" or not _has_importances(model)
    if needs_data and (features is None or target is None):
        raise InvalidValueError("data", None, f"the data that a {kind} plot needs")
    with pausing(), _keep_random_state():
        try:
            return draw(model, features, target)
        except MLOpsError:
            raise
        except (ValueError, TypeError, AttributeError) as error:
            reason = " ".join(str(error).split())[:300]
            shapes = [getattr(each, "shape", type(each).__name__) for each in (features, target)]
            expected = f"data of the kind that {_name(model)} was fitted on ({reason})"
            raise InvalidValueError("data", shapes, expected) from error


@contextlib.contextmanager
def _keep_random_state() -> Iterator[None]:
    numpy = sys.modules["numpy"]
    state = numpy.random.get_state()
    try:
        yield
    finally:
        numpy.random.set_state(state)


def _name(model: Any) -> str:
    return type(_last_step(model)).__name__


def _last_step(model: Any) -> Any:
    found = getattr(model, "best_estimator_", model)
    steps = getattr(found, "steps", None)
    return steps[-1][1] if steps else found


def _read_scores(model: Any, features: Any, kind: str) -> tuple[list[Any], Any]:
    """Give the classes and a column of scores for each; of two the positive one only."""
    import numpy as np

    classes = getattr(model, "classes_", None)
    method = next(
        (name for name in ("predict_proba", "decision_function") if hasattr(model, name)), None
    )
    if classes is None or method is None:
        expected = f"a classifier with scores, which a {kind} plot needs"
        raise InvalidValueError("model", _name(model), expected)
    scores = np.asarray(getattr(model, method)(features))
    if scores.ndim == 1:
        return [classes[1]], scores.reshape(-1, 1)
    if len(classes) == 2:
        return [classes[1]], scores[:, 1:]
    return list(classes), scores


def _draw_by_class(model: Any, features: Any, target: Any, display: Any, kind: str) -> RunFigure:
    import numpy as np

    from mlops_nb.tracking.runfigures import make_figure

    classes, scores = _read_scores(model, features, kind)
    figure, (axes,) = make_figure()
    given = np.asarray(target)
    for at, value in enumerate(classes[:_MOST_CLASSES]):
        truth = given == value
        if not truth.any() or truth.all():
            continue  # a class that the data lack has no curve
        display.from_predictions(truth, scores[:, at], name=str(value), ax=axes)
    if not axes.lines:
        raise InvalidValueError(
            "target", given[:5].tolist(), "data with two of the model's classes"
        )
    axes.set_title(f"{_name(model)}, {len(given)} samples")
    return figure


def _draw_roc(model: Any, features: Any, target: Any) -> RunFigure:
    from sklearn.metrics import RocCurveDisplay

    figure = _draw_by_class(model, features, target, RocCurveDisplay, "roc")
    figure.axes[0].set(xlabel="false positive rate", ylabel="true positive rate")
    figure.axes[0].plot([0, 1], [0, 1], linestyle=":", color="#8a8a8a", linewidth=1)
    return figure


def _draw_pr(model: Any, features: Any, target: Any) -> RunFigure:
    from sklearn.metrics import PrecisionRecallDisplay

    figure = _draw_by_class(model, features, target, PrecisionRecallDisplay, "pr")
    figure.axes[0].set(xlabel="recall", ylabel="precision")
    return figure


def _draw_confusion(model: Any, features: Any, target: Any) -> RunFigure:
    from sklearn.metrics import ConfusionMatrixDisplay

    from mlops_nb.tracking.runfigures import make_figure

    if getattr(model, "classes_", None) is None:
        raise InvalidValueError("model", _name(model), "a classifier, which a confusion plot needs")
    figure, (axes,) = make_figure()
    ConfusionMatrixDisplay.from_predictions(
        target, model.predict(features), ax=axes, colorbar=False
    )
    axes.set_title(f"{_name(model)}, {len(target)} samples")
    return figure


def _draw_residuals(model: Any, features: Any, target: Any) -> RunFigure:
    from sklearn.metrics import PredictionErrorDisplay

    from mlops_nb.tracking.runfigures import make_figure

    if getattr(model, "classes_", None) is not None:
        raise InvalidValueError("model", _name(model), "a regressor, which a residuals plot needs")
    figure, axes = make_figure(2)
    predicted = model.predict(features)
    for place, kind in zip(axes, ("actual_vs_predicted", "residual_vs_predicted"), strict=True):
        PredictionErrorDisplay.from_predictions(target, predicted, kind=kind, ax=place)
    figure.suptitle(f"{_name(model)}, {len(target)} samples")
    return figure


def _draw_learning(model: Any, features: Any, target: Any) -> RunFigure:
    import numpy as np
    from sklearn.base import clone
    from sklearn.model_selection import LearningCurveDisplay

    from mlops_nb.tracking.runfigures import make_figure

    figure, (axes,) = make_figure()
    LearningCurveDisplay.from_estimator(
        clone(model), features, target, cv=_FOLDS, train_sizes=np.linspace(0.2, 1.0, 5), ax=axes,
        score_type="both",
    )  # fmt: skip
    axes.set_title(f"{_name(model)}: {_FOLDS} folds, fitted {5 * _FOLDS} times")
    return figure


def _has_importances(model: Any) -> bool:
    last = _last_step(model)
    return hasattr(last, "feature_importances_") or hasattr(last, "coef_")


def _draw_importance(model: Any, features: Any, target: Any) -> RunFigure:
    import numpy as np

    from mlops_nb.tracking.runfigures import make_figure

    last, spread = _last_step(model), None
    if hasattr(last, "feature_importances_"):
        values, what = np.asarray(last.feature_importances_), "importance in the model"
    elif hasattr(last, "coef_"):
        weights = last.coef_.toarray() if hasattr(last.coef_, "toarray") else last.coef_
        values = np.abs(np.atleast_2d(np.asarray(weights))).mean(axis=0)
        what = "mean absolute coefficient"
    else:
        from sklearn.inspection import permutation_importance

        found = permutation_importance(model, features, target, n_repeats=5, random_state=0)
        values, spread = found.importances_mean, found.importances_std
        what = "loss of score when shuffled"
    names = _name_features(model, features, len(values), is_inner=spread is None)
    order = np.argsort(values)[-_MOST_FEATURES:]
    figure, (axes,) = make_figure()
    figure.set_size_inches(7.0, max(2.4, 0.3 * len(order) + 1))
    error = None if spread is None else spread[order]
    axes.barh([names[at] for at in order], values[order], xerr=error, color="#2f6299")
    axes.set(title=_name(model), xlabel=what)
    return figure


def _name_features(model: Any, features: Any, count: int, *, is_inner: bool) -> list[str]:
    """Name what the last step, or the whole model, is given."""
    found = getattr(model, "best_estimator_", model)
    names: Any = None
    if is_inner and hasattr(found, "steps") and len(found.steps) > 1:
        with contextlib.suppress(Exception):  # not every step can name its features
            names = found[:-1].get_feature_names_out()
    elif hasattr(found, "feature_names_in_"):
        names = found.feature_names_in_
    elif hasattr(features, "columns"):
        names = features.columns
    if names is None or len(names) != count:
        return [f"x{at}" for at in range(count)]
    return [str(name) for name in names]


MODEL_PLOTS: dict[str, Callable[[Any, Any, Any], RunFigure]] = {
    "roc": _draw_roc,
    "pr": _draw_pr,
    "confusion": _draw_confusion,
    "residuals": _draw_residuals,
    "importance": _draw_importance,
    "learning": _draw_learning,
}

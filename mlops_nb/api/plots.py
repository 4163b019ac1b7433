"""Verbs that judge and draw: the best runs, figures of runs, figures of a fitted model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_nb.api.places import read_store
from mlops_nb.api.runs import list_runs
from mlops_nb.errors import InvalidValueError, NotFoundError
from mlops_nb.records import RunRecord, is_cost
from mlops_nb.tracking import list_links

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlops_nb.store import MetricPreview

RUN_PLOTS = ("curves", "history", "scatter", "parallel")
_MOST_CURVES = 6
_MOST_PARAMS = 8
_PIXELS = 600


def best_runs(
    metric: str | None = None,
    filter: str | None = None,
    *,
    minimize: bool | None = None,
    limit: int = 200,
    notebook: str | None = None,
    start: Path | None = None,
) -> list[RunRecord]:
    """Order runs by a metric, the best first.

    Parameters
    ----------
    metric
        Its name; the one that most runs have by default.
    filter
        Expression as `list_runs` takes it.
    minimize
        Whether less is better; by the name of the metric where not given: of losses and errors.
    limit
        At most so many of the newest runs are looked at.
    notebook
        Only runs of the notebook at this path.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    list of RunRecord
        Those that have the metric.

    Raises
    ------
    NotFoundError
        No run has such a metric.
    """
    from mlops_nb.tracking.ranking import need_metric, rank_runs

    runs = list_runs(filter, None, limit, notebook=notebook, start=start)
    return rank_runs(runs, need_metric(runs, metric), minimize)


def judge_by(runs: Sequence[RunRecord], metric: str | None = None) -> str:
    """Give the metric that runs are judged by: the one asked for, else the one most of them have.

    Raises
    ------
    NotFoundError
        No run has it.
    """
    from mlops_nb.tracking.ranking import need_metric

    return need_metric(runs, metric)


def plot_runs(
    runs: Sequence[RunRecord],
    kind: str = "curves",
    *,
    metrics: Sequence[str] = (),
    params: Sequence[str] = (),
    interactive: bool = False,
) -> Any:
    """Draw runs.

    Parameters
    ----------
    runs
        The runs.
    kind
        ``curves`` (metrics over steps), ``history`` (a metric over runs), ``scatter`` (a metric
        against parameters) or ``parallel`` (parameters and a metric as lines across axes).
    metrics
        Their names; by default curves of all metrics that have one, else the metric that most runs
        have.
    params
        Parameters; those in which the runs differ by default.
    interactive
        Give a figure of plotly, which the extra ``plot`` brings.

    Returns
    -------
    matplotlib.figure.Figure
        Notebooks show it as it is; pyplot does not know it. A ``plotly.graph_objects.Figure``
        where an interactive one is asked for.

    Raises
    ------
    InvalidValueError
        There is no such kind, or the runs do not differ in any parameter.
    NotFoundError
        No run has such a metric, or a curve of it.
    MissingPackageError
        Plotly is asked for and is not installed.
    """
    if kind not in RUN_PLOTS:
        raise InvalidValueError("kind of plot", kind, f"one of {', '.join(RUN_PLOTS)}")
    if kind == "curves":
        return _load_drawing(interactive).draw_curves(_read_curves(runs, metrics))
    from mlops_nb.tracking.ranking import list_differing, rank_runs

    metric = judge_by(runs, metrics[0] if metrics else None)
    having = rank_runs(runs, metric)
    drawing = _load_drawing(interactive)
    if kind == "history":
        return drawing.draw_history(having, metric)
    known = {param for run in having for param in run.params}
    for param in params:
        if param not in known:
            raise NotFoundError("param", param, known, "Look at %mlops show, or widen the filter.")
    chosen = list(params) or list_differing(having)[:_MOST_PARAMS]
    if not chosen:
        expected = "runs that differ in a parameter"
        raise InvalidValueError("runs to plot", [run.name for run in having][:5], expected)
    draw = drawing.draw_scatter if kind == "scatter" else drawing.draw_parallel
    return draw(having, chosen, metric)


def _load_drawing(interactive: bool) -> Any:
    if interactive:
        from mlops_nb.tracking import runplotly

        return runplotly
    from mlops_nb.tracking import runfigures

    return runfigures


def _read_curves(
    runs: Sequence[RunRecord], metrics: Sequence[str]
) -> dict[str, list[tuple[RunRecord, MetricPreview]]]:
    store = read_store()
    known = dict.fromkeys(key for run in runs for key in run.metrics)
    for key in metrics:
        if key not in known:
            raise NotFoundError("metric", key, known, "Look at %mlops show.")
    curves = {}
    for key in metrics or sorted((key for key in known if not is_cost(key)), key=_order_curve):
        lines = [
            (run, store.preview_series(run.run_id, key, _PIXELS))
            for run in runs
            if key in run.metrics
        ]
        if metrics or any(found.count > 1 for _, found in lines):
            curves[key] = lines
        if len(curves) == _MOST_CURVES and not metrics:
            break
    if not curves:
        hint = "These runs have single values only; draw them with: %mlops plot history"
        raise NotFoundError("curve", ", ".join(run.name for run in runs)[:100], (), hint)
    return curves


def _order_curve(key: str) -> tuple[bool, str]:
    # An epoch's mean says what the steps of the same metric say, with less noise.
    return (not key.startswith("val"), key)


def list_fitted(run_id: str | None = None) -> list[tuple[Any, str]]:
    """Give models that are still there and whose run is known, the latest last.

    Parameters
    ----------
    run_id
        Only those of one run.

    Returns
    -------
    list of tuple
        Model and id of its run.
    """
    return [pair for pair in list_links() if run_id is None or pair[1] == run_id]


def plot_model(model: Any, kind: str, features: Any = None, target: Any = None) -> Figure:
    """Draw a fitted scikit-learn model.

    Parameters
    ----------
    model
        A fitted estimator.
    kind
        ``roc``, ``pr`` (precision and recall), ``confusion``, ``residuals``, ``importance`` or
        ``learning`` (fits copies of it on parts of the data).
    features, target
        Data to judge it by; importances that the model itself knows need none.

    Returns
    -------
    matplotlib.figure.Figure
        Nothing is recorded meanwhile.

    Raises
    ------
    InvalidValueError
        The model or the data are not of the kind that the plot needs.
    """
    from mlops_nb.autolog.modelfigures import plot_model as draw

    return draw(model, kind, features, target)


def list_model_plots() -> tuple[str, ...]:
    """Name what can be drawn of a model."""
    return ("roc", "pr", "confusion", "residuals", "importance", "learning")

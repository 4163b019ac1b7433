"""The same figures of runs by plotly, to zoom in and to point at: for who has it installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlops_nb.errors import MissingPackageError
from mlops_nb.records import RunRecord, is_lower_better
from mlops_nb.tracking.ranking import read_numbers

if TYPE_CHECKING:
    from mlops_nb.store import MetricPreview

_CLEAR, _GREY = "rgba(0,0,0,0)", "#8a8a8a"  # readable on light and dark pages


def _load() -> tuple[Any, Any]:
    try:
        from plotly import graph_objects, subplots
    except ImportError as error:
        raise MissingPackageError("plotly", "plot", "An interactive figure") from error
    return graph_objects, subplots


def _finish(figure: Any, title: str) -> Any:
    figure.update_layout(
        title=title, paper_bgcolor=_CLEAR, plot_bgcolor=_CLEAR, font={"color": _GREY}
    )
    figure.update_xaxes(gridcolor=_GREY, gridwidth=0.3)
    figure.update_yaxes(gridcolor=_GREY, gridwidth=0.3)
    return figure


def _name(run: RunRecord) -> str:
    return f"{run.name} {run.run_id[-8:]}"


def draw_curves(curves: dict[str, list[tuple[RunRecord, MetricPreview]]]) -> Any:
    """Draw metrics over their steps; see `runfigures.draw_curves`.

    Returns
    -------
    plotly.graph_objects.Figure
        One row a metric, one line a run.
    """
    go, subplots = _load()
    figure = subplots.make_subplots(rows=len(curves), cols=1, subplot_titles=list(curves))
    for row, lines in enumerate(curves.values(), 1):
        for run, found in lines:
            values = ((found.lows + found.highs) / 2).tolist()
            line = go.Scatter(x=found.steps.tolist(), y=values, name=_name(run), mode="lines")
            figure.add_trace(line, row=row, col=1)
    figure.update_layout(height=120 + 240 * len(curves))
    return _finish(figure, "")


def draw_history(runs: Sequence[RunRecord], metric: str) -> Any:
    """Draw a metric over runs; see `runfigures.draw_history`.

    Returns
    -------
    plotly.graph_objects.Figure
        A point a run, and the best so far as a line.
    """
    go, _ = _load()
    ordered = sorted(runs, key=lambda run: run.started_at)
    values = [run.metrics[metric] for run in ordered]
    better = min if is_lower_better(metric) else max
    best = [better(values[: at + 1]) for at in range(len(values))]
    names = [_name(run) for run in ordered]
    figure = go.Figure()
    figure.add_trace(go.Scatter(y=values, text=names, mode="markers", name=metric))
    figure.add_trace(go.Scatter(y=best, mode="lines", line={"shape": "hv"}, name="best so far"))
    return _finish(figure, f"{metric} over {len(ordered)} runs")


def draw_scatter(runs: Sequence[RunRecord], params: Sequence[str], metric: str) -> Any:
    """Draw a metric against parameters; see `runfigures.draw_scatter`.

    Returns
    -------
    plotly.graph_objects.Figure
        One column a parameter.
    """
    go, subplots = _load()
    figure = subplots.make_subplots(rows=1, cols=len(params), shared_yaxes=True)
    for column, param in enumerate(params, 1):
        having = [run for run in runs if param in run.params]
        numbers, labels = read_numbers([run.params[param] for run in having])
        places = [labels[int(number)] for number in numbers] if labels else numbers
        points = go.Scatter(
            x=places,
            y=[run.metrics[metric] for run in having],
            text=[_name(run) for run in having],
            mode="markers",
            showlegend=False,
        )
        figure.add_trace(points, row=1, col=column)
        figure.update_xaxes(title=param, row=1, col=column)
    return _finish(figure, f"{metric} of {len(runs)} runs")


def draw_parallel(runs: Sequence[RunRecord], params: Sequence[str], metric: str) -> Any:
    """Draw runs as lines across their parameters; see `runfigures.draw_parallel`.

    Returns
    -------
    plotly.graph_objects.Figure
        Axes can be moved, and ranges of them chosen.
    """
    go, _ = _load()
    dimensions = []
    for param in params:
        numbers, labels = read_numbers([run.params.get(param) for run in runs])
        dimension: dict[str, Any] = {"label": param, "values": numbers}
        if labels:
            dimension |= {"tickvals": list(range(len(labels))), "ticktext": labels}
        dimensions.append(dimension)
    values = [run.metrics[metric] for run in runs]
    dimensions.append({"label": metric, "values": values})
    line = {"color": values, "colorscale": "Viridis", "reversescale": is_lower_better(metric)}
    figure = go.Figure(go.Parcoords(dimensions=dimensions, line=line))
    return _finish(figure, f"{len(runs)} runs by {metric}")

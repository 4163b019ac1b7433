"""Plots of a sweep: how it went, all trials as lines, what mattered, a slice a parameter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlops_nb.pipeline.sweep_space import Choice, Dimension
from mlops_nb.pipeline.sweep_trials import Trial

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mlops_nb.pipeline.sweep_result import SweepResult

_COLUMNS = 3
_MAX_SLICES, _MAX_MARKS = 12, 8
_BEST, _QUIET, _ENDED = "#c0392b", "#2f6299", "#b0b0b0"


def plot_sweep(result: SweepResult) -> Figure:
    """Draw a sweep.

    Parameters
    ----------
    result
        What came of it.

    Returns
    -------
    matplotlib.figure.Figure
        History, parallel coordinates and importance above; below, one slice a parameter.
    """
    from matplotlib.figure import Figure

    slices = result.plan.space[:_MAX_SLICES]
    rows = 2 + math.ceil(len(slices) / _COLUMNS)
    figure = Figure(figsize=(11, 3 * rows), layout="constrained")
    grid = figure.add_gridspec(rows, _COLUMNS)
    plot_history(result, figure.add_subplot(grid[0, :2]))
    plot_importance(result, figure.add_subplot(grid[0, 2]))
    plot_parallel(result, figure.add_subplot(grid[1, :]))
    for place, dimension in enumerate(slices):
        row, column = divmod(place, _COLUMNS)
        plot_slice(result, dimension, figure.add_subplot(grid[2 + row, column]))
    return figure


def plot_history(result: SweepResult, axes: Axes) -> None:
    """Draw the metric of every trial, and the best so far as a line.

    Parameters
    ----------
    result
        What came of the sweep.
    axes
        Where.
    """
    metric = result.plan.metric
    finished = _finite(result)
    axes.scatter([t.number for t in finished], _values(finished), s=16, color=_QUIET, label="trial")
    pruned = [t for t in result.records if t.state == "pruned" and _is_finite(t.value)]
    if pruned:
        numbers = [trial.number for trial in pruned]
        axes.scatter(numbers, _values(pruned), s=16, marker="x", color=_ENDED, label="pruned")
    better = max if result.plan.maximize else min
    best: list[float] = []
    for value in _values(finished):
        best.append(value if not best else better(best[-1], value))
    if best:
        numbers = [trial.number for trial in finished]
        axes.step(numbers, best, where="post", color=_BEST, label="best so far")
        axes.legend(frameon=False)
    axes.set(title="History", xlabel="trial", ylabel=metric)


def plot_importance(result: SweepResult, axes: Axes) -> None:
    """Draw how much each parameter mattered, where that can be told.

    Parameters
    ----------
    result
        What came of the sweep.
    axes
        Where.
    """
    shares = result.importance()
    axes.set(title="Importance (fANOVA)")
    if not shares:
        axes.set_axis_off()
        text = "too few trials to tell,\nor Optuna is not installed"
        axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes)
        return
    names = list(reversed(shares))
    axes.barh(names, [shares[name] for name in names], color=_QUIET)
    axes.set(xlim=(0, 1), xlabel="share")


def plot_parallel(result: SweepResult, axes: Axes) -> None:
    """Draw every finished trial as a line through its values; the best one stands out.

    Parameters
    ----------
    result
        What came of the sweep.
    axes
        Where.
    """
    import matplotlib

    space, finished = result.plan.space, _finite(result)
    axes.set(title="Trials", yticks=[], xlim=(-0.1, len(space) + 0.1))
    axes.set_xticks(range(len(space) + 1), [*(d.name for d in space), result.plan.metric])
    scales = [_make_scale(dimension) for dimension in space]
    values = _values(finished)
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    colors = matplotlib.colormaps["viridis"]
    best = result.best_trial
    for trial, value in sorted(zip(finished, values, strict=True), key=lambda pair: pair[1]):
        rank = _share(value, low, high)
        line = [scale(trial.params[each.name]) for scale, each in zip(scales, space, strict=True)]
        is_best = best is not None and trial.number == best.number
        goodness = rank if result.plan.maximize else 1 - rank
        axes.plot(
            [*line, rank],
            color=_BEST if is_best else colors(goodness),
            alpha=1 if is_best else 0.6,
            linewidth=2.5 if is_best else 1,
            zorder=3 if is_best else 2,
        )
    marks = [_name_marks(dimension) for dimension in space]
    for place, named in enumerate([*marks, {0.0: f"{low:.4g}", 1.0: f"{high:.4g}"}]):
        axes.axvline(place, color=_ENDED, linewidth=0.8, zorder=1)
        for height, text in named.items():
            shift = {0.0: -0.06, 1.0: 0.06}.get(height, 0.0)
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.8}
            axes.text(place, height + shift, text, ha="center", va="center", fontsize=8, bbox=box)
    axes.set_ylim(-0.15, 1.15)


def plot_slice(result: SweepResult, dimension: Dimension, axes: Axes) -> None:
    """Draw the metric by one parameter, the other parameters being what they were.

    Parameters
    ----------
    result
        What came of the sweep.
    dimension
        The parameter.
    axes
        Where.
    """
    finished = _finite(result)
    values: list[Any] = [trial.params[dimension.name] for trial in finished]
    if isinstance(dimension, Choice) and not dimension.is_ordered:
        known = [repr(value) for value in dimension.values]
        axes.set_xticks(range(len(known)), [_shorten(value) for value in dimension.values])
        values = [known.index(repr(value)) for value in values]
    elif dimension.is_log:
        axes.set_xscale("log")
    axes.scatter(values, _values(finished), s=16, color=_QUIET)
    axes.set(title=dimension.name, ylabel=result.plan.metric)


def _finite(result: SweepResult) -> list[Trial]:
    return [t for t in result.records if t.state == "finished" and _is_finite(t.value)]


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _values(trials: Sequence[Trial]) -> list[float]:
    return [trial.value for trial in trials if trial.value is not None]


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _make_scale(dimension: Dimension) -> Any:
    """Make what puts a value between 0 and 1 on its own axis."""
    if isinstance(dimension, Choice):
        places = {repr(value): place for place, value in enumerate(dimension.values)}
        return lambda value: _share(places[repr(value)], 0, len(places) - 1)
    low, high = float(dimension.low), float(dimension.high)
    if dimension.is_log:
        return lambda value: _share(math.log(value), math.log(low), math.log(high))
    return lambda value: _share(value, low, high)


def _name_marks(dimension: Dimension) -> dict[float, str]:
    """Give what stands beside an axis, by height."""
    if not isinstance(dimension, Choice):
        return {0.0: f"{dimension.low:.4g}", 1.0: f"{dimension.high:.4g}"}
    last = dimension.size - 1
    shown = range(last + 1) if last < _MAX_MARKS else (0, last)
    return {_share(at, 0, last): _shorten(dimension.values[at]) for at in shown}


def _shorten(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 16 else text[:15] + "…"

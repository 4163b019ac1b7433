"""Figures of runs as they are kept: curves, a metric over runs, parameters against a metric."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib import colormaps  # noqa: TID253 - this module is loaded to draw
from matplotlib.figure import Figure  # noqa: TID253 - this module is loaded to draw

from mlops_nb.records import RunRecord, is_lower_better
from mlops_nb.tracking.ranking import read_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mlops_nb.store import MetricPreview

_WIDE, _HIGH = 5.5, 3.2
_COLUMNS = 2
_MOST_LABELS = 12
_BEST, _QUIET = "#c0392b", "#2f6299"
_LOG_FROM = 100.0  # the largest over the smallest from which a logarithmic axis tells more


class RunFigure(Figure):
    """A figure of matplotlib that every notebook shows, whatever its backend."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=100)
        return buffer.getvalue()


def make_figure(count: int = 1) -> tuple[RunFigure, list[Axes]]:
    """Make a figure with so many axes, two beside each other.

    Parameters
    ----------
    count
        How many axes.

    Returns
    -------
    figure : RunFigure
        Not known to pyplot, so that nothing shows it twice or keeps it.
    axes : list of matplotlib.axes.Axes
        In reading order.
    """
    columns = min(count, _COLUMNS)
    rows = math.ceil(count / _COLUMNS)
    wide = _WIDE * columns if count > 1 else _WIDE * 1.4
    figure = RunFigure(figsize=(wide, _HIGH * max(rows, 1.2)), layout="constrained")
    return figure, [figure.add_subplot(rows, columns, at + 1) for at in range(count)]


def name_run(run: RunRecord) -> str:
    """Give what a run is called beside others of its name."""
    return f"{run.name} {run.run_id[-8:]}"


def draw_curves(
    curves: dict[str, list[tuple[RunRecord, MetricPreview]]],
) -> RunFigure:
    """Draw metrics over their steps.

    Parameters
    ----------
    curves
        For each metric, runs that have it, with what a chart of it shows.

    Returns
    -------
    RunFigure
        One pair of axes a metric, one line a run; a band where several steps share a pixel.
    """
    figure, axes = make_figure(len(curves))
    for place, (key, lines) in zip(axes, curves.items(), strict=True):
        for run, found in lines:
            middle = (found.lows + found.highs) / 2
            marker = "o" if len(found.steps) < 30 else ""
            (line,) = place.plot(
                found.steps, middle, marker=marker, markersize=3, linewidth=1.4, label=name_run(run)
            )
            if (found.highs > found.lows).any():
                place.fill_between(
                    found.steps, found.lows, found.highs, color=line.get_color(), alpha=0.25, lw=0
                )
        place.set(title=key, xlabel="step")
    names = dict.fromkeys(run.run_id for lines in curves.values() for run, _ in lines)
    if 1 < len(names) <= _MOST_LABELS:
        _add_legend(axes[0])
    elif len(names) == 1:
        figure.suptitle(name_run(next(iter(curves.values()))[0][0]))
    return figure


def _add_legend(axes: Axes) -> None:
    axes.legend(frameon=False, fontsize="small")


def draw_history(runs: Sequence[RunRecord], metric: str) -> RunFigure:
    """Draw a metric over runs, in the order of their starts.

    Parameters
    ----------
    runs
        Those that have the metric.
    metric
        Its name.

    Returns
    -------
    RunFigure
        A point a run, in one colour a name, and the best so far as a line.
    """
    figure, (axes,) = make_figure()
    ordered = sorted(runs, key=lambda run: run.started_at)
    better = min if is_lower_better(metric) else max
    names = list(dict.fromkeys(run.name for run in ordered))
    for name in names:
        points = [(at, run.metrics[metric]) for at, run in enumerate(ordered) if run.name == name]
        label = name if len(names) <= _MOST_LABELS else None
        axes.scatter([at for at, _ in points], [value for _, value in points], s=22, label=label)
    best: list[float] = []
    for run in ordered:
        value = run.metrics[metric]
        best.append(better(best[-1], value) if best else value)
    axes.step(range(len(best)), best, where="post", color=_BEST, linewidth=1, label="best so far")
    axes.set(title=f"{metric} over {len(ordered)} runs", xlabel="run", ylabel=metric)
    axes.locator_params(axis="x", integer=True)
    _add_legend(axes)
    return figure


def draw_scatter(runs: Sequence[RunRecord], params: Sequence[str], metric: str) -> RunFigure:
    """Draw a metric against parameters.

    Parameters
    ----------
    runs
        Those that have the metric.
    params
        One or more parameters.
    metric
        Its name.

    Returns
    -------
    RunFigure
        One pair of axes a parameter; texts in the order in which they first occur.
    """
    figure, axes = make_figure(len(params))
    for place, param in zip(axes, params, strict=True):
        having = [run for run in runs if param in run.params]
        values = [run.metrics[metric] for run in having]
        numbers, labels = read_numbers([run.params[param] for run in having])
        place.scatter(numbers, values, s=22, color=_QUIET)
        if labels:
            place.set_xticks(range(len(labels)), labels, rotation=20, ha="right")
        elif _spans_far(numbers):
            place.set_xscale("log")
        place.set(xlabel=param, ylabel=metric)
    figure.suptitle(f"{metric} of {len(runs)} runs")
    return figure


def _spans_far(numbers: Sequence[float]) -> bool:
    return bool(numbers) and min(numbers) > 0 and max(numbers) / min(numbers) >= _LOG_FROM


def draw_parallel(runs: Sequence[RunRecord], params: Sequence[str], metric: str) -> RunFigure:
    """Draw runs as lines across their parameters, coloured by a metric.

    Parameters
    ----------
    runs
        Those that have the metric, the best first.
    params
        Parameters, one axis each.
    metric
        The last axis.

    Returns
    -------
    RunFigure
        The best run stands out.
    """
    figure, (axes,) = make_figure()
    figure.set_size_inches(max(7.0, 1.6 * (len(params) + 1)), 4.2)
    columns = [_Column.of_params(runs, param) for param in params]
    values = [run.metrics[metric] for run in runs]
    columns.append(_Column(metric, [*values], [], is_log=False))
    rows = list(zip(*(column.place() for column in columns), strict=True))
    colours = colormaps["viridis"]
    for at in reversed(range(len(runs))):
        colour = colours(1 - at / len(runs)) if at else _BEST
        axes.plot(range(len(columns)), rows[at], color=colour, linewidth=1 if at else 2.2)
    for at, column in enumerate(columns):
        axes.axvline(at, color="#8a8a8a", linewidth=0.8)
        for height, text in column.list_marks():
            axes.annotate(text, (at, height), (3, 0), textcoords="offset points", fontsize=8)
    axes.set_xticks(range(len(columns)), [column.name for column in columns])
    axes.set_yticks([])
    axes.margins(x=0.06)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_title(f"{len(runs)} runs; red is best by {metric}")
    return figure


class _Column:
    """One axis of parallel coordinates."""

    def __init__(self, name: str, numbers: list[float], labels: list[str], *, is_log: bool) -> None:
        self.name, self.numbers, self.labels, self.is_log = name, numbers, labels, is_log

    @classmethod
    def of_params(cls, runs: Sequence[RunRecord], param: str) -> _Column:
        """Read a parameter of all runs; what a run has not is a value of its own."""
        numbers, labels = read_numbers([run.params.get(param) for run in runs])
        return cls(param, numbers, labels, is_log=not labels and _spans_far(numbers))

    def _scaled(self) -> list[float]:
        return [math.log(number) for number in self.numbers] if self.is_log else self.numbers

    def place(self) -> list[float]:
        """Give the height of each run, from 0 to 1."""
        scaled = self._scaled()
        low, high = min(scaled), max(scaled)
        return [(value - low) / (high - low) if high > low else 0.5 for value in scaled]

    def list_marks(self) -> list[tuple[float, str]]:
        """Give heights that are named, with their names."""
        pairs = dict(zip(self.place(), self.numbers, strict=True))
        if self.labels:
            chosen = {height: self.labels[int(number)] for height, number in pairs.items()}
            return list(chosen.items())[:_MOST_LABELS]
        ends = {min(pairs), max(pairs)}
        return [(height, f"{pairs[height]:.4g}") for height in sorted(ends)]

"""Drawings that fit into a line: the curve of a metric, and how far a run has got."""

from __future__ import annotations

import base64
import html
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from mlops_nb import api
from mlops_nb.errors import MLOpsError
from mlops_nb.kernel.summaries import list_metrics
from mlops_nb.kernel.tables import format_value
from mlops_nb.records import ProgressRecord, RunRecord, is_cost, is_lower_better
from mlops_nb.records.durations import format_duration

_BLOCKS = "▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LETTERS = 24  # wide, as text
_FEWEST = 3
_MOST_TRIED = 4
_WIDTH, _HEIGHT, _EDGE = 160, 28, 2
# An image cannot know whether the page around it is light or dark: this blue shows on both.
_LINE = "#3f8fd2"


@dataclass(frozen=True, slots=True)
class Curve:
    """The course of one metric, in few values.

    Attributes
    ----------
    values
        Evenly spaced over the points; NaN where there was no number.
    count
        How many points there are.
    """

    key: str
    values: tuple[float, ...]
    count: int

    @property
    def text(self) -> str:
        """The curve in letters."""
        return draw_blocks(self.values)

    def to_html(self) -> str:
        """Give the curve as an image, with the letters for who sees none."""
        return draw_image(self.values, f"{self.key} {self.text}")


def find_curve(run: RunRecord) -> Curve | None:
    """Find the curve that tells most of a run.

    Parameters
    ----------
    run
        The run.

    Returns
    -------
    Curve or None
        Of a validation result where there is one, else of a loss, else of another metric, of at
        least three points; None where the run has no such metric.
    """
    keys = [key for key in list_metrics(run) if not is_cost(key)]
    keys.sort(key=lambda key: (not key.startswith("val"), not is_lower_better(key)))
    for key in keys[:_MOST_TRIED]:
        try:
            curve = _read_curve(run.run_id, key)
        except (MLOpsError, OSError):
            continue  # a run that is not kept, a damaged file: the card says what else there is
        if curve.count >= _FEWEST:
            return curve
    return None


def _read_curve(run_id: str, key: str) -> Curve:
    if "numpy" in sys.modules:
        found = api.preview_metric(run_id, key, 80)
        pairs = zip(found.lows.tolist(), found.highs.tolist(), strict=True)
        return Curve(key, tuple((low + high) / 2 for low, high in pairs), found.count)
    points = api.get_metric_history(run_id, key)
    return Curve(key, tuple(thin_out([point.value for point in points], 80)), len(points))


def thin_out(values: Sequence[float], most: int) -> list[float]:
    """Give at most so many values, evenly spaced, the first and the last among them."""
    if len(values) <= most:
        return list(values)
    return [values[round(at * (len(values) - 1) / (most - 1))] for at in range(most)]


def _scale(values: Sequence[float]) -> list[float | None]:
    """Give each value's place between the lowest (0) and the highest (1), None for no number."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return [None] * len(values)
    low, high = min(finite), max(finite)
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return [0.5 if math.isfinite(value) else None for value in values]
    return [(value - low) / span if math.isfinite(value) else None for value in values]


def draw_blocks(values: Sequence[float]) -> str:
    """Draw a curve in letters.

    Parameters
    ----------
    values
        In order.

    Returns
    -------
    str
        At most 24 letters; a blank where there is no number.
    """
    places = _scale(thin_out(values, _LETTERS))
    return "".join(" " if place is None else _BLOCKS[min(7, int(place * 8))] for place in places)


def draw_image(values: Sequence[float], words: str) -> str:
    """Draw a curve as an image that stands in its page.

    Parameters
    ----------
    values
        In order.
    words
        What it shows, for who cannot see it.

    Returns
    -------
    str
        An ``img`` with the SVG in it: notebooks that are not trusted lose an SVG element.
    """
    lines: list[list[str]] = [[]]
    wide = (_WIDTH - 2 * _EDGE) / max(1, len(values) - 1)
    for at, place in enumerate(_scale(values)):
        if place is None:
            lines.append([])
            continue
        x, y = _EDGE + at * wide, _EDGE + (1 - place) * (_HEIGHT - 2 * _EDGE)
        lines[-1].append(f"{x:.1f},{y:.1f}")
    drawn = "".join(
        f"<polyline points='{' '.join(line if len(line) > 1 else line * 2)}'/>"
        for line in lines
        if line
    )
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {_HEIGHT}' "
        f"width='{_WIDTH}' height='{_HEIGHT}'><g fill='none' stroke='{_LINE}' stroke-width='1.5' "
        f"stroke-linejoin='round' stroke-linecap='round'>{drawn}</g></svg>"
    )
    data = base64.b64encode(svg.encode()).decode()
    return (
        f"<img alt='{html.escape(words, quote=True)}' width='{_WIDTH}' height='{_HEIGHT}' "
        f"style='vertical-align:middle' src='data:image/svg+xml;base64,{data}'/>"
    )


def describe_progress(progress: ProgressRecord) -> str:
    """Say how far a run has got.

    Parameters
    ----------
    progress
        As the run has it.

    Returns
    -------
    str
        For example ``epoch 12/50 · 3.1/s · 12 s left``.
    """
    done = format_value(progress.n)
    counted = f"{done}/{format_value(progress.total)}" if progress.total else done
    words = [" ".join(word for word in (progress.description, counted) if word)]
    if progress.rate:
        slow = progress.rate < 1
        words.append(
            f"{format_value(float(f'{1 / progress.rate:.3g}'))} s each"
            if slow
            else f"{format_value(float(f'{progress.rate:.3g}'))}/s"
        )
        if progress.total:
            left = max(0.0, progress.total - progress.n) / progress.rate
            words.append(f"{format_duration(left)} left")
    return " · ".join(words)


def draw_progress(progress: ProgressRecord) -> tuple[str, str]:
    """Draw how far a run has got.

    Parameters
    ----------
    progress
        As the run has it.

    Returns
    -------
    tuple of str
        The same as text and as HTML.
    """
    words = describe_progress(progress)
    share = progress.share
    if share is None:
        return words, html.escape(words)
    eighths = round(share * 20 * 8)
    full, part = divmod(eighths, 8)
    bar = ("█" * full + (_EIGHTHS[part] if part else "")).ljust(20)
    element = f"<progress value='{share:.3f}' max='1' style='vertical-align:middle'></progress>"
    return f"|{bar}| {words}", f"{element} {html.escape(words)}"

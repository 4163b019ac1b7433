"""A pipeline as a picture that every front end shows: an image in HTML, Mermaid, and text."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlops_nb.kernel.tables import Markup

_WIDTH, _HEIGHT, _GAP, _EDGE = 210, 36, 48, 2
_MIDDLE = _EDGE + _WIDTH // 2
_RIGHT = _EDGE + _WIDTH
_LANE = 14  # from one line beside the boxes to the next
_MAX_LANES = 6
# Names stand in a font whose widths are known, as nothing can be measured here.
_LETTER, _PILL = 7.25, 20
_MAX_IN_GAP, _MAX_BESIDE = 26, 36
# An image cannot know whether the page around it is light or dark, so text brings its ground
# along, and lines are of a grey that shows on both.
_BOX, _LABEL, _LINE, _TEXT = "#2f6299", "#56616f", "#8a8a8a", "#ffffff"
_MONO = "ui-monospace,Menlo,Consolas,DejaVu Sans Mono,monospace"


def draw_pipeline(pipeline: Any) -> Markup:
    """Draw a pipeline.

    Parameters
    ----------
    pipeline
        As ``api.plan_pipeline`` gives it.

    Returns
    -------
    Markup
        HTML with the picture and a table, Mermaid source, and text.
    """
    picture = base64.b64encode(draw_svg(pipeline).encode()).decode()
    names = ", ".join(step.name for step in pipeline.steps)
    # Notebooks that are not trusted lose inline SVG; an image with a data URI stays.
    image = (
        f"<img alt='pipeline: {html.escape(names, quote=True)}' style='max-width:100%' "
        f"src='data:image/svg+xml;base64,{picture}'/>"
    )
    markup = f"<div style='padding:8px 0'>{image}</div>{pipeline.to_html()}"
    return Markup(pipeline.to_text(), markup, {"text/vnd.mermaid": pipeline.to_mermaid()})


@dataclass(frozen=True, slots=True)
class _Line:
    """What crosses from one step to another, by their places."""

    source: int
    target: int
    label: str
    lane: int = 0


def draw_svg(pipeline: Any) -> str:
    """Draw the steps as boxes from top to bottom, and on the lines between them what crosses.

    Parameters
    ----------
    pipeline
        As ``api.plan_pipeline`` gives it.

    Returns
    -------
    str
        A whole SVG document.
    """
    places = {step.name: at for at, step in enumerate(pipeline.steps)}
    near: dict[int, _Line] = {}
    far: list[_Line] = []
    for edge in pipeline.edges:
        if edge.source in places and edge.target in places:
            source, target = places[edge.source], places[edge.target]
            if target == source + 1:
                near[source] = _Line(source, target, _join(edge.names, _MAX_IN_GAP))
            else:
                origin = f" from {_cut(edge.source, 16)}"
                label = _join(edge.names, _MAX_BESIDE - len(origin)) + origin
                far.append(_Line(source, target, label))
    far = _choose_lanes(far)
    beside = _RIGHT + _LANE * (2 + max((line.lane for line in far), default=-1))
    parts = [_draw_gap(near.get(place), place) for place in range(len(places) - 1)]
    parts += [_draw_lane(line) for line in far]
    parts += [_draw_box(name, place) for name, place in places.items()]
    parts += _label_lanes(far, beside)
    widest = max((_measure(line.label) for line in far), default=0)
    width = round(beside + widest) + _EDGE if far else _RIGHT + _EDGE
    height = _top(len(places) - 1) + _HEIGHT + _EDGE
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' "
        f"viewBox='0 0 {width} {height}' font-family='system-ui,sans-serif' font-size='13'>"
        "<defs><marker id='a' markerWidth='8' markerHeight='8' refX='7' refY='4' orient='auto'>"
        f"<path d='M0 0L8 4L0 8z' fill='{_LINE}'/></marker></defs>{''.join(parts)}</svg>"
    )


def _top(place: int) -> int:
    return _EDGE + place * (_HEIGHT + _GAP)


def _choose_lanes(lines: Sequence[_Line]) -> list[_Line]:
    """Give lines that pass one another a place side by side, the short ones next to the boxes."""
    chosen: list[_Line] = []
    for line in sorted(lines, key=lambda line: (line.target - line.source, line.source)):
        taken = {
            other.lane
            for other in chosen
            if other.source < line.target and line.source < other.target
        }
        lane = next((at for at in range(_MAX_LANES) if at not in taken), _MAX_LANES - 1)
        chosen.append(_Line(line.source, line.target, line.label, lane))
    return chosen


def _draw_box(name: str, place: int) -> str:
    top = _top(place)
    return (
        f"<rect x='{_EDGE}' y='{top}' width='{_WIDTH}' height='{_HEIGHT}' rx='6' fill='{_BOX}'/>"
        f"<text x='{_MIDDLE}' y='{top + _HEIGHT // 2 + 5}' fill='{_TEXT}' font-weight='600' "
        f"text-anchor='middle'>{html.escape(_cut(name, 24))}</text>"
    )


def _draw_gap(line: _Line | None, place: int) -> str:
    """Draw an arrow to the next step, or dots where only the order joins the two."""
    top, bottom = _top(place) + _HEIGHT, _top(place + 1)
    way = f"<path d='M{_MIDDLE} {top}L{_MIDDLE} {bottom}' "
    if line is None:
        return f"{way}stroke='{_LINE}' stroke-width='1.5' stroke-dasharray='2 4'/>"
    pill = _draw_pill(line.label, _MIDDLE - _measure(line.label) / 2, (top + bottom) // 2 - 2)
    return f"{way}{_ARROW}/>{pill}"


_ARROW = f"stroke='{_LINE}' stroke-width='1.5' fill='none' marker-end='url(#a)'"


def _draw_lane(line: _Line) -> str:
    """Draw an arrow that passes other steps at their right."""
    # Lines leave a box below its middle and enter above, so that no two share an end.
    start, end = _top(line.source) + _HEIGHT // 2 + 8, _top(line.target) + _HEIGHT // 2 - 8
    x, bend = _RIGHT + _LANE * (line.lane + 1), 6
    return (
        f"<path d='M{_RIGHT} {start}H{x - bend}Q{x} {start} {x} {start + bend}"
        f"V{end - bend}Q{x} {end} {x - bend} {end}H{_RIGHT}' {_ARROW}/>"
    )


def _label_lanes(lines: Sequence[_Line], x: int) -> list[str]:
    """Write what arrives at a step beside it, at most three labels."""
    pills = []
    for target in sorted({line.target for line in lines}):
        labels = [line.label for line in lines if line.target == target]
        shown = labels if len(labels) <= 3 else [*labels[:2], f"and {len(labels) - 2} more"]
        first = _top(target) + _HEIGHT // 2 - 8 - (len(shown) - 1) * (_PILL + 3) // 2
        pills += [_draw_pill(label, x, first + (_PILL + 3) * at) for at, label in enumerate(shown)]
    return pills


def _draw_pill(label: str, x: float, middle: int) -> str:
    width = _measure(label)
    return (
        f"<rect x='{x:.1f}' y='{middle - _PILL // 2}' width='{width:.1f}' height='{_PILL}' "
        f"rx='{_PILL // 2}' fill='{_LABEL}'/>"
        f"<text x='{x + width / 2:.1f}' y='{middle + 4}' fill='{_TEXT}' font-size='12' "
        f"font-family='{_MONO}' text-anchor='middle'>{html.escape(label)}</text>"
    )


def _measure(label: str) -> float:
    return len(label) * _LETTER + _PILL


def _join(names: Sequence[str], limit: int) -> str:
    """List names as far as they fit, and count the others."""
    for count in range(len(names), 0, -1):
        more = f" +{len(names) - count}" if count < len(names) else ""
        text = ", ".join(names[:count]) + more
        if len(text) <= limit:
            return text
    return _cut(names[0], limit) if len(names) == 1 else f"{len(names)} values"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"

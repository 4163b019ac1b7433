"""A pipeline as a picture that every front end shows: an image in HTML, Mermaid, and text."""

from __future__ import annotations

import base64
import html
from typing import Any

from mlops_nb.kernel.tables import Markup

_LEFT, _WIDTH, _HEIGHT, _GAP = 70, 190, 38, 30
_MAX_LABEL = 70
# Mid tones: an image cannot know whether the page around it is light or dark.
_BOX, _LINE, _TEXT = "#3b6ea5", "#8a8a8a", "#808080"


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
    markup = f"<div>{image}</div>{pipeline.to_html()}"
    return Markup(pipeline.to_text(), markup, {"text/vnd.mermaid": pipeline.to_mermaid()})


def draw_svg(pipeline: Any) -> str:
    """Draw the steps as boxes from top to bottom, with what each one takes from which.

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
    height = len(places) * (_HEIGHT + _GAP) + 8
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='760' height='{height}' "
        f"viewBox='0 0 760 {height}' font-family='sans-serif' font-size='13'>",
        "<defs><marker id='a' markerWidth='8' markerHeight='8' refX='7' refY='4' orient='auto'>"
        f"<path d='M0 0L8 4L0 8z' fill='{_LINE}'/></marker></defs>",
    ]
    labels: dict[str, list[str]] = {name: [] for name in places}
    for edge in pipeline.edges:
        if edge.source in places and edge.target in places:
            parts.append(_draw_arrow(places[edge.source], places[edge.target]))
            labels[edge.target].append(f"{edge.source}: {', '.join(edge.names)}")
    boxes = [_draw_box(name, place, labels[name]) for name, place in places.items()]
    return "".join([*parts, *boxes, "</svg>"])


def _top(place: int) -> int:
    return 4 + place * (_HEIGHT + _GAP)


def _draw_box(name: str, place: int, labels: list[str]) -> str:
    top = _top(place)
    middle = top + _HEIGHT // 2 + 5
    parts = [
        f"<rect x='{_LEFT}' y='{top}' width='{_WIDTH}' height='{_HEIGHT}' rx='6' fill='{_BOX}'/>",
        f"<text x='{_LEFT + _WIDTH // 2}' y='{middle}' fill='#ffffff' text-anchor='middle'>"
        f"{html.escape(_cut(name, 24))}</text>",
    ]
    shown = labels[:3] if len(labels) <= 3 else [*labels[:2], f"and {len(labels) - 2} more"]
    first = middle - 8 * (len(shown) - 1)
    for at, label in enumerate(shown):
        parts.append(
            f"<text x='{_LEFT + _WIDTH + 14}' y='{first + 16 * at}' fill='{_TEXT}' font-size='12'>"
            f"← {html.escape(_cut(label, _MAX_LABEL))}</text>"
        )
    return "".join(parts)


def _draw_arrow(source: int, target: int) -> str:
    """Draw a straight arrow to the next step, and a bow on the left to one further on."""
    style = f"stroke='{_LINE}' stroke-width='1.5' fill='none' marker-end='url(#a)'"
    if target == source + 1:
        x = _LEFT + _WIDTH // 2
        return f"<path d='M{x} {_top(source) + _HEIGHT}L{x} {_top(target)}' {style}/>"
    start, end = _top(source) + _HEIGHT // 2, _top(target) + _HEIGHT // 2
    bow = max(6, _LEFT - 14 * abs(target - source))
    return f"<path d='M{_LEFT} {start}C{bow} {start} {bow} {end} {_LEFT} {end}' {style}/>"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"

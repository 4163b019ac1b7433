"""Pictures of a pipeline: text, Mermaid, HTML."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_nb.pipeline.graph import Pipeline, Step

_SHOWN = 6
# In each cell, as notebooks that are not trusted lose style sheets; Jupyter aligns right.
_CELL = "text-align:left;vertical-align:top;padding:3px 16px 3px 0"


def _name_cells(indexes: Iterable[int]) -> str:
    """Give positions as ranges: ``3-5, 8``."""
    runs: list[list[int]] = []
    for index in indexes:
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def _count_code(step: Step) -> str:
    indexes = [cell.index for cell in step.cells if cell.kind == "code"]
    return f"cell{'s' if len(indexes) > 1 else ''} {_name_cells(indexes)}"


def _shorten(names: tuple[str, ...]) -> str:
    more = f" +{len(names) - _SHOWN}" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _list_parameters(pipeline: Pipeline) -> str:
    return ", ".join(f"{p.name}={p.default!r}" for p in pipeline.parameters)


def draw_text(pipeline: Pipeline) -> str:
    """Draw a pipeline for a terminal.

    Parameters
    ----------
    pipeline
        The plan.

    Returns
    -------
    str
        One line per step.
    """
    count = len(pipeline.steps)
    lines = [f"{pipeline.path.name}: {count} step{'s' if count > 1 else ''}"]
    if pipeline.parameters:
        lines.append(f"  parameters: {_list_parameters(pipeline)}")
    prelude = [cell.index for cell in pipeline.prelude if cell.kind == "code"]
    if prelude:
        lines.append(f"  every step: cells {_name_cells(prelude)}")
    width = max(len(step.name) for step in pipeline.steps)
    for number, step in enumerate(pipeline.steps, 1):
        lines.append(f"  {number}. {step.name:<{width}}  {_count_code(step)}")
        lines += [
            f"     {'':<{width}}  -> {edge.target}: {_shorten(edge.names)}"
            for edge in pipeline.edges
            if edge.source == step.name
        ]
        if step.loop:
            lines.append(f"     {'':<{width}}  {step.loop}")
    if pipeline.skipped:
        lines.append(f"  skipped: cells {_name_cells(c.index for c in pipeline.skipped)}")
    return "\n".join(lines)


def _quote(text: str) -> str:
    return html.escape(text, quote=True).replace("&quot;", "#quot;").replace("\n", " ")


def draw_mermaid(pipeline: Pipeline) -> str:
    """Draw a pipeline as Mermaid source.

    Parameters
    ----------
    pipeline
        The plan.

    Returns
    -------
    str
        A flow chart from left to right; steps without data between them are joined by dots.
    """
    ids = {step.name: f"s{number}" for number, step in enumerate(pipeline.steps)}
    lines = ["flowchart LR"]
    lines += [
        f'    {ids[step.name]}["{_quote(step.name)}<br/>{_count_code(step)}"]'
        for step in pipeline.steps
    ]
    drawn = set()
    for edge in pipeline.edges:
        drawn.add((edge.source, edge.target))
        label = _quote(_shorten(edge.names))
        lines.append(f'    {ids[edge.source]} -->|"{label}"| {ids[edge.target]}')
    for step in pipeline.steps:
        for source in step.after:
            if (source, step.name) not in drawn:
                drawn.add((source, step.name))
                lines.append(f"    {ids[source]} --> {ids[step.name]}")
    for first, second in zip(pipeline.steps, pipeline.steps[1:], strict=False):
        if (first.name, second.name) not in drawn:
            lines.append(f"    {ids[first.name]} -.-> {ids[second.name]}")
    return "\n".join(lines)


def draw_html(pipeline: Pipeline) -> str:
    """Draw a pipeline as an HTML table.

    Parameters
    ----------
    pipeline
        The plan.

    Returns
    -------
    str
        Everything that comes from the notebook is escaped.
    """
    rows = []
    for number, step in enumerate(pipeline.steps, 1):
        cells = (
            str(number),
            step.name,
            _count_code(step),
            ", ".join(step.after),
            _shorten(step.needs),
            _shorten(step.provides),
        )
        row = "".join(
            f"<td style='{_CELL}{'' if ', ' in text else ';white-space:nowrap'}'>"
            f"{html.escape(text)}</td>"
            for text in cells
        )
        rows.append(f"<tr>{row}</tr>")
    heads = ("", "step", "cells", "after", "needs", "provides")
    head = "".join(f"<th scope='col' style='{_CELL}'>{name}</th>" for name in heads)
    caption = html.escape(pipeline.path.name)
    if pipeline.parameters:
        caption += f" &middot; {html.escape(_list_parameters(pipeline))}"
    return (
        f'<table class="mlops-pipeline"><caption style="text-align:left">{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )

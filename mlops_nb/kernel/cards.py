"""Cards: what a cell recorded, shown under it, and completed when later cells add metrics."""

from __future__ import annotations

import html
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from mlops_nb.kernel.sparklines import Curve, draw_progress
from mlops_nb.kernel.summaries import (
    find_best,
    format_delta,
    format_param,
    list_metrics,
    read_params,
    short_id,
)
from mlops_nb.kernel.tables import CELL, Markup, Table, escape, format_value
from mlops_nb.records import RunRecord, is_cost
from mlops_nb.records.durations import format_duration

MEDIA_TYPE = "application/vnd.mlops-nb.run+json"
MAX_RUNS = 20
MAX_KEYS = 12
MAX_COLUMNS = 6
# JupyterLab and Notebook follow it, in notebooks that are not trusted too; others show the words.
_LINK = (
    "<a href='#' data-commandlinker-command='mlops:open-panel' data-commandlinker-args='{}'>"
    "open the panel</a>"
)


@dataclass(slots=True)
class Card:
    """One card as shown: its runs, the runs before them, how many were nested in each, a curve."""

    display_id: str
    runs: list[RunRecord]
    earlier: dict[str, list[RunRecord]]
    is_shown: bool = False
    nested: dict[str, int] = field(default_factory=dict)
    curve: Curve | None = None

    def best(self, run: RunRecord) -> dict[str, float]:
        """Find what the metrics of a run are compared with.

        Parameters
        ----------
        run
            A run of this card.

        Returns
        -------
        dict
            Best earlier value by metric.
        """
        return find_best(self.earlier.get(run.name, ()), run.metrics)


def render_card(card: Card) -> Markup:
    """Give a card every form a front end may want.

    Parameters
    ----------
    card
        The card.

    Returns
    -------
    Markup
        Text, HTML and the document that the panel's renderer reads.
    """
    document = {
        "schema": 1,
        "runs": [_read_shown(run, card) for run in card.runs[:MAX_RUNS]],
        "count": len(card.runs),
        "curve": None if card.curve is None else _read_curve(card.curve),
    }
    if len(card.runs) == 1:
        text, markup = _render_one(card.runs[0], card)
    else:
        text, markup = _render_many(card)
    return Markup(text, markup, {MEDIA_TYPE: document})


def _read_shown(run: RunRecord, card: Card) -> dict[str, Any]:
    """Give a run as the card's HTML tells it, which the panel's renderer draws in its own way."""
    return {
        **read_run(run, card.best(run)),
        "duration_s": _measure(run),
        "more_metrics": max(0, len(list_metrics(run)) - MAX_KEYS),
        "nested": card.nested.get(run.run_id, 0),
        "recorded": _describe_kept(run).removeprefix("recorded: "),
    }


def read_run(run: RunRecord, best: dict[str, float]) -> dict[str, Any]:
    """Give what a card says about a run as JSON types.

    Parameters
    ----------
    run
        The run.
    best
        Best earlier value by metric.

    Returns
    -------
    dict
        At most twelve parameters and metrics, as the card shows them; values that JSON lacks
        (NaN) are given as text.
    """
    metrics = {key: run.metrics[key] for key in list_metrics(run)[:MAX_KEYS]}
    return {
        "run_id": run.run_id,
        "name": run.name,
        "status": run.status,
        "duration_s": run.duration_s,
        "params": read_params(run, MAX_KEYS),
        "metrics": {key: _json_number(value) for key, value in metrics.items()},
        "deltas": {
            key: _json_number(value - best[key])
            for key, value in metrics.items()
            if key in best and not is_cost(key)
        },
        "datasets": [
            {
                "name": data.name,
                "role": data.role,
                "shape": list(data.shape),
                "kept": bool(data.digest),
            }
            for data in run.datasets[:MAX_KEYS]
        ],
        "environment": run.environment,
        "code": run.code,
        "progress": None if run.progress is None else _plain(asdict(run.progress)),
    }


def _read_curve(curve: Curve) -> dict[str, Any]:
    values = [_json_number(value) for value in curve.values]
    return {"key": curve.key, "count": curve.count, "values": values}


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _json_number(value) if isinstance(value, float) else value
        for key, value in document.items()
    }


def _json_number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _describe_kept(run: RunRecord) -> str:
    parts = []
    for data in run.datasets:
        # The bytes are kept after the cell, so a card could not say yet whether they were.
        shape = " × ".join(str(size) for size in data.shape)  # noqa: RUF001 - a sign for people
        label = f"{data.role}: {data.name}" if data.role and data.name else data.role or data.name
        parts.append(f"{label or data.kind} ({shape})" if shape else label or data.kind)
    if len(parts) > MAX_KEYS:
        parts[MAX_KEYS:] = [f"{len(parts) - MAX_KEYS} more"]
    figures = sum(1 for artifact in run.artifacts if artifact.media_type.startswith("image/"))
    if figures:
        parts.append(f"{figures} figure{'s' if figures > 1 else ''}")
    outputs = any(artifact.path.endswith("-output.txt") for artifact in run.artifacts)
    said = {"output": outputs, "code": run.code or run.session_id, "environment": run.environment}
    parts += [word for word, has in said.items() if has]
    return f"recorded: {', '.join(parts)}" if parts else ""


def _render_one(run: RunRecord, card: Card) -> tuple[str, str]:
    """Draw one run: what came out of it, then what went in."""
    best, nested = card.best(run), card.nested.get(run.run_id, 0)
    inner = f"{nested} nested run{'s' if nested > 1 else ''}" if nested else ""
    words = [run.status, format_duration(_measure(run)), inner, short_id(run.run_id)]
    facts = [word for word in words if word]
    rows = [
        (key, format_value(run.metrics[key]), format_delta(key, run.metrics[key], best))
        for key in list_metrics(run)[:MAX_KEYS]
    ]
    more = len(list_metrics(run)) - len(rows)
    if more:
        rows.append(("", f"and {more} more", ""))
    params = ", ".join(f"{key}={text}" for key, text in read_params(run, MAX_KEYS).items())
    width = max((len(key) for key, _, _ in rows), default=0)
    lines = [f"run {' · '.join([run.name, *facts])}"]
    for key, value, delta in rows:
        lines.append(f"  {key.ljust(width)}  {value}{f'  ({delta})' if delta else ''}")
    curve = card.curve
    if curve is not None:
        lines.append(f"  {curve.key}  {curve.text}")
    if run.progress is not None:
        lines.append(f"  {draw_progress(run.progress)[0]}")
    described = _describe_kept(run)
    lines += [f"  {words}" for words in (params, described) if words]
    metrics = "".join(
        f"<tr><td style='{CELL};text-align:left'>{escape(key)}</td>"
        f"<td style='{CELL}'><b>{escape(value)}</b></td>"
        f"<td style='{CELL};opacity:.7'>{escape(delta)}</td></tr>"
        for key, value, delta in rows
    )
    table = f"<table style='margin:4px 0'>{metrics}</table>" if rows else ""
    if curve is not None:
        table += f"<div style='margin:4px 0'>{curve.to_html()} {escape(curve.key)}</div>"
    if run.progress is not None:
        table = f"<div style='margin:4px 0'>{draw_progress(run.progress)[1]}</div>{table}"
    # No colours: the text takes those of the page, light or dark.
    given = f"<div style='margin:2px 0'>{html.escape(params)}</div>" if params else ""
    kept = " · ".join(word for word in (html.escape(described), _LINK) if word)
    markup = (
        f"<details class='mlops-nb-card' open><summary>run <b>{escape(run.name)}</b> · "
        f"{' · '.join(map(escape, facts[:-1]))} · <code>{escape(facts[-1])}</code></summary>"
        f"{table}{given}<small style='opacity:.7'>{kept}</small></details>"
    )
    return "\n".join(lines), markup


def _measure(run: RunRecord) -> float | None:
    """Give how long a run took, or has taken so far."""
    return time.time() - run.started_at if run.status == "running" else run.duration_s


def _render_many(card: Card) -> tuple[str, str]:
    """Draw many runs as one small table: their metrics, then the params in which they differ."""
    runs = card.runs[:MAX_RUNS]
    keys = dict.fromkeys(key for run in runs for key in list_metrics(run))
    metrics = sorted(keys, key=is_cost)[:MAX_COLUMNS]
    given = [read_params(run, MAX_KEYS) for run in runs]
    shown = _pick_params(given)
    is_plain = all(run.status == "finished" for run in runs)
    rows = [
        [
            run.name,
            short_id(run.run_id),
            *([] if is_plain else [run.status]),
            format_duration(run.duration_s),
            *(run.metrics.get(key) for key in metrics),
            # One run's change is another one's default, which is worth its place beside it.
            *(format_param(run.params[key]) if key in run.params else None for key in shown),
        ]
        for run in runs
    ]
    more = len(card.runs) - len(runs)
    title = f"{len(card.runs)} runs{f', the first {len(runs)} shown' if more else ''}"
    words = ["name", "run", *([] if is_plain else ["status"]), "duration"]
    table = Table([*words, *metrics, *shown], rows, title)
    return repr(table), table._repr_html_()


def _pick_params(given: Sequence[dict[str, str]]) -> list[str]:
    """Choose columns: what most runs changed first, and nothing that is the same in all."""
    counted: dict[str, int] = {}
    for params in given:
        for key in params:
            counted[key] = counted.get(key, 0) + 1
    differing = [key for key in counted if len({params.get(key) for params in given}) > 1]
    return sorted(differing, key=lambda key: -counted[key])[:MAX_COLUMNS]

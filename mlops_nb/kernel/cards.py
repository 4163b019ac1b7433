"""Cards: what a cell recorded, shown under it, and completed when later cells add metrics."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mlops_nb import api
from mlops_nb.kernel.tables import Markup, Table, escape, format_duration, format_value
from mlops_nb.records import RunRecord

MEDIA_TYPE = "application/vnd.mlops-nb.run+json"
MAX_RUNS = 20
MAX_KEYS = 12
MAX_CARDS = 20  # cards of earlier cells that may still be completed

# A delta is good or bad news only where the name of the metric says which way is better.
_LOWER_IS_BETTER = ("loss", "error", "mse", "mae", "rmse", "deviance", "perplexity", "inertia")


def short_id(run_id: str) -> str:
    """Give the part of a run's id that tells it apart from its neighbours.

    Parameters
    ----------
    run_id
        The whole id; it begins with the time, which runs of one minute share.

    Returns
    -------
    str
        Its last eight characters; every command takes them.
    """
    return run_id[-8:]


def is_lower_better(key: str) -> bool:
    """Say whether less of a metric is better, from its name.

    Parameters
    ----------
    key
        The metric.

    Returns
    -------
    bool
        True for losses and errors.
    """
    return any(word in key.lower() for word in _LOWER_IS_BETTER)


def read_params(run: RunRecord, limit: int | None = None) -> dict[str, str]:
    """Give the parameters of a run as texts.

    Parameters
    ----------
    run
        The run.
    limit
        At most so many: those that are not the defaults first, where auto-logging has noted them.

    Returns
    -------
    dict
        Text by name.
    """
    texts = {key: "None" if v is None else format_value(v) for key, v in run.params.items()}
    if limit is None:
        return texts
    noted = run.tags.get("params.changed")
    chosen = list(texts) if noted is None else [key for key in noted.split(", ") if key in texts]
    return {key: texts[key] for key in chosen[:limit]}


def find_best(previous: Iterable[RunRecord], keys: Iterable[str]) -> dict[str, float]:
    """Find the best value each metric had in earlier runs.

    Parameters
    ----------
    previous
        The earlier runs.
    keys
        The metrics.

    Returns
    -------
    dict
        Best value by metric, for the metrics that had one.
    """
    runs = list(previous)
    best = {}
    for key in keys:
        values = [run.metrics[key] for run in runs if key in run.metrics]
        finite = [value for value in values if math.isfinite(value)]
        if finite:
            best[key] = min(finite) if is_lower_better(key) else max(finite)
    return best


@dataclass(slots=True)
class Card:
    """One card as shown: its runs, and for each run the best values before it."""

    display_id: str
    runs: list[RunRecord]
    earlier: dict[str, list[RunRecord]]
    is_shown: bool = False

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


class CardBoard:
    """Shows one card per cell that recorded runs and keeps the latest ones up to date.

    Parameters
    ----------
    shell
        The running IPython shell.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._cards: list[Card] = []
        self._made = 0

    def show(self, records: Sequence[RunRecord]) -> None:
        """Show a card for new runs; complete the cards of runs that were shown before.

        Parameters
        ----------
        records
            Runs that a cell closed or added to.
        """
        given = {record.run_id: record for record in records}
        for card in self._cards:
            if any(run.run_id in given for run in card.runs):
                card.runs = [given.pop(run.run_id, run) for run in card.runs]
                self._publish(card)
        fresh = [run for run in given.values() if run.parent_run_id is None] or list(given.values())
        if not fresh:
            return
        self._made += 1
        display_id = f"mlops-nb-{os.getpid()}-{self._made}"
        card = Card(display_id, fresh, self._find_earlier(fresh))
        self._publish(card)
        self._cards = [*self._cards[1 - MAX_CARDS :], card]

    def _find_earlier(self, fresh: Sequence[RunRecord]) -> dict[str, list[RunRecord]]:
        """Find earlier runs with the names of the new ones, in the same notebook."""
        ids = {run.run_id for run in fresh}
        names, notebook = {run.name for run in fresh}, fresh[0].notebook
        earlier: dict[str, list[RunRecord]] = {name: [] for name in names}
        for run in api.list_runs(limit=200, notebook=notebook):
            if run.name in names and run.run_id not in ids and run.notebook == notebook:
                earlier[run.name].append(run)
        return earlier

    def _publish(self, card: Card) -> None:
        self._shell.display_pub.publish(
            data=render_card(card)._repr_mimebundle_(),
            metadata={},
            transient={"display_id": card.display_id},
            update=card.is_shown,
        )
        card.is_shown = True


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
        "runs": [read_run(run, card.best(run)) for run in card.runs[:MAX_RUNS]],
    }
    if len(card.runs) == 1:
        text, markup = _render_one(card.runs[0], card.best(card.runs[0]))
    else:
        text, markup = _render_many(card)
    return Markup(text, markup, {MEDIA_TYPE: document})


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
        At most twelve parameters and metrics; values that JSON lacks (NaN) are given as text.
    """
    metrics = dict(list(run.metrics.items())[:MAX_KEYS])
    return {
        "run_id": run.run_id,
        "name": run.name,
        "status": run.status,
        "duration_s": run.duration_s,
        "params": read_params(run, MAX_KEYS),
        "metrics": {key: _json_number(value) for key, value in metrics.items()},
        "deltas": {
            key: _json_number(value - best[key]) for key, value in metrics.items() if key in best
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
    }


def _json_number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def format_delta(key: str, value: float, best: dict[str, float]) -> str:
    """Say how a metric compares with the best before it.

    Parameters
    ----------
    key
        The metric.
    value
        Its value.
    best
        Best earlier value by metric.

    Returns
    -------
    str
        For example ``▲ +0.0123``; empty where there is nothing to compare with.
    """
    if key not in best or not math.isfinite(value):
        return ""
    delta = value - best[key]
    if delta == 0:
        return "= best so far"
    return f"{'▲' if delta > 0 else '▼'} {delta:+.4g}"


def _describe_kept(run: RunRecord) -> str:
    parts = []
    for data in run.datasets:
        shape = " x ".join(str(size) for size in data.shape)
        label = f"{data.role or data.kind} {data.name}".strip()
        parts.append(f"{label} {shape}{' (kept)' if data.digest else ''}".strip())
    figures = sum(1 for artifact in run.artifacts if artifact.media_type.startswith("image/"))
    if figures:
        parts.append(f"{figures} figure{'s' if figures > 1 else ''}")
    if run.environment:
        parts.append(f"environment {run.environment[:8]}")
    return ", ".join(parts)


def _metric_texts(run: RunRecord, best: dict[str, float]) -> list[str]:
    texts = []
    for key, value in list(run.metrics.items())[:MAX_KEYS]:
        delta = format_delta(key, value, best)
        texts.append(f"{key}={format_value(value)}{f' ({delta})' if delta else ''}")
    return texts


def _render_one(run: RunRecord, best: dict[str, float]) -> tuple[str, str]:
    head = f"{run.name} · {run.status} · {format_duration(run.duration_s)} · {short_id(run.run_id)}"
    params = ", ".join(f"{key}={text}" for key, text in read_params(run, MAX_KEYS).items())
    kept = _describe_kept(run)
    lines = [f"run {head}", *(f"  {part}" for part in (params, *_metric_texts(run, best)) if part)]
    metrics = "".join(
        f"<tr><td style='padding-right:10px'>{escape(key)}</td>"
        f"<td style='padding-right:10px'><b>{escape(value)}</b></td>"
        f"<td>{escape(format_delta(key, value, best))}</td></tr>"
        for key, value in list(run.metrics.items())[:MAX_KEYS]
    )
    markup = (
        f"<details class='mlops-nb-card' open><summary>run <b>{escape(run.name)}</b> · "
        f"{escape(run.status)} · {escape(format_duration(run.duration_s))} · "
        f"<code>{escape(short_id(run.run_id))}</code></summary>"
        f"<div>{escape(params)}</div><table>{metrics}</table><small>{escape(kept)}</small></details>"
    )
    return "\n".join(lines), markup


def _render_many(card: Card) -> tuple[str, str]:
    """Draw many runs as one small table with the columns in which they differ."""
    runs = card.runs[:MAX_RUNS]
    params = [
        key
        for key in dict.fromkeys(key for run in runs for key in run.params)
        if len({format_value(run.params.get(key)) for run in runs}) > 1
    ][:6]
    metrics = list(dict.fromkeys(key for run in runs for key in run.metrics))[:6]
    rows = [
        [
            run.name,
            short_id(run.run_id),
            run.status,
            format_duration(run.duration_s),
            *(run.params.get(key) for key in params),
            *(run.metrics.get(key) for key in metrics),
        ]
        for run in runs
    ]
    more = len(card.runs) - len(runs)
    title = f"{len(card.runs)} runs{f', the first {len(runs)} shown' if more else ''}"
    table = Table(["name", "run", "status", "duration", *params, *metrics], rows, title)
    return repr(table), table._repr_html_()

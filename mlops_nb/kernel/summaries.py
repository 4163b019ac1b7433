"""What is said of a run in few words: its result first, then what was changed to get it."""

from __future__ import annotations

import math
from collections.abc import Iterable

from mlops_nb.kernel.tables import format_value
from mlops_nb.records import SYSTEM, RunRecord, is_cost, is_lower_better, is_system

MAX_PARAM = 40  # characters; longer values are left to %mlops show


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


def format_param(value: object) -> str:
    """Write a parameter so that its type is seen: ``1.0`` is not ``1``.

    Parameters
    ----------
    value
        JSON types.

    Returns
    -------
    str
        One line; None is written out.
    """
    text = "None" if value is None else format_value(value)
    return f"{text}.0" if isinstance(value, float) and text.lstrip("-").isdigit() else text


def read_params(run: RunRecord, limit: int | None = None) -> dict[str, str]:
    """Give the parameters of a run as texts.

    Parameters
    ----------
    run
        The run.
    limit
        At most so many, and only those that say something in few words: of auto-logged ones those
        that are not the defaults.

    Returns
    -------
    dict
        Text by name.
    """
    texts = {key: format_param(value) for key, value in run.params.items()}
    if limit is None:
        return texts
    chosen = [key for key in list_changed(run) if len(texts[key]) <= MAX_PARAM]
    return {key: texts[key] for key in chosen[:limit]}


def list_changed(run: RunRecord) -> list[str]:
    """Name the parameters that say something: given by the user, or found by a search.

    Parameters
    ----------
    run
        The run.

    Returns
    -------
    list of str
        Of an auto-logged run what a search found best and what is no default, else all.
    """
    noted = run.tags.get("params.changed")
    if noted is None:
        return list(run.params)
    changed = [key for key in noted.split(", ") if key in run.params]
    return [*(key for key in run.params if key.startswith("best.")), *changed]


def list_metrics(run: RunRecord) -> list[str]:
    """Name the metrics of a run, those that judge it first and times last.

    Parameters
    ----------
    run
        The run.

    Returns
    -------
    list of str
        Their names; not what the machine did meanwhile, which `list_usage` gives.
    """
    return sorted((key for key in run.metrics if not is_system(key)), key=is_cost)


def list_usage(run: RunRecord) -> list[tuple[str, float]]:
    """Give what the machine did when it was last looked at, in the words of MLflow.

    Parameters
    ----------
    run
        The run.

    Returns
    -------
    list of tuple
        Name without ``system/``, and value.
    """
    names = [key for key in run.metrics if is_system(key)]
    return [(key.removeprefix(SYSTEM), run.metrics[key]) for key in names]


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
    if key not in best or not math.isfinite(value) or is_cost(key):
        return ""
    delta = value - best[key]
    if delta == 0:
        return "= best so far"
    return f"{'▲' if delta > 0 else '▼'} {delta:+.4g}"

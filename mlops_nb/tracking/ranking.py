"""Which run is best, by which metric, and in which parameters runs differ."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from mlops_nb.errors import NotFoundError
from mlops_nb.records import RunRecord, is_cost, is_lower_better

_UNCLEAR = {"best_score"}  # of boosters: whatever early stopping went by, more or less of it
_LONGEST = 40  # characters of a parameter that is shown beside others


def choose_metric(runs: Sequence[RunRecord]) -> str | None:
    """Choose what runs are judged by.

    Parameters
    ----------
    runs
        The runs.

    Returns
    -------
    str or None
        The metric that most of them have, a validation result first, one that may be a score or a
        loss last; None where none has a metric that judges.
    """
    counted = Counter(key for run in runs for key in run.metrics if not is_cost(key))
    if not counted:
        return None
    return min(counted, key=lambda key: (-counted[key], not key.startswith("val"), key in _UNCLEAR))


def find_best_kin(runs: Sequence[RunRecord], run: RunRecord) -> tuple[RunRecord, str] | None:
    """Find the best other run of the same name, notebook and experiment.

    Parameters
    ----------
    runs
        Among these.
    run
        The run that is to be compared with it.

    Returns
    -------
    RunRecord
        The best one; without any result the newest.
    str
        By which metric, empty without any. None where there is no such run.
    """
    kin = [each for each in _list_kin(runs, run) if each.status not in {"failed", "running"}]
    if not kin:
        return None
    metric = choose_metric([run, *kin])
    ranked = [] if metric is None else rank_runs(kin, metric)
    if metric is None or not ranked:
        return max(kin, key=lambda each: each.started_at), ""
    return ranked[0], metric


def find_previous_kin(runs: Sequence[RunRecord], run: RunRecord) -> RunRecord | None:
    """Find the run of the same name, notebook and experiment that began last before a run.

    Parameters
    ----------
    runs
        Among these.
    run
        The run that is to be compared with it.

    Returns
    -------
    RunRecord or None
        However it ended: what changed since it failed is asked as well. None for the first.
    """
    own = (run.started_at, run.run_id)  # ids order what began at the same time
    before = [each for each in _list_kin(runs, run) if (each.started_at, each.run_id) < own]
    return max(before, key=lambda each: (each.started_at, each.run_id), default=None)


def _list_kin(runs: Sequence[RunRecord], run: RunRecord) -> list[RunRecord]:
    own = (run.name, run.notebook, run.experiment)
    return [
        each
        for each in runs
        if (each.name, each.notebook, each.experiment) == own and each.run_id != run.run_id
    ]


def need_metric(runs: Sequence[RunRecord], metric: str | None) -> str:
    """Give the metric that is asked for, or the one that runs are judged by.

    Raises
    ------
    NotFoundError
        No run has it, or none has a metric that judges.
    """
    known = {key for run in runs for key in run.metrics}
    chosen = metric or choose_metric(runs)
    if chosen is None or chosen not in known:
        hint = "Look at %mlops runs, or widen the filter."
        raise NotFoundError("metric", chosen or "", known, hint)
    return chosen


def rank_runs(
    runs: Sequence[RunRecord], metric: str, minimize: bool | None = None
) -> list[RunRecord]:
    """Order runs by a metric.

    Parameters
    ----------
    runs
        The runs.
    metric
        Its name; runs that lack it, or have no finite value, are left out.
    minimize
        Whether less is better; by the name of the metric where not given.

    Returns
    -------
    list of RunRecord
        The best first; of equals the earlier one.
    """
    having = [run for run in runs if math.isfinite(run.metrics.get(metric, math.nan))]
    having.sort(key=lambda run: run.started_at)
    is_less = is_lower_better(metric) if minimize is None else minimize
    return sorted(having, key=lambda run: run.metrics[metric] * (1 if is_less else -1))


def list_differing(runs: Sequence[RunRecord]) -> list[str]:
    """Name the parameters in which runs differ.

    Parameters
    ----------
    runs
        The runs.

    Returns
    -------
    list of str
        Those with short values, which most runs have first.
    """
    counted = Counter(key for run in runs for key in run.params)
    return [
        key
        for key in sorted(counted, key=lambda key: -counted[key])
        if len({_tell(run.params.get(key)) for run in runs}) > 1
        and all(len(_tell(run.params.get(key))) <= _LONGEST for run in runs)
    ]


def _tell(value: Any) -> str:
    return "-" if value is None else str(value)


def read_numbers(values: Sequence[Any]) -> tuple[list[float], list[str]]:
    """Give parameters as places on an axis.

    Parameters
    ----------
    values
        Of one parameter.

    Returns
    -------
    numbers : list of float
        The values, where all are numbers, else the place of each text among `labels`.
    labels : list of str
        Empty where all are numbers.
    """
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        numbers = [float(value) for value in values]
        if all(map(math.isfinite, numbers)):
            return numbers, []
    texts = [_tell(value)[:_LONGEST] for value in values]
    labels = list(dict.fromkeys(texts))
    return [float(labels.index(text)) for text in texts], labels

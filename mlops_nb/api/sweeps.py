"""Verbs on sweeps: run, go on with, read."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from mlops_nb.api.places import get_store, read_store
from mlops_nb.config import load_settings
from mlops_nb.errors import UsageError

if TYPE_CHECKING:
    from mlops_nb.pipeline.sweep_ledger import SweepLedger
    from mlops_nb.pipeline.sweep_result import SweepResult
    from mlops_nb.pipeline.sweep_runner import SweepEvent
    from mlops_nb.pipeline.sweep_trials import Trial
    from mlops_nb.records import RunRecord
    from mlops_nb.store import Store


class SweepLimits(TypedDict, total=False):
    """How trials are run.

    Attributes
    ----------
    jobs
        Trials at a time; 1 by default.
    timeout
        Seconds the sweep may take; then what runs is interrupted, and can go on later.
    trial_timeout
        Seconds one trial may take; then it has failed.
    out_dir
        Gets a folder of executed notebooks a trial; by default the store alone keeps them.
    on_progress
        Called when a trial has started or ended.
    """

    jobs: int
    timeout: float | None
    trial_timeout: float | None
    out_dir: str | Path | None
    on_progress: Callable[[SweepEvent], None] | None


class SweepOptions(SweepLimits, total=False):
    """What is tried, and how.

    Attributes
    ----------
    sampler
        ``tpe`` (needs the extra ``sweep``), ``random`` or ``grid``; ``tpe`` by default, and
        ``random`` where Optuna is not installed.
    trials
        How many; 20 by default, and every point of a grid.
    seed
        The same seed gives the same trials.
    prune
        End trials whose metric, as it is logged on the way, lags behind the median.
    params
        Values of parameters that are not swept.
    """

    sampler: str | None
    trials: int | None
    seed: int
    prune: bool
    params: Mapping[str, Any] | None


def sweep_pipeline(
    notebook: str | Path,
    space: Mapping[str, Any] | Iterable[str],
    *,
    maximize: str | None = None,
    minimize: str | None = None,
    **options: Unpack[SweepOptions],
) -> SweepResult:
    """Run a notebook's pipeline with many values of its parameters, and find the best.

    Parameters
    ----------
    notebook
        Path of the notebook.
    space
        By parameter: text such as ``"log:0.01:10"``, ``"int:2:8"`` or ``"rbf,linear"``, or a list
        or ``range`` of values. Or words as in a shell: ``["C=log:0.01:10"]``.
    maximize, minimize
        Name of a metric that the notebook logs; one of the two.
    **options
        As `SweepOptions` and `SweepLimits` list them: ``sampler``, ``trials``, ``seed``, ``prune``,
        ``params``, ``jobs``, ``timeout``, ``trial_timeout``, ``out_dir``, ``on_progress``.

    Returns
    -------
    SweepResult
        With ``best_params``, ``best_metric``, ``trials`` (a DataFrame) and ``plot()``. Trials that
        fail are told here, not raised.

    Raises
    ------
    NotebookError, PipelineError, ParameterError, ParameterNotFoundError, MissingPackageError
        Nothing was executed; the reason is named.
    NotFoundError
        The first trial that finished logged no metric of that name.
    KeyboardInterrupt
        A person stopped the sweep; it can go on with `resume_sweep`. The exception has an attribute
        ``result`` that tells how far it came.

    Examples
    --------
    >>> result = sweep_pipeline(  # doctest: +SKIP
    ...     "train.ipynb", {"C": "log:0.01:10", "kernel": ["rbf", "linear"]}, maximize="acc"
    ... )
    """
    from mlops_nb import pipeline
    from mlops_nb.pipeline.sweep_ledger import SweepLedger
    from mlops_nb.pipeline.sweep_plan import make_plan
    from mlops_nb.pipeline.sweep_space import read_words

    plan = make_plan(
        pipeline.plan(Path(notebook)),
        space if isinstance(space, Mapping) else read_words(space),
        _choose_goal(maximize, minimize),
        sampler=options.get("sampler") or _choose_sampler(),
        trials=options.get("trials"),
        seed=options.get("seed", 0),
        prune=options.get("prune", False),
        params=options.get("params"),
    )
    _read_limits(options)  # what is refused, is refused before there is a run
    settings = load_settings(Path(notebook).absolute().parent)
    return _run(SweepLedger.start(get_store(), settings, plan), (), options)


def resume_sweep(
    sweep_id: str, *, trials: int | None = None, **limits: Unpack[SweepLimits]
) -> SweepResult:
    """Go on with a sweep that was interrupted or killed, or give one that has ended more trials.

    Parameters
    ----------
    sweep_id
        Its id, the beginning or end of it, its name, or ``latest``.
    trials
        How many there shall be in all, those that have ended among them.
    **limits
        ``jobs``, ``timeout``, ``trial_timeout``, ``out_dir``, ``on_progress``.

    Returns
    -------
    SweepResult
        With all trials, old and new: those that have ended are not run again.

    Raises
    ------
    RunNotFoundError, InvalidValueError
        There is no such sweep, or a process still works on it.
    PipelineError
        The notebook's code has changed since, so new trials would not compare with old ones.
    KeyboardInterrupt
        A person stopped it again.
    """
    from mlops_nb import pipeline
    from mlops_nb.pipeline.sweep_ledger import SweepLedger, read_sweep, read_trials
    from mlops_nb.pipeline.sweep_plan import check_same_code

    store = get_store()
    run_id = _find_sweep(store, sweep_id)
    _, plan = read_sweep(store, run_id)
    check_same_code(plan, pipeline.plan(Path(plan.notebook)))
    _read_limits(limits)
    settings = load_settings(Path(plan.notebook).parent)
    ledger = SweepLedger.reopen(store, settings, run_id, trials)
    return _run(ledger, read_trials(store, run_id, ledger.plan), limits)


def get_sweep(sweep_id: str) -> SweepResult:
    """Read a sweep.

    Parameters
    ----------
    sweep_id
        Its id, the beginning or end of it, its name, or ``latest``.

    Returns
    -------
    SweepResult
        As it stands in the store, also while it runs.

    Raises
    ------
    RunNotFoundError, InvalidValueError
        There is no such run, or it is no sweep.
    """
    from mlops_nb.pipeline.sweep_ledger import read_sweep, read_trials
    from mlops_nb.pipeline.sweep_result import SweepResult

    store = read_store()
    record, plan = read_sweep(store, _find_sweep(store, sweep_id))
    trials = tuple(read_trials(store, record.run_id, plan))
    return SweepResult(record.run_id, record.status, plan, trials)


def list_sweeps(limit: int = sys.maxsize) -> list[SweepResult]:
    """List sweeps, the newest first.

    Parameters
    ----------
    limit
        At most so many.

    Returns
    -------
    list of SweepResult
        With their trials.
    """
    store = read_store()
    return [get_sweep(run.run_id) for run in _search(store, limit)]


def _search(store: Store, limit: int) -> list[RunRecord]:
    return store.search("tags.`mlops.kind` = 'sweep'", ["attributes.started_at DESC"], limit)


def _find_sweep(store: Store, text: str) -> str:
    """Find the sweep a person means; the latest run is one of its trials' steps."""
    newest = _search(store, 1) if text == "latest" else []
    return newest[0].run_id if newest else store.find_run(text)


def _choose_goal(maximize: str | None, minimize: str | None) -> Any:
    from mlops_nb.pipeline.sweep_plan import Goal

    if (maximize is None) == (minimize is None):
        problem = "name one metric to maximize or to minimize"
        raise UsageError("sweep", problem, "For example: --maximize accuracy")
    return Goal(maximize) if maximize is not None else Goal(str(minimize), "minimize")


def _choose_sampler() -> str:
    from importlib.util import find_spec

    return "tpe" if find_spec("optuna") is not None else "random"


def _read_limits(limits: SweepLimits) -> Any:
    from mlops_nb.pipeline import sweep_runner

    return sweep_runner.SweepLimits(
        jobs=limits.get("jobs", 1),
        timeout_s=limits.get("timeout"),
        trial_timeout_s=limits.get("trial_timeout"),
    )


def _run(ledger: SweepLedger, before: Iterable[Trial], limits: SweepLimits) -> SweepResult:
    from mlops_nb.pipeline.sweep_evaluate import make_evaluate
    from mlops_nb.pipeline.sweep_runner import run_sweep

    out_dir = limits.get("out_dir")
    with contextlib.ExitStack() as stack:
        if out_dir is None:
            # The executed notebooks are kept with the trials' runs; folders of them help nobody.
            made = tempfile.TemporaryDirectory(prefix="mlops-sweep-", ignore_cleanup_errors=True)
            out_dir = stack.enter_context(made)
        return run_sweep(
            ledger,
            make_evaluate(ledger.plan, ledger.store, ledger.settings),
            out_dir=Path(out_dir),
            before=before,
            limits=_read_limits(limits),
            tell=limits.get("on_progress"),
        )

"""Runs a pipeline: step by step through papermill, each in a kernel of its own."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops_nb.config import Settings
from mlops_nb.errors import InvalidValueError, RunNotFoundError
from mlops_nb.notebook.giving import resolve_parameters
from mlops_nb.notebook.secrets import collect_secrets
from mlops_nb.pipeline import remains
from mlops_nb.pipeline.cache import StepCache
from mlops_nb.pipeline.cache_upkeep import pin_cache
from mlops_nb.pipeline.context import Context
from mlops_nb.pipeline.executing import Executor
from mlops_nb.pipeline.graph import Pipeline
from mlops_nb.pipeline.planning import Planned, keep_plan, read_plan
from mlops_nb.pipeline.progress import OnProgress, Progress
from mlops_nb.pipeline.report import ReportFormat, write_reports
from mlops_nb.pipeline.resolving import Resolver
from mlops_nb.pipeline.schedule import Schedule
from mlops_nb.pipeline.selection import Selection, select_steps
from mlops_nb.pipeline.slots import Slots
from mlops_nb.pipeline.verify_proof import Proof, VerifyMode
from mlops_nb.records import PipelineResult, RunStatus, Verification, is_system
from mlops_nb.store import Store
from mlops_nb.tracking import Run, start_run


def run(  # noqa: PLR0913 - each is one wish of a person
    path: Path,
    *,
    params: Mapping[str, Any] | None = None,
    out_dir: Path,
    store: Store | Callable[[], Store],
    settings: Settings,
    on_progress: OnProgress | None = None,
    kernel_name: str | None = None,
    timeout: float | None = None,
    jobs: int = 1,
    force: Collection[str] | bool = (),
    start_at: str | None = None,
    stop_at: str | None = None,
    only: str | None = None,
    verify: VerifyMode = "never",
    tolerance: float | None = None,
    reports: Collection[ReportFormat] = (),
    executor: Executor | None = None,
) -> PipelineResult:
    """Run the tagged cells of a notebook step by step.

    A step is taken from the cache where nothing that it depends on has changed.

    Parameters
    ----------
    path
        The notebook. Its folder is the working folder of every step.
    params
        Values for its parameters, as text or typed.
    out_dir
        Gets one executed notebook per step, named by position and step.
    store
        Keeps the run, its notebooks and what crosses between steps. A function is asked for it
        once notebook and parameters are found good.
    settings
        Give the experiment.
    on_progress
        Called with every event.
    kernel_name
        A kernelspec to use instead of this interpreter.
    timeout
        Seconds one step may take.
    jobs
        Steps that may run at once, where they are proven to be independent.
    force
        Steps to execute whatever the cache has; True for all.
    start_at, stop_at
        First step that is executed whatever the cache has, with all after it; last step that runs.
    only
        The one step to execute; those before it must be in the cache.
    verify
        When to compare the result with the notebook run as one: ``once`` after each edit.
    tolerance
        Relative difference that floats may have there; by default none.
    reports
        Formats in which the whole notebook is written, with what its steps have shown: ``html``
        and ``ipynb``, as ``report`` in `out_dir`.
    executor
        Runs the steps; by default threads of this process, with kernels on this machine.

    Returns
    -------
    PipelineResult
        A step that fails is told here, not raised.

    Raises
    ------
    NotebookError, PipelineError, ParameterError, ParameterNotFoundError, InvalidValueError
        Nothing was executed.
    KeyboardInterrupt
        The user stopped it; kernels are ended and the run is marked interrupted.
    """
    _check_numbers(timeout, jobs)
    planned = read_plan(path, store.root if isinstance(store, Store) else settings.store)
    pipeline = planned.pipeline
    selection = select_steps(pipeline, force, start_at, stop_at, only)
    values = resolve_parameters(pipeline.parameters, params)
    tell = on_progress or (lambda event: None)
    opened = store if isinstance(store, Store) else store()
    keep_plan(planned, opened.root)
    _prepare_folder(out_dir)
    _tell_notices(pipeline, kernel_name, tell)
    record = _start_record(opened, settings, path, values)
    remains.sweep(opened)
    context, cache = _prepare(
        planned,
        opened,
        record,
        values,
        params or {},
        out_dir,
        tell,
        settings,
        kernel_name,
        timeout,
    )
    proof = Proof(context, cache, verify, selection, tolerance)
    resolver = Resolver(context, cache, values, selection.forced, executor)
    with pin_cache(cache):
        result = _run_recorded(resolver, record, selection, jobs, proof)
    write_reports(pipeline.document, result, out_dir, reports, context.secrets)
    return result


def _tell_notices(pipeline: Pipeline, kernel_name: str | None, tell: OnProgress) -> None:
    for notice in _find_notices(pipeline, kernel_name):
        tell(Progress("notice", message=notice))


def _check_numbers(timeout: float | None, jobs: int) -> None:
    if timeout is not None and not timeout > 0:
        raise InvalidValueError("timeout", timeout, "a number of seconds above 0")
    if jobs < 1:
        raise InvalidValueError("jobs", jobs, "a number from 1")


def _start_record(store: Store, settings: Settings, path: Path, values: Mapping[str, Any]) -> Run:
    record = start_run(
        store,
        settings,
        path.stem,
        tags={"mlops.kind": "pipeline"},
        nested=False,
        meta={"notebook": str(path.absolute())},
        is_active=False,
    )
    record.log_params(_make_loggable(values))
    return record


def _prepare(  # noqa: PLR0913, PLR0917 - as they come from `run`
    planned: Planned,
    opened: Store,
    record: Run,
    values: Mapping[str, Any],
    params: Mapping[str, Any],
    out_dir: Path,
    tell: OnProgress,
    settings: Settings,
    kernel_name: str | None,
    timeout: float | None,
) -> tuple[Context, StepCache]:
    private = remains.make_boundaries(opened, record.run_id)
    is_own = private.is_relative_to(opened.root)
    cache = StepCache(opened, None if is_own else private / "steps")
    pipeline = planned.pipeline
    context = Context(
        pipeline,
        planned.sources,
        _choose_injected(pipeline, values, params),
        collect_secrets(values),
        out_dir,
        private,
        cache.components,
        opened.root if is_own else cache.folder,
        record.run_id,
        tell,
        settings,
        kernel_name,
        timeout,
        planned.preload,
    )
    return context, cache


def _run_recorded(
    resolver: Resolver, record: Run, selection: Selection, jobs: int, proof: Proof
) -> PipelineResult:
    resolver.context = context = replace(resolver.context, slots=Slots(jobs))
    store = resolver.cache.store
    schedule = Schedule(context, resolver, record, selection, jobs)
    status: RunStatus = "failed"
    verification: Verification | None = None
    try:
        status = schedule.run()
        if status == "finished":
            verification = proof.conclude(schedule.done, schedule.list_results())
            record.set_tags({"mlops.verification": verification.status})
    except KeyboardInterrupt:
        status = "interrupted"
        raise
    finally:
        record.end(status)
        remains.remove_boundaries(context.private, store)
    results, values = schedule.list_results(), dict(resolver.values)
    has_executed = any(not step.cached and step.status != "skipped" for step in results)
    metrics = _collect_metrics(store, record, schedule.list_runs(), has_executed)
    return PipelineResult(record.run_id, status, results, metrics, values, verification)


def _prepare_folder(out_dir: Path) -> None:
    """Remove executed steps of an earlier run; a plan may have fewer steps now."""
    out_dir.mkdir(parents=True, exist_ok=True)
    for file in out_dir.glob("[0-9][0-9]-*.ipynb"):
        try:
            metadata = json.loads(file.read_text(encoding="utf-8")).get("metadata", {})
        except (OSError, ValueError):
            continue
        if "step" in metadata.get("mlops", {}):
            file.unlink()


def _choose_injected(
    pipeline: Pipeline, values: Mapping[str, Any], params: Mapping[str, Any]
) -> dict[str, Any]:
    """Give the values to inject: those given, and those of an injected cell that they replace."""
    if params and any(role.is_injected for role in pipeline.roles):
        return dict(values)
    return {name: values[name] for name in params}


def _find_notices(pipeline: Pipeline, kernel_name: str | None) -> list[str]:
    spec = pipeline.document.metadata.get("kernelspec") or {}
    named = spec.get("name", "") if isinstance(spec, Mapping) else ""
    if kernel_name is None and named not in ("", "python3"):
        return [f"The notebook names the kernel {named!r}; steps run with {sys.executable}."]
    return []


def _make_loggable(values: Mapping[str, Any]) -> dict[str, Any]:
    plain = (str, int, float, bool, type(None))
    return {k: v if isinstance(v, plain) else repr(v) for k, v in values.items()}


def _collect_metrics(
    store: Store, record: Run, cached: Collection[str], has_executed: bool
) -> dict[str, float]:
    """Collect the last values of the runs that the steps have recorded, in their order."""
    metrics: dict[str, float] = {}
    if not record.run_id:
        return metrics
    found = {}
    if has_executed:  # else nobody can have recorded a run below this one
        query = f"attributes.parent_run_id = '{record.run_id}'"
        listed = store.search(query, ["attributes.started_at ASC"], 1000)
        found = {run.run_id: run for run in listed}
    for run_id in cached:
        if run_id not in found:
            with contextlib.suppress(RunNotFoundError):
                found[run_id] = store.read_run(run_id)
    for child in sorted(found.values(), key=lambda run: run.started_at):
        for key, value in child.metrics.items():
            if is_system(key):
                continue  # what one kernel used is no result of the pipeline
            metrics[key] = metrics[f"{child.name}.{key}"] = value
    return metrics

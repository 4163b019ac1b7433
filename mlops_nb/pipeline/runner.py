"""Runs a pipeline: step by step through papermill, each in a kernel of its own."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_nb.config import Settings
from mlops_nb.errors import InvalidValueError, StepFailedError
from mlops_nb.notebook.document import write_notebook
from mlops_nb.notebook.parameters import resolve_parameters
from mlops_nb.pipeline import remains
from mlops_nb.pipeline.graph import Pipeline, plan
from mlops_nb.pipeline.kernels import StepKernel
from mlops_nb.pipeline.progress import Progress
from mlops_nb.pipeline.stepbook import build_step
from mlops_nb.records import PipelineResult, RunStatus, StepResult
from mlops_nb.store import Store
from mlops_nb.tracking import Run, start_run

if TYPE_CHECKING:
    from mlops_nb.pipeline.engine import StepOutcome

OnProgress = Callable[[Progress], None]


def run(
    path: Path,
    *,
    params: Mapping[str, Any] | None = None,
    out_dir: Path,
    store: Store | Callable[[], Store],
    settings: Settings,
    on_progress: OnProgress | None = None,
    kernel_name: str | None = None,
    timeout: float | None = None,
) -> PipelineResult:
    """Run the tagged cells of a notebook step by step.

    Parameters
    ----------
    path
        The notebook. Its folder is the working folder of every step.
    params
        Values for its parameters, as text or typed.
    out_dir
        Gets one executed notebook per step, named by position and step.
    store
        Keeps the run, its notebooks and, while it runs, what crosses between steps. A function
        is asked for it once notebook and parameters are found good.
    settings
        Give the experiment.
    on_progress
        Called with every event.
    kernel_name
        A kernelspec to use instead of this interpreter.
    timeout
        Seconds one step may take.

    Returns
    -------
    PipelineResult
        A step that fails is told here, not raised.

    Raises
    ------
    NotebookError, PipelineError, ParameterError, ParameterNotFoundError
        Nothing was executed.
    KeyboardInterrupt
        The user stopped it; kernels are ended and the run is marked interrupted.
    """
    if timeout is not None and not timeout > 0:
        raise InvalidValueError("timeout", timeout, "a number of seconds above 0")
    pipeline = plan(path)
    values = resolve_parameters(pipeline.parameters, params)
    tell = on_progress or (lambda event: None)
    opened = store() if callable(store) else store
    out_dir.mkdir(parents=True, exist_ok=True)
    _remove_old(out_dir)
    for notice in _find_notices(pipeline, kernel_name):
        tell(Progress("notice", message=notice))
    record = start_run(
        opened,
        settings,
        path.stem,
        tags={"mlops.kind": "pipeline"},
        nested=False,
        meta={"notebook": str(path.absolute())},
        is_active=False,
    )
    record.log_params(_make_loggable(values))
    remains.sweep(opened)
    boundaries = remains.make_boundaries(opened, record.run_id)
    injected = _choose_injected(pipeline, values, params or {})
    work = _Work(pipeline, injected, out_dir, boundaries, opened, record, tell)
    work.settings, work.kernel_name, work.timeout = settings, kernel_name, timeout
    status: RunStatus = "failed"
    try:
        status = work.run_all()
    except KeyboardInterrupt:
        status = "interrupted"
        raise
    finally:
        work.stop_kernel()
        record.end(status)
        remains.remove_boundaries(boundaries, opened)
    metrics = _collect_metrics(opened, record)
    return PipelineResult(record.run_id, status, tuple(work.results), metrics, dict(values))


def _remove_old(out_dir: Path) -> None:
    """Remove executed steps of an earlier run; a plan may have fewer steps now."""
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


def _collect_metrics(store: Store, record: Run) -> dict[str, float]:
    metrics: dict[str, float] = {}
    if not record.run_id:
        return metrics
    query = f"attributes.parent_run_id = '{record.run_id}'"
    for child in store.search(query, ["attributes.started_at ASC"], 1000):
        for key, value in child.metrics.items():
            metrics[key] = metrics[f"{child.name}.{key}"] = value
    return metrics


@dataclass(slots=True)
class _Work:
    """One run of a pipeline under way."""

    pipeline: Pipeline
    values: Mapping[str, Any]
    out_dir: Path
    boundaries: Path
    store: Store
    record: Run
    tell: OnProgress
    settings: Settings | None = None
    kernel_name: str | None = None
    timeout: float | None = None
    results: list[StepResult] = field(default_factory=list)
    kernel: StepKernel | None = None
    fused_with: str | None = None  # the step whose kernel the next one continues
    reason: str | None = None
    execution_count: int = 1
    has_exited: bool = False

    def run_all(self) -> RunStatus:
        """Run step after step until one fails or the notebook ends itself."""
        steps = self.pipeline.steps
        status: RunStatus = "finished"
        for number, step in enumerate(steps):
            if status != "finished" or self.has_exited:
                self.results.append(StepResult(step.name, "skipped"))
                continue
            result = self._run_step(number)
            self.results.append(result)
            if result.status == "failed":
                status = "failed"
        return status

    def _run_step(self, number: int) -> StepResult:
        from mlops_nb.pipeline.engine import StepOutcome

        step, total = self.pipeline.steps[number], len(self.pipeline.steps)
        place = {"step": step.name, "number": number + 1, "total": total}
        self.tell(Progress("step_started", **place))  # type: ignore[arg-type]
        started = time.monotonic()
        target = self.out_dir / f"{number + 1:02d}-{step.name}.ipynb"
        continued, why = self.fused_with, self.reason
        document = build_step(
            self.pipeline,
            number,
            self.values,
            run_id=self.record.run_id,
            continues=continued is not None,
        )
        write_notebook(document, target)
        outcome = StepOutcome()
        self._attempt(number, document, target, outcome, place)
        result = StepResult(
            step.name,
            "failed" if outcome.error else "succeeded",
            str(target),
            duration_s=time.monotonic() - started,
            error=outcome.error or None,
            fused_with=continued,
            reason=why if continued else None,
            cause=outcome.cause,
        )
        self._record_step(result, place)
        return result

    def _attempt(
        self,
        number: int,
        document: dict[str, Any],
        target: Path,
        outcome: StepOutcome,
        place: dict[str, Any],
    ) -> None:
        try:
            self._prepare_kernel(number)
            self._execute(document, target, outcome, place)
            if not outcome.error:
                self._finish_step(number)
            elif not (outcome.died or outcome.timed_out):
                self.end_kernel()
        except StepFailedError as error:
            outcome.error = error.reason
            outcome.died = self.kernel is not None and not self.kernel.is_alive()
        if outcome.exit_code == 0:
            outcome.error, self.has_exited = "", True

    def _record_step(self, result: StepResult, place: dict[str, Any]) -> None:
        target = Path(result.notebook or "")
        self.record.log_artifact(target, f"steps/{target.name}")
        self.record.set_tags({f"step.{result.name}": result.status})
        shared = f"in the kernel of {result.fused_with!r}, {result.reason}"
        message = result.error or (shared if result.fused_with else "")
        self.tell(
            Progress(
                "step_finished",
                status=result.status,
                duration_s=result.duration_s,
                message=message,
                **place,
            )
        )

    def _prepare_kernel(self, number: int) -> None:
        if self.kernel is None:
            self.kernel = StepKernel(
                self.pipeline.path.absolute().parent, self._make_environment(), self.kernel_name
            )
            self.kernel.start()
            remains.note_kernel(self.boundaries, self.kernel.private)
        steps = self.pipeline.steps
        later = [cell.source for step in steps[number + 1 :] for cell in step.cells]
        specification = {
            "before": str(self.boundaries / f"{number - 1}.boundary"),
            "after": str(self.boundaries / f"{number}.boundary"),
            "report": str(self.boundaries / f"{number}.json"),
            "key_folder": str(self.boundaries.parent.parent),
            "later": later,
            "history": any(step.reads_history for step in steps),
            "patches": [path for step in steps[: number + 1] for path in step.patches],
            "execution_count": self.execution_count,
        }
        file = self.boundaries / f"{number}.step"
        file.write_text(json.dumps(specification), encoding="utf-8")
        self.kernel.begin(file)

    def _make_environment(self) -> dict[str, str]:
        environment = {
            "PYTHONHASHSEED": "0",
            "MLOPS_NB_NOTEBOOK": str(self.pipeline.path.absolute()),
            "MLOPS_NB_STORE": str(self.store.root),
            "MLOPS_NB_PARENT_RUN": self.record.run_id,
        }
        if self.settings is not None:
            environment["MLOPS_NB_EXPERIMENT"] = self.settings.experiment
            environment["MLOPS_NB_CACHE"] = str(self.settings.cache)
        return environment

    def _execute(
        self, document: dict[str, Any], target: Path, outcome: StepOutcome, place: dict[str, Any]
    ) -> None:
        import nbformat
        import papermill
        from papermill.exceptions import PapermillExecutionError

        from mlops_nb.pipeline.engine import register_engine

        def on_cell(done: int, total: int) -> None:
            self.tell(Progress("cell_finished", cells_done=done, cells_total=total, **place))

        deadline = None if self.timeout is None else time.monotonic() + self.timeout
        options: dict[str, Any] = {}
        if deadline is not None:
            options["timeout_func"] = lambda cell: max(1, round(deadline - time.monotonic()))
        # papermill counts errors of cells that are tagged 'raises-exception' too; the engine has
        # told the truth.
        with contextlib.suppress(PapermillExecutionError):
            papermill.execute_notebook(
                nbformat.from_dict(document),
                None,
                engine_name=register_engine(),
                kernel_name=self.kernel_name or "python3",
                progress_bar=False,
                kernel=self.kernel,
                outcome=outcome,
                on_cell=on_cell,
                save_path=str(target),
                **options,
            )

    def _finish_step(self, number: int) -> None:
        if number == len(self.pipeline.steps) - 1:
            self.end_kernel(is_last=True)
            return
        report = json.loads((self.boundaries / f"{number}.json").read_text(encoding="utf-8"))
        self.execution_count = report["execution_count"]
        blocking = report["blocking"]
        if blocking:
            name, why = next(iter(blocking.items()))
            self.fused_with = self.pipeline.steps[number].name
            self.reason = f"because {name} cannot leave it: {why}"
        else:
            self.fused_with = self.reason = None
            self.end_kernel()
        before = self.boundaries / f"{number - 1}.boundary"
        before.unlink(missing_ok=True)

    def end_kernel(self, is_last: bool = False) -> None:
        """End an idle kernel in good order."""
        if self.kernel is not None:
            self.kernel.finish()
            if is_last:
                self.kernel.leave()
                self.kernel = None
        # Not so between steps: what a notebook has registered for its end, such as the removal of
        # temporary folders, must not run in the middle of it.
        self.stop_kernel()

    def stop_kernel(self) -> None:
        """End the kernel at once, if one runs."""
        if self.kernel is not None:
            self.kernel.stop()
            self.kernel = None

"""Verbs on notebooks: plan, run, export."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_nb.api.places import get_store, read_store
from mlops_nb.config import load_settings
from mlops_nb.errors import InvalidValueError

if TYPE_CHECKING:
    from mlops_nb.pipeline import Pipeline
    from mlops_nb.pipeline.report import ReportFormat
    from mlops_nb.pipeline.sizes import Crossing
    from mlops_nb.records import PipelineResult

EXPORTS = ("script",)


def plan_pipeline(notebook: str | Path) -> Pipeline:
    """Read the tagged cells of a notebook as a pipeline; nothing is executed.

    Parameters
    ----------
    notebook
        Path of the notebook.

    Returns
    -------
    Pipeline
        Its steps, parameters and what crosses between steps.

    Raises
    ------
    NotebookError, PipelineError
        The notebook cannot be read, or its tags cannot be kept; the cell and the reason are named.
    """
    from mlops_nb import pipeline

    return pipeline.plan(Path(notebook))


def measure_crossings(
    pipeline: Pipeline, start: Path | None = None
) -> dict[str, tuple[Crossing, ...]]:
    """Tell how big the values that leave each step were in the last run; none of them is loaded.

    Parameters
    ----------
    pipeline
        From `plan_pipeline`.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    dict
        By step; values that no run has made are left out.
    """
    from mlops_nb.pipeline import sizes

    return sizes.measure_crossings(pipeline, read_store(start))


def run_pipeline(  # noqa: PLR0913 - each is one wish of a person
    notebook: str | Path,
    params: Mapping[str, Any] | None = None,
    out_dir: str | Path | None = None,
    *,
    on_progress: Callable[..., None] | None = None,
    timeout: float | None = None,
    jobs: int = 1,
    force: Collection[str] | bool = (),
    start_at: str | None = None,
    stop_at: str | None = None,
    only: str | None = None,
    reports: Collection[ReportFormat] = (),
    verify: bool | None = None,
    executor: str = "threads",
    scheduler: str | None = None,
) -> PipelineResult:
    """Run the tagged cells of a notebook step by step through papermill.

    Parameters
    ----------
    notebook
        Path of the notebook.
    params
        Values for names of the cell tagged ``parameters``; text is read by the parameter's type.
    out_dir
        Gets one executed notebook a step; ``<notebook>-run`` beside the notebook by default.
    on_progress
        Called with every event of the run.
    timeout
        Seconds one step may take.
    jobs
        Steps that may run at once, where what they did before proves them independent.
    force
        Steps to execute whatever the cache has; True for all.
    start_at, stop_at
        First step to execute whatever the cache has, with all after it; last step to run.
    only
        The one step to execute; those before it must be in the cache.
    reports
        Formats in which the whole notebook is written, with what its steps have shown: ``html``
        and ``ipynb``, as ``report`` in `out_dir`.
    verify
        Whether the first run after an edit is compared with the notebook run as one, which then
        runs a second time; by default what the setting ``verify`` says.
    executor
        Where steps run: ``threads`` of this process, or ``dask``.
    scheduler
        Address of the Dask scheduler, as ``tcp://host:8786``, or path of its scheduler file.

    Returns
    -------
    PipelineResult
        Status, steps and metrics. A step that fails is told here, not raised.

    Raises
    ------
    NotebookError, PipelineError, ParameterError, ParameterNotFoundError, InvalidValueError
        Nothing was executed; the reason is named.
    """
    from mlops_nb import pipeline
    from mlops_nb.pipeline.executing import open_executor

    path = Path(notebook)
    target = Path(out_dir) if out_dir is not None else path.with_name(f"{path.stem}-run")
    settings = load_settings(path.absolute().parent, verify=verify)
    with open_executor(executor, scheduler) as opened:
        return pipeline.run(
            path,
            params=dict(params or {}),
            out_dir=target,
            store=get_store,  # a run that is refused makes no store
            settings=settings,
            on_progress=on_progress,
            timeout=timeout,
            jobs=jobs,
            force=force,
            start_at=start_at,
            stop_at=stop_at,
            only=only,
            reports=reports,
            verify="once" if settings.verify else "never",
            executor=opened,
        )


def verify_pipeline(
    notebook: str | Path,
    params: Mapping[str, Any] | None = None,
    out_dir: str | Path | None = None,
    *,
    tolerance: float | None = None,
    on_progress: Callable[..., None] | None = None,
    timeout: float | None = None,
) -> PipelineResult:
    """Run a notebook as a pipeline and as one, and compare all that both have given.

    Every value between two steps, what cells have shown, and the files that were written. The
    notebook runs on a copy of its folder, and a second time where something differs: what it
    gives differently each time is its own affair.

    Parameters
    ----------
    notebook, params, out_dir, on_progress, timeout
        As for `run_pipeline`.
    tolerance
        Relative difference that floats may have; by default none, not even in the last bit.

    Returns
    -------
    PipelineResult
        Its ``verification`` names the first step that differs, the path to the value, and both
        values. None where the run itself failed.

    Raises
    ------
    NotebookError, PipelineError, ParameterError, ParameterNotFoundError
        Nothing was executed; the reason is named.
    """
    from mlops_nb import pipeline

    path = Path(notebook)
    target = Path(out_dir) if out_dir is not None else path.with_name(f"{path.stem}-run")
    return pipeline.run(
        path,
        params=dict(params or {}),
        out_dir=target,
        store=get_store,
        settings=load_settings(path.absolute().parent),
        on_progress=on_progress,
        timeout=timeout,
        verify="always",
        tolerance=tolerance,
    )


def export_notebook(
    notebook: str | Path,
    to: str = "script",
    output: str | Path | None = None,
    *,
    params: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a notebook as software that runs without a notebook.

    Parameters
    ----------
    notebook
        Path of the notebook.
    to
        What to write: ``script``.
    output
        Where; beside the notebook by default.
    params
        Defaults of the parameters in what is written.
    overwrite
        Replace a file that this tool did not write.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    ExportError
        The notebook does what a script cannot; cell and line are named, nothing is written.
    """
    if to not in EXPORTS:
        raise InvalidValueError("export format", to, " or ".join(EXPORTS))
    from mlops_nb import export

    path = Path(notebook)
    target = Path(output) if output is not None else path.with_suffix(".py")
    return export.export_script(path, target, params=params, overwrite=overwrite)

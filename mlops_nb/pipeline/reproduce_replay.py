"""Runs the code of a run again, in a copy of its folder, recorded in a store of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_nb.config import load_settings
from mlops_nb.errors import StepFailedError
from mlops_nb.notebook.document import NotebookDocument, write_notebook
from mlops_nb.notebook.nbformat_import import import_nbformat
from mlops_nb.pipeline.kernels import StepKernel
from mlops_nb.pipeline.outcome import StepOutcome
from mlops_nb.pipeline.progress import OnProgress, Progress
from mlops_nb.pipeline.reproduce_scratch import Scratch
from mlops_nb.tracking.code import RunCode

STEP = "replay"
_SAID_BYTES = 4000
_LOAD = "from IPython import get_ipython as g; g().run_line_magic('load_ext', 'mlops_nb')"


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of the code.

    Attributes
    ----------
    error
        Why it stopped, with the cell; empty where it came to its end.
    executed
        The executed notebook, where there is one.
    run_id
        Of a pipeline's run.
    """

    error: str = ""
    executed: Path | None = None
    run_id: str | None = None


def replay(
    code: RunCode,
    scratch: Scratch,
    name: str,
    environment: dict[str, str],
    tell: OnProgress,
    timeout: float | None,
    before_end: Callable[[StepKernel], None],
) -> Replay:
    """Run code again.

    Parameters
    ----------
    code
        As it ran.
    scratch
        Where.
    name
        Of the file that it was in.
    environment
        Variables for its process.
    tell
        Called with every event.
    timeout
        Seconds that it may take.
    before_end
        Called with the kernel of a notebook, which still has what its cells have made.

    Returns
    -------
    Replay
        Code that fails is told here, not raised.
    """
    place = scratch.mirror.folder / name
    if code.kind == "pipeline":
        return _run_pipeline(code, scratch, place, tell, timeout)
    begun = time.monotonic()
    tell(Progress("step_started", STEP, 1, 1))
    if code.kind == "script":
        found = _run_script(code, place, environment, timeout)
    else:
        found = _run_cells(code, scratch, place, environment, tell, timeout, before_end)
    status = "failed" if found.error else "succeeded"
    duration = time.monotonic() - begun
    tell(
        Progress(
            "step_finished", STEP, 1, 1, status=status, duration_s=duration, message=found.error
        )
    )
    return found


def _run_script(
    code: RunCode, place: Path, environment: dict[str, str], timeout: float | None
) -> Replay:
    place.unlink(missing_ok=True)
    place.write_text(code.source, encoding="utf-8")
    environment = {k: v for k, v in environment.items() if k != "MLOPS_NB_NOTEBOOK"}
    # A file: a process that the script leaves running would hold a pipe open.
    with tempfile.TemporaryFile() as log:
        try:
            done = subprocess.run(
                [sys.executable, str(place)],
                cwd=place.parent,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Replay(f"it took more than {timeout:g} s")
        if done.returncode == 0:
            return Replay()
        log.seek(max(0, log.seek(0, os.SEEK_END) - _SAID_BYTES))
        said = log.read().decode(errors="replace").strip().splitlines()
    return Replay(said[-1] if said else f"it ended with code {done.returncode}")


def _run_cells(
    code: RunCode,
    scratch: Scratch,
    place: Path,
    environment: dict[str, str],
    tell: OnProgress,
    timeout: float | None,
    before_end: Callable[[StepKernel], None],
) -> Replay:
    place.unlink(missing_ok=True)
    document = code.to_notebook()
    write_notebook(document, place)  # its kernel asks whether it is there
    executed = scratch.root / "executed.ipynb"
    outcome = StepOutcome()
    kernel = StepKernel(scratch.mirror.folder, environment, fork="off")
    try:
        kernel.start()
        if code.kind == "cells" and not any("load_ext" in c["source"] for c in code.cells[:1]):
            kernel.call(_LOAD)  # by a setting of IPython then, or in a cell that was not recorded
        _execute(document, kernel, outcome, executed, tell, timeout)
        if not (outcome.died or outcome.timed_out):
            before_end(kernel)
            kernel.finish()
            kernel.leave()
    except StepFailedError as error:
        return Replay(error.reason, executed if executed.is_file() else None)
    finally:
        kernel.stop()
    said = outcome.error if outcome.exit_code != 0 else ""
    if said and outcome.cell is not None:
        ran = code.cells[outcome.cell]["metadata"]["mlops"]["ran"]
        said = f"cell {ran}: {said}"
    return Replay(said, executed)


def _execute(
    document: dict[str, Any],
    kernel: StepKernel,
    outcome: StepOutcome,
    executed: Path,
    tell: OnProgress,
    timeout: float | None,
) -> None:
    nbformat = import_nbformat()
    import papermill
    from papermill.exceptions import PapermillExecutionError

    from mlops_nb.pipeline.engine import register_engine

    options: dict[str, Any] = {}
    if timeout is not None:
        deadline = time.monotonic() + timeout
        options["timeout_func"] = lambda cell: max(1, round(deadline - time.monotonic()))
    with contextlib.suppress(PapermillExecutionError):  # the outcome tells
        papermill.execute_notebook(
            nbformat.from_dict(document),
            None,
            engine_name=register_engine(),
            kernel_name="python3",
            progress_bar=False,
            kernel=kernel,
            outcome=outcome,
            on_cell=lambda done, total: tell(Progress("cell_finished", STEP, 1, 1, done, total)),
            save_path=str(executed),
            **options,
        )


def _run_pipeline(
    code: RunCode, scratch: Scratch, place: Path, tell: OnProgress, timeout: float | None
) -> Replay:
    from mlops_nb.pipeline.runner import run

    place.unlink(missing_ok=True)
    write_notebook(code.to_notebook(), place)
    declared = {each.name for each in _read_parameters(place)}
    result = run(
        place,
        params={name: value for name, value in code.run.params.items() if name in declared},
        out_dir=scratch.root / "steps",
        store=scratch.store,
        settings=load_settings(
            place.parent, store=scratch.store.root, cache=scratch.root / "cache"
        ),
        on_progress=tell,
        timeout=timeout,
    )
    failed = next((step for step in result.steps if step.status == "failed"), None)
    error = "" if failed is None else f"step {failed.name!r}: {failed.error}"
    return Replay(error, run_id=result.run_id)


def _read_parameters(place: Path) -> Any:
    from mlops_nb.notebook.parameters import read_parameters

    return read_parameters(NotebookDocument.load(place))

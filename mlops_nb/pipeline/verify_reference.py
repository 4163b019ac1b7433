"""Runs a notebook from top to bottom in one kernel, and notes what there is after every step."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_nb.errors import StepFailedError
from mlops_nb.notebook.document import new_notebook
from mlops_nb.notebook.nbformat_import import import_nbformat
from mlops_nb.pipeline import cancelling
from mlops_nb.pipeline.context import Context
from mlops_nb.pipeline.kernels import StepKernel
from mlops_nb.pipeline.specification import StepSpecification
from mlops_nb.pipeline.state import State, read_state
from mlops_nb.pipeline.stepbook import build_step
from mlops_nb.pipeline.verify_folder import Mirror
from mlops_nb.pipeline.verify_outputs import FileSide

_OWN = ("cell", "parameters")


@dataclass(slots=True)
class Reference:
    """What the notebook gave by itself.

    Attributes
    ----------
    folder
        Has the components and the key that signs them.
    mirror
        The folder that it worked in.
    states
        After a step, by the step's position. None of the last step.
    outputs
        Outputs by position of the cell in the notebook.
    files
        States of the files that were written, by path as in the notebook's own folder; None for
        those that were removed.
    error
        Why a cell failed, empty where none did.
    failed_in
        Position of the step whose cell failed.
    """

    folder: Path
    mirror: Mirror
    states: dict[int, State] = field(default_factory=dict)
    outputs: dict[int, list[Any]] = field(default_factory=dict)
    files: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    failed_in: int = 0

    @property
    def components(self) -> Path:
        """Folder of the values."""
        return self.folder / "components"

    def list_files(self) -> FileSide:
        """Give the files that it has written, and where they are.

        Returns
        -------
        FileSide
            By path as in the notebook's own folder.
        """
        real = str(self.mirror.real)
        copies = {
            path: Path(str(self.mirror.folder) + path[len(real) :])
            for path in self.files
            if path.startswith(real + os.sep)
        }
        return FileSide(self.files, copies)

    @property
    def places(self) -> dict[str, str]:
        """The folder of the reference run, with the one it stands for."""
        return {str(self.mirror.folder): str(self.mirror.real)}


@dataclass(frozen=True, slots=True)
class Segment:
    """Cells up to a place where the steps so far are complete.

    Attributes
    ----------
    number
        The last of these steps.
    cells
        Those of the notebook, and one of our own that notes the values, but for the last step.
    """

    number: int
    cells: tuple[dict[str, Any], ...]


def list_segments(context: Context, skipped: Collection[str]) -> list[Segment]:
    """Cut the notebook where the first so many steps have all of their cells behind them.

    Parameters
    ----------
    context
        Of the pipeline's run.
    skipped
        Steps that were not run there.

    Returns
    -------
    list of Segment
        Cells in the order of the notebook.
    """
    placed: list[tuple[int, int, dict[str, Any]]] = []
    saving: list[dict[str, Any]] = []
    for number, step in enumerate(context.pipeline.steps):
        position = -1
        for cell in build_step(context.pipeline, number, context.values)["cells"]:
            own = cell["metadata"].get("mlops", {})
            if own.get("kind") == "outputs":
                saving = [cell]
            elif own.get("kind") in _OWN and step.name not in skipped:
                position = own.get("index", position)  # injected parameters follow their cell
                placed.append((position, number, cell))
    placed.sort(key=lambda entry: entry[0])
    last = len(context.pipeline.steps) - 1
    segments: list[Segment] = []
    waiting: list[dict[str, Any]] = []
    for at, (_, _, cell) in enumerate(placed):
        waiting.append(cell)
        number = max(n for _, n, _ in placed[: at + 1])
        if all(n > number for _, n, _ in placed[at + 1 :]):
            segments.append(Segment(number, (*waiting, *(saving if number < last else ()))))
            waiting = []
    return segments


def run_reference(
    context: Context, mirror: Mirror, folder: Path, skipped: Collection[str] = ()
) -> Reference:
    """Run the notebook as one.

    Parameters
    ----------
    context
        Of the pipeline's run: parameters, kernel and environment are the same.
    mirror
        The folder to work in.
    folder
        For values and records of this run; nothing of it reaches the store.
    skipped
        Steps that the pipeline did not run.

    Returns
    -------
    Reference
        A cell that fails is told here, not raised.
    """
    folder.mkdir(parents=True, mode=0o700)
    reference = Reference(folder, mirror)
    environment = context.make_environment() | {
        "MLOPS_NB_STORE": str(folder / "store"),
        "MLOPS_NB_CACHE": str(folder / "cache"),
    }
    kernel = StepKernel(mirror.folder, environment, context.kernel_name, preload=context.preload)
    cancelling.enlist(context.run_id, kernel)
    try:
        kernel.start()
        for segment in list_segments(context, skipped):
            if not _run_segment(context, kernel, segment, reference):
                break
        if not reference.error:
            kernel.finish()
            kernel.leave()
    except StepFailedError as error:
        reference.error = error.reason
    finally:
        kernel.stop()
        cancelling.dismiss(context.run_id, kernel)
    return reference


def _run_segment(
    context: Context, kernel: StepKernel, segment: Segment, reference: Reference
) -> bool:
    """Run cells; False where the notebook has ended."""
    from mlops_nb.pipeline.outcome import StepOutcome

    file = reference.folder / f"{segment.number}.step"
    report = reference.folder / f"{segment.number}.report"
    _specify(context, segment.number, reference.folder, report).write(file)
    kernel.begin(file)
    outcome = StepOutcome()
    target = reference.folder / f"{segment.number}.ipynb"
    _execute(context, kernel, _build_document(context, segment), target, outcome)
    _take_outputs(target, reference)
    if outcome.exit_code == 0:
        return False
    if outcome.error:
        reference.error, reference.failed_in = outcome.error, segment.number
        return False
    kernel.report()
    found = json.loads(report.read_text(encoding="utf-8"))
    for path, state in found.get("writes", {}).items():
        reference.files[reference.mirror.to_real(path)] = state
    if "state" in found:
        reference.states[segment.number] = read_state(found["state"])
    return True


def _specify(context: Context, number: int, folder: Path, report: Path) -> StepSpecification:
    steps = context.pipeline.steps
    return StepSpecification(
        State(),
        None,
        (),
        str(folder / "components"),
        str(folder),
        str(report),
        history=context.history,
        patches=tuple(path for step in steps[: number + 1] for path in step.patches),
        folders_left_out=(str(folder), str(context.out_dir.absolute())),
    )


def _build_document(context: Context, segment: Segment) -> dict[str, Any]:
    kept = ("kernelspec", "language_info")
    metadata = {k: v for k, v in context.pipeline.document.metadata.items() if k in kept}
    return new_notebook(segment.cells, metadata)


def _execute(
    context: Context,
    kernel: StepKernel,
    document: Mapping[str, Any],
    target: Path,
    outcome: Any,
) -> None:
    nbformat = import_nbformat()
    import papermill
    from papermill.exceptions import PapermillExecutionError

    from mlops_nb.pipeline.engine import register_engine

    options: dict[str, Any] = {}
    if context.timeout is not None:
        deadline = time.monotonic() + context.timeout
        options["timeout_func"] = lambda cell: max(1, round(deadline - time.monotonic()))
    with contextlib.suppress(PapermillExecutionError):  # the outcome tells
        papermill.execute_notebook(
            nbformat.from_dict(document),
            None,
            engine_name=register_engine(),
            kernel_name=context.kernel_name or "python3",
            progress_bar=False,
            kernel=kernel,
            outcome=outcome,
            save_path=str(target),
            **options,
        )


def _take_outputs(target: Path, reference: Reference) -> None:
    for cell in json.loads(target.read_text(encoding="utf-8"))["cells"]:
        index = cell["metadata"].get("mlops", {}).get("index")
        if index is not None and cell["cell_type"] == "code":
            reference.outputs[index] = cell.get("outputs", [])

"""Verbs on a notebook as it stands: nothing is executed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_nb.errors import NotebookError, NotFoundError

if TYPE_CHECKING:
    from mlops_nb.notebook.explain import Dependency
    from mlops_nb.notebook.parameters import Parameter
    from mlops_nb.notebook.slicing import NotebookSlice
    from mlops_nb.notebook.suggest import Suggestion


def list_parameters(notebook: str | Path) -> tuple[Parameter, ...]:
    """List the parameters that a notebook declares.

    Parameters
    ----------
    notebook
        Path of the notebook.

    Returns
    -------
    tuple of Parameter
        Name, default, type and the comment behind, in the order of their lines.

    Raises
    ------
    NotebookError
        The notebook cannot be read, or a line of a cell tagged ``parameters`` is no declaration.
    """
    from mlops_nb.notebook.document import NotebookDocument
    from mlops_nb.notebook.parameters import read_parameters

    return read_parameters(NotebookDocument.load(Path(notebook)))


def explain_graph(
    notebook: str | Path, subject: str | None = None, *, by_cell: bool = False
) -> tuple[Dependency, ...]:
    """Tell why steps depend on one another; nothing is executed.

    Parameters
    ----------
    notebook
        Path of the notebook.
    subject
        A variable or a step; what concerns neither is left out.
    by_cell
        Between cells instead of steps. A notebook with one step is always looked at so.

    Returns
    -------
    tuple of Dependency
        For each variable that crosses: where it was written, where it is used, and by which rule.

    Raises
    ------
    NotebookError, PipelineError
        The notebook cannot be read, or its tags cannot be kept.
    NotFoundError
        The subject is neither a variable that crosses nor a step.
    """
    from mlops_nb import pipeline
    from mlops_nb.notebook.explain import explain_dependencies

    plan = pipeline.plan(Path(notebook))
    parts = [("", plan.prelude), *((step.name, step.cells) for step in plan.steps)]
    if by_cell or len(plan.steps) == 1:
        parts = [(f"cell {cell.index}", (cell,)) for _, cells in parts for cell in cells]
    found = explain_dependencies(parts)
    if subject is None:
        return found
    known = {name for name, _ in parts if name} | {each.name for each in found}
    if subject not in known:
        raise NotFoundError("step or variable that crosses", subject, known)
    return tuple(_select(found, subject))


def _select(found: Iterable[Dependency], subject: str) -> Iterable[Dependency]:
    for each in found:
        if subject in (each.source, each.target, each.name):
            yield each


def slice_notebook(notebook: str | Path, name: str) -> NotebookSlice:
    """Find the cells that compute one variable; nothing is executed.

    Parameters
    ----------
    notebook
        Path of the notebook.
    name
        The variable, as it is at the end.

    Returns
    -------
    NotebookSlice
        The cells in the order in which they run, each with its reason; run alone they give the same
        object, as far as can be told without running.

    Raises
    ------
    NotebookError
        The notebook cannot be read.
    NotFoundError
        No cell binds the variable.
    """
    from mlops_nb.notebook.document import NotebookDocument
    from mlops_nb.notebook.slicing import slice_cells
    from mlops_nb.notebook.tags import read_roles

    document = NotebookDocument.load(Path(notebook))
    roles = read_roles(document, ("when", "rng"))
    running = [cell for cell in document.code_cells if not roles[cell.index].is_skipped]
    return slice_cells(running, name)


def suggest_tags(notebook: str | Path, *, write: bool = False) -> tuple[Suggestion, ...]:
    """Propose tags for the cells of a notebook that have none; nothing is executed.

    Parameters
    ----------
    notebook
        Path of the notebook.
    write
        Write the tags into the file, in one move; cells with tags of ours are left alone.

    Returns
    -------
    tuple of Suggestion
        Tags that make a pipeline which is not refused, each with its reason.

    Raises
    ------
    NotebookError, PipelineError
        The notebook cannot be read, or is refused whatever its tags are.
    """
    from mlops_nb.notebook.document import NotebookDocument
    from mlops_nb.notebook.suggest import suggest_cells
    from mlops_nb.notebook.tagging import add_tags

    path = Path(notebook)
    document = NotebookDocument.load(path)
    refused: set[int] = set()
    while True:
        found = suggest_cells(document, refused)
        problem = _try_plan(path, {each.cell: each.tag for each in found})
        if problem is None:
            break
        starts = [each.cell for each in found if each.tag.startswith("step:")][1:]
        last = max((cell for cell in starts if cell <= (problem.cell or 0)), default=None)
        if last is None:
            raise problem
        refused.add(last)  # the part goes with the one above
    if write and found:
        add_tags(path, {each.cell: each.tag for each in found})
    return found


def _try_plan(path: Path, tags: Mapping[int, str]) -> NotebookError | None:
    """Plan a copy of a notebook with these tags; give the refusal, where it is refused."""
    import tempfile

    from mlops_nb import pipeline
    from mlops_nb.notebook.tagging import add_tags

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_bytes(path.read_bytes())
        try:
            pipeline.plan(add_tags(copy, tags))
        except NotebookError as error:
            return type(error)(path, error.found, error.cell, error.hint)
    return None

"""Verbs on a notebook as it stands: nothing is executed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_nb.errors import NotFoundError

if TYPE_CHECKING:
    from mlops_nb.notebook.explain import Dependency
    from mlops_nb.notebook.parameters import Parameter


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

"""Several cells tagged ``parameters``: allowed where they say the same as one cell would."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from mlops_nb.errors import NotebookError
from mlops_nb.notebook.dataflow import analyze_cell
from mlops_nb.notebook.document import Cell
from mlops_nb.notebook.magics import parse_cell
from mlops_nb.notebook.rewriting import split_pairs


def check_declarations(path: object, declaring: Sequence[Cell], between: Sequence[Cell]) -> None:
    """Refuse several parameters cells where a given value would not do what it does in one.

    Given values are set once, after the last of the cells. So no name may be declared twice, and
    nothing that runs in between may use one.

    Parameters
    ----------
    path
        The notebook, for error messages.
    declaring
        The cells tagged ``parameters``, in order.
    between
        The other code cells that run between the first and the last of them.

    Raises
    ------
    NotebookError
        A name is declared in two of the cells, or used between them; both cells are named.
    """
    owners: dict[str, int] = {}
    for cell in declaring:
        for name in _list_names(cell.source):
            if name in owners:
                found = f"parameter {name!r} is declared in cells {owners[name]} and {cell.index}"
                hint = "Keep one of the lines; the second would reset the first."
                raise NotebookError(path, f"{found}, both tagged 'parameters'", cell.index, hint)
            owners[name] = cell.index
    for cell in between:
        flow = analyze_cell(cell.source, frozenset(owners))
        touched = flow.reads | flow.writes | flow.maybe_writes | flow.deletes
        early = sorted(name for name in touched if owners.get(name, cell.index) < cell.index)
        if early or flow.is_opaque:
            last = declaring[-1].index
            does = f"it uses parameter {early[0]!r}" if early else "it may use any variable"
            found = f"{does} between the parameters cells {declaring[0].index} and {last}"
            hint = "Put all parameters into one cell above, or move this cell below them."
            raise NotebookError(path, found, cell.index, hint)


def find_rebound(declaring: Sequence[Cell], running: Sequence[Cell]) -> tuple[tuple[str, int], ...]:
    """Find parameters that a later cell binds anew, which a given value then does not reach.

    Parameters
    ----------
    declaring
        The cells tagged ``parameters``.
    running
        All code cells that run, in order.

    Returns
    -------
    tuple of (str, int)
        Names, with the first cell that binds them; worth a warning, for it may be meant.
    """
    names = {name for cell in declaring for name in _list_names(cell.source)}
    last = max((cell.index for cell in declaring), default=-1)
    found: dict[str, int] = {}
    for cell in running:
        if cell.index > last:
            flow = analyze_cell(cell.source)
            for name in sorted(names & (flow.writes | flow.maybe_writes | flow.deletes)):
                found.setdefault(name, cell.index)
    return tuple(found.items())


def _list_names(source: str) -> list[str]:
    """List the names that a cell assigns, as far as it can be read."""
    try:
        body = list(split_pairs(parse_cell(source).body))
    except SyntaxError:
        return []  # refused with its line where the parameters are read
    targets = [
        target
        for statement in body
        for target in (
            statement.targets
            if isinstance(statement, ast.Assign)
            else [statement.target]
            if isinstance(statement, ast.AnnAssign)
            else []
        )
    ]
    return list(dict.fromkeys(t.id for t in targets if isinstance(t, ast.Name)))

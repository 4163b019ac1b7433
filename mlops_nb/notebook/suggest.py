"""Tags proposed for an untagged notebook: from its headings, and from what crosses its cells."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mlops_nb.errors import NotebookError
from mlops_nb.notebook.cutting import Cut, find_cuts, list_crossing, name_part
from mlops_nb.notebook.dataflow import analyze_cells
from mlops_nb.notebook.document import Cell, NotebookDocument
from mlops_nb.notebook.flow import CellFlow
from mlops_nb.notebook.magics import parse_cell
from mlops_nb.notebook.parameters import parse_parameters
from mlops_nb.notebook.tags import CellRole, read_roles

_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A tag proposed for a cell.

    Attributes
    ----------
    cell
        Position of the cell.
    source
        Its first line.
    reason
        Why this tag.
    """

    cell: int
    tag: str
    source: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Give the record as JSON types.

        Returns
        -------
        dict
            ``cell``, ``tag``, ``source`` and ``reason``.
        """
        return asdict(self)


def suggest_cells(
    document: NotebookDocument, refused: Collection[int] = ()
) -> tuple[Suggestion, ...]:
    """Propose tags for the cells of a notebook that have none.

    Parameters
    ----------
    document
        The notebook.
    refused
        Cells at which no step may begin, for the plan was refused with one there.

    Returns
    -------
    tuple of Suggestion
        In notebook order. Cells with tags of ours are left alone; where some name steps already, no
        further ones are proposed.

    Raises
    ------
    NotebookError
        A tag of the notebook cannot be read.
    """
    roles = read_roles(document, ("when", "rng"))
    cells = [cell for cell in document.code_cells if not roles[cell.index].is_skipped]
    cells = [cell for cell in cells if cell.source.strip()]
    flows = analyze_cells(cell.source for cell in cells)
    lead = 0
    while lead < len(cells) and flows[lead].only_defines:
        lead += 1
    found = _suggest_lead(document, cells[:lead], roles, flows[:lead])
    if any(role.step for role in roles) or lead == len(cells):
        return tuple(found)
    found += _suggest_steps(find_cuts(document, cells, flows, lead), cells, flows, roles, refused)
    return tuple(found)


def _suggest_steps(
    cuts: Sequence[Cut],
    cells: Sequence[Cell],
    flows: Sequence[CellFlow],
    roles: Sequence[CellRole],
    refused: Collection[int],
) -> list[Suggestion]:
    kept: list[tuple[Cut, list[Cut]]] = []  # each with those that cannot begin a step
    for cut in cuts:
        index = cells[cut.position].index
        if kept and (index in refused or _is_taken(roles[index])):
            kept[-1][1].append(cut)
        else:
            kept.append((cut, []))
    lead, taken, found = cuts[0].position, set[str](), []
    ends = [*(cut.position for cut, _ in kept[1:]), len(cells)]
    for (cut, joined), end in zip(kept, ends, strict=True):
        part = cells[cut.position : end]
        name = _make_unique(cut.name or name_part(part), taken)
        crossing = list_crossing(flows, cut.position, lead)
        reason = "; ".join([f"{cut.reason}: {_count(len(part))}", *_tell(crossing, joined)])
        found.append(_suggest(part[0], f"step:{name}", reason))
    return found


def _count(cells: int) -> str:
    return f"{cells} cell{'s' if cells > 1 else ''}"


def _tell(crossing: Sequence[str], joined: Sequence[Cut]) -> Iterator[str]:
    if crossing:
        rest = len(crossing) - _SHOWN
        more = f" and {rest} more" if rest > 0 else ""
        yield f"{', '.join(crossing[:_SHOWN])}{more} cross" + "es" * (len(crossing) == 1)
    for cut in joined:
        yield f"{cut.reason} goes with it, for the plan refuses a step there"


def _suggest(cell: Cell, tag: str, reason: str) -> Suggestion:
    first = next((line.strip() for line in cell.source.splitlines() if line.strip()), "")
    return Suggestion(cell.index, tag, first[:60], reason)


def _is_taken(role: CellRole) -> bool:
    return bool(role.step or role.is_declaring or role.is_prelude)


def _suggest_lead(
    document: NotebookDocument,
    cells: Sequence[Cell],
    roles: Sequence[CellRole],
    flows: Sequence[CellFlow],
) -> list[Suggestion]:
    """Recognise imports, functions and parameters above the first cell that computes."""
    found = []
    has_parameters = any(role.is_declaring for role in roles)
    for cell, flow in zip(cells, flows, strict=True):
        if _is_taken(roles[cell.index]):
            continue
        kinds = _list_kinds(cell.source)
        if flow.imports and "value" not in kinds:
            found.append(_suggest(cell, "imports", "it imports and sets up"))
        elif flow.functions and kinds <= {"function", "class", "import"}:
            found.append(_suggest(cell, "functions", "it defines functions or classes"))
        elif not has_parameters and kinds == {"value"} and _declares(cell, document):
            has_parameters = True
            found.append(_suggest(cell, "parameters", "it assigns literals only"))
    return found


def _list_kinds(source: str) -> set[str]:
    """List the kinds of statements in a cell."""
    kinds = set()
    for node in parse_cell(source).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            kinds.add("import")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            kinds.add("function")
        elif isinstance(node, ast.ClassDef):
            kinds.add("class")
        elif isinstance(node, ast.Assign | ast.AnnAssign) and _binds_name(node):
            kinds.add("value")
    return kinds


def _binds_name(node: ast.Assign | ast.AnnAssign) -> bool:
    """Tell a variable from a setting of a library, as in ``plt.rcParams["x"] = 1``."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return not all(isinstance(target, ast.Attribute | ast.Subscript) for target in targets)


def _declares(cell: Cell, document: NotebookDocument) -> bool:
    try:
        return bool(parse_parameters(cell, document.path))
    except NotebookError:
        return False


def _make_unique(name: str, taken: set[str]) -> str:
    unique, number = name, 1
    while unique in taken:
        number += 1
        unique = f"{name}_{number}"
    taken.add(unique)
    return unique

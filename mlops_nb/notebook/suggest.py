"""Tags proposed for an untagged notebook: from its headings, and from what crosses its cells."""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mlops_nb.errors import NotebookError
from mlops_nb.notebook.dataflow import analyze_cells
from mlops_nb.notebook.document import Cell, NotebookDocument
from mlops_nb.notebook.flow import CellFlow
from mlops_nb.notebook.magics import parse_cell
from mlops_nb.notebook.parameters import parse_parameters
from mlops_nb.notebook.tags import CellRole, read_roles

_HEADING = re.compile(r"^(#{1,3})\s+(.+?)\s*#*\s*$", re.MULTILINE)
_FEWEST_CELLS = 3
_MOST_CROSSING = 6
# What a part without a heading is named after: the first pattern that its code holds.
_DEEDS = (
    ("evaluate", re.compile(r"_score\(|\.score\(|accuracy|classification_report|confusion")),
    ("train", re.compile(r"\.fit\(|\.backward\(|\.partial_fit\(")),
    ("load", re.compile(r"read_\w+\(|load_\w+\(|fetch_\w+\(|\bopen\(")),
    ("plot", re.compile(r"\bplt\.|\bsns\.|\.plot\b")),
    ("prepare", re.compile(r"dropna|fillna|merge\(|groupby|train_test_split|transform\(")),
)


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
    starts = _find_sections(document, cells, lead)
    if len(starts) < 2:
        starts = _find_cuts(cells, flows, lead)
    taken: set[str] = set()
    for position, (name, reason) in sorted(starts.items()):
        cell = cells[position]
        is_first = position == lead
        if (cell.index in refused or _is_taken(roles[cell.index])) and not is_first:
            continue
        crossing = _list_crossing(flows, position)
        shown = ", ".join(crossing[:4]) + (" ..." if len(crossing) > 4 else "")
        detail = f"; {shown} cross" + ("es" if len(crossing) == 1 else "") if crossing else ""
        tag = f"step:{_make_unique(name, taken)}"
        found.append(_suggest(cell, tag, reason + ("" if is_first else detail)))
    return tuple(found)


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
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            kinds.add("value")
    return kinds


def _declares(cell: Cell, document: NotebookDocument) -> bool:
    try:
        return bool(parse_parameters(cell, document.path))
    except NotebookError:
        return False


def _find_sections(
    document: NotebookDocument, cells: Sequence[Cell], lead: int
) -> dict[int, tuple[str, str]]:
    """Find the first computing cell below each heading of the two levels that divide most."""
    headings = [
        (cell.index, len(mark), text)
        for cell in document.cells
        if cell.kind == "markdown"
        for mark, text in _HEADING.findall(cell.source)
    ]
    levels = {1, 2} if any(level == 2 for _, level, _ in headings) else {1, 2, 3}
    starts: dict[int, tuple[str, str]] = {}
    for index, level, text in headings:
        below = next((p for p, cell in enumerate(cells) if cell.index > index and p >= lead), None)
        if level in levels and below is not None:
            starts[below] = (_make_name(text), f"it begins the section {text!r}")
    if starts and lead not in starts:
        starts[lead] = (_name_part(cells[lead : min(starts)]), "the first cell that computes")
    return starts


def _find_cuts(
    cells: Sequence[Cell], flows: Sequence[CellFlow], lead: int
) -> dict[int, tuple[str, str]]:
    """Find places between cells where few variables cross, far enough from one another."""
    counts = {p: len(_list_crossing(flows, p)) for p in range(lead + 1, len(cells))}
    chosen = [lead]
    for position in sorted(counts, key=lambda p: (counts[p], p)):
        is_far = all(abs(position - other) >= _FEWEST_CELLS for other in [*chosen, len(cells)])
        neighbours = [counts.get(position - 1), counts.get(position + 1)]
        is_low = all(count is None or counts[position] <= count for count in neighbours)
        if is_far and is_low and 0 < counts[position] <= _MOST_CROSSING:
            chosen.append(position)
    chosen.sort()
    starts = {}
    for position, end in zip(chosen, [*chosen[1:], len(cells)], strict=True):
        why = "few variables cross here" if position != lead else "the first cell that computes"
        starts[position] = (_name_part(cells[position:end]), why)
    return starts


def _list_crossing(flows: Sequence[CellFlow], position: int) -> list[str]:
    """List the variables made above a cell that it or a later one reads before binding them."""
    made: set[str] = set()
    for flow in flows[:position]:
        made |= (flow.writes | flow.maybe_writes) - set(flow.imports) - set(flow.functions)
        made -= flow.deletes | set(flow.imports) | set(flow.functions)
    crossing: set[str] = set()
    bound: set[str] = set()
    for flow in flows[position:]:
        crossing |= (flow.reads & made) - bound
        bound |= flow.writes
    return sorted(crossing)


def _name_part(cells: Sequence[Cell]) -> str:
    text = "\n".join(cell.source for cell in cells)
    return next((name for name, pattern in _DEEDS if pattern.search(text)), "part")


def _make_name(heading: str) -> str:
    """Make the name of a step from a heading."""
    plain = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode()
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)|<[^>]*>", r"\1", plain)
    words = re.findall(r"[a-z0-9]+", re.sub(r"^[\d.\s)]+", "", plain).lower())
    name = ""
    for word in words:
        if name and len(name) + len(word) > 28:
            break
        name = f"{name}_{word}" if name else word[:30]
    return name if name and not name[0].isdigit() else f"part_{name}".rstrip("_")


def _make_unique(name: str, taken: set[str]) -> str:
    unique, number = name, 1
    while unique in taken:
        number += 1
        unique = f"{name}_{number}"
    taken.add(unique)
    return unique

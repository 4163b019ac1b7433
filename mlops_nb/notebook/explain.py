"""Why one part of a notebook depends on another: which name, where written, where read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mlops_nb.notebook.dataflow import analyze_cells
from mlops_nb.notebook.document import Cell
from mlops_nb.notebook.flow import CellFlow, Reason, ReasonKind


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a notebook and what was concluded from it.

    Attributes
    ----------
    cell
        Position of the cell.
    line
        Line in the cell from 1.
    rule
        What was concluded.
    is_sure
        False where it is not certain to happen when the cell runs.
    """

    cell: int
    line: int
    text: str
    rule: str
    is_sure: bool


@dataclass(frozen=True, slots=True)
class Dependency:
    """One variable that one part leaves to another.

    Attributes
    ----------
    source, target
        The parts: steps, or cells where there are none.
    written
        Where the source binds or changes it last.
    used
        Where the target first reads or changes it.
    """

    source: str
    target: str
    name: str
    written: Place
    used: Place

    def to_json(self) -> dict[str, Any]:
        """Give the record as JSON types.

        Returns
        -------
        dict
            ``source``, ``target``, ``name``, ``written`` and ``used``.
        """
        return asdict(self)


def explain_dependencies(parts: Iterable[tuple[str, Sequence[Cell]]]) -> tuple[Dependency, ...]:
    """Tell for every variable that crosses between parts why it does.

    Parameters
    ----------
    parts
        Names and cells of the parts in the order in which they run; cells that belong to every
        part come first, under an empty name.

    Returns
    -------
    tuple of Dependency
        By target, in the order of its cells. Imports and functions cross as source and are not
        among them; a cell that may do anything depends on everything and is told by its reason.
    """
    listed = [(name, cell) for name, cells in parts for cell in cells if cell.kind == "code"]
    flows = analyze_cells((cell.source for _, cell in listed), explains=True)
    owners: dict[str, tuple[str, Place]] = {}
    found: dict[tuple[str, str, str], Dependency] = {}
    for (part, cell), flow in zip(listed, flows, strict=True):
        reasons = {(each.kind, each.name): each for each in flow.reasons}
        for name in sorted(flow.reads | flow.mutates | flow.may_mutate):
            source, written = owners.get(name, (part, None))
            if written is not None and source not in (part, ""):
                used = _find_place(cell, reasons, name, ("read", "change"))
                key = (source, part, name)
                found.setdefault(key, Dependency(source, part, name, written, used))
        _own(owners, part, cell, flow, reasons)
    return tuple(found.values())


def _own(
    owners: dict[str, tuple[str, Place]],
    part: str,
    cell: Cell,
    flow: CellFlow,
    reasons: dict[tuple[ReasonKind, str], Reason],
) -> None:
    """Note who bound or changed a variable last."""
    hidden = set(flow.imports) | set(flow.functions)
    changed = flow.writes | flow.maybe_writes | flow.mutates | flow.may_mutate
    for name in changed - hidden:
        owners[name] = (part, _find_place(cell, reasons, name, ("write", "change")))
    for name in flow.deletes | hidden:
        owners.pop(name, None)


def _find_place(
    cell: Cell,
    reasons: dict[tuple[ReasonKind, str], Reason],
    name: str,
    kinds: tuple[ReasonKind, ...],
) -> Place:
    """Give the place that stands for a name; without one, the cell as a whole."""
    for kind in kinds:
        reason = reasons.get((kind, name))
        if reason is not None:
            return Place(cell.index, reason.line, reason.text, reason.rule, reason.is_sure)
    return Place(cell.index, 1, "", "the cell may do anything", is_sure=False)

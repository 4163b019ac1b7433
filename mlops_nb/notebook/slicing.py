"""The cells that one object needs: enough to run alone, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mlops_nb.errors import NotFoundError
from mlops_nb.notebook.dataflow import analyze_cells
from mlops_nb.notebook.document import Cell
from mlops_nb.notebook.flow import CellFlow
from mlops_nb.notebook.traces import Traces, find_traces


@dataclass(frozen=True, slots=True)
class SlicedCell:
    """One cell of a slice.

    Attributes
    ----------
    cell
        Its position in the notebook.
    names
        The needed variables that it makes or changes.
    reason
        Why it is needed.
    """

    cell: int
    source: str
    names: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class NotebookSlice:
    """The cells that compute one variable, in the order in which they run.

    Attributes
    ----------
    name
        The variable.
    total
        How many code cells were looked at.
    """

    name: str
    cells: tuple[SlicedCell, ...]
    total: int

    def to_json(self) -> dict[str, Any]:
        """Give the slice as JSON types.

        Returns
        -------
        dict
            ``name``, ``cells`` and ``total``.
        """
        return asdict(self)


def slice_cells(cells: Sequence[Cell], name: str) -> NotebookSlice:
    """Find the cells that compute a variable as it is at the end.

    Parameters
    ----------
    cells
        The code cells that run, in order.
    name
        The variable.

    Returns
    -------
    NotebookSlice
        Running these cells alone gives the same object, as far as can be told without running:
        only a definite binding ends the search for a variable, and what may change it is kept. So
        are draws from the shared random generators that come before one that is needed, files
        written before some are read, and settings of the session.

    Raises
    ------
    NotFoundError
        No cell binds the variable.
    """
    flows = analyze_cells((cell.source for cell in cells), explains=True)
    bound = {each for flow in flows for each in flow.writes | flow.maybe_writes}
    if name not in bound:
        raise NotFoundError("variable", name, bound, "A slice is of a variable that a cell binds.")
    modules = frozenset(each for flow in flows for each in flow.imports)
    traces = [find_traces(cell.source, modules) for cell in cells]
    drawing = _find_drawing(flows, traces)
    search = _Search({name})
    kept: list[SlicedCell] = []
    for position in range(len(cells) - 1, -1, -1):
        draws = position in drawing
        found = search.ask(flows[position], traces[position], draws=draws)
        if found is not None:
            names, reason = found
            kept.append(SlicedCell(cells[position].index, cells[position].source, names, reason))
            search.take(flows[position], traces[position], draws=draws)
    return NotebookSlice(name, tuple(reversed(kept)), len(cells))


def _find_drawing(flows: Sequence[CellFlow], traces: Sequence[Traces]) -> set[int]:
    """Find the cells that may draw random numbers, also through functions of the notebook."""
    names: set[str] = set()
    found: set[int] = set()
    for position, (flow, trace) in enumerate(zip(flows, traces, strict=True)):
        if trace.draws or flow.reads & names:
            found.add(position)
            names |= set(flow.functions)
    return found


class _Search:
    """What is still needed, looking upwards."""

    def __init__(self, needed: set[str]) -> None:
        self._needed = needed
        self._needs_all = self._needs_random = self._needs_files = False
        self._has_begun = False

    def ask(
        self, flow: CellFlow, trace: Traces, *, draws: bool
    ) -> tuple[tuple[str, ...], str] | None:
        """Tell whether a cell is needed, and why."""
        binds = flow.writes | flow.maybe_writes | flow.deletes | flow.maybe_deletes
        touched = binds | flow.mutates | flow.may_mutate
        names = tuple(sorted(self._needed & touched))
        if names:
            self._has_begun = True
            return names, self._describe(flow, names)
        if flow.is_opaque:
            place = flow.opaque[0]
            return (), f"line {place.line}: {place.reason}, which may do anything"
        if not self._has_begun:
            return None
        if self._needs_all:
            return (), "a later cell of the slice may use anything"
        if trace.sets_session:
            return (), "it sets something of the session"
        if self._needs_random and draws:
            return (), "it draws random numbers before a cell that needs the next ones"
        if self._needs_files and trace.writes_files:
            return (), "it writes files before a cell that reads some"
        return None

    def take(self, flow: CellFlow, trace: Traces, *, draws: bool) -> None:
        """Note what a kept cell needs in turn."""
        self._has_begun = True
        self._needed -= flow.writes
        self._needed |= flow.reads | flow.mutates | flow.may_mutate
        self._needs_all = self._needs_all or flow.is_opaque
        self._needs_random = self._needs_random or draws
        self._needs_files = self._needs_files or trace.reads_files

    def _describe(self, flow: CellFlow, names: tuple[str, ...]) -> str:
        parts = []
        for name in names:
            for reason in flow.reasons:
                if reason.name == name and reason.kind != "read":
                    rule = reason.rule if reason.is_sure else f"possibly {reason.rule}"
                    parts.append(f"{name} (line {reason.line}: {rule})")
                    break
        return "; ".join(parts)

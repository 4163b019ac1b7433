"""Which earlier cells of a session a cell builds on, by the names that each reads and binds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_nb.notebook.dataflow import CellFlow, FlowTable

_LONGEST_SOURCE = 100_000
_MOST_CELLS = 5_000


class Upstream:
    """The cells of a session in the order in which they ran; analysed when first asked.

    Parameters
    ----------
    has_failed
        Tells of a cell whether it did not run to its end; no name counts as bound by it for sure.
    """

    def __init__(self, has_failed: Callable[[int], bool]) -> None:
        self._has_failed = has_failed
        self._table: FlowTable | None = None
        self._waiting: list[tuple[int, str]] = []
        self._ran: list[tuple[int, CellFlow]] = []

    def add(self, index: int, source: str) -> None:
        """Note that a cell ran.

        Parameters
        ----------
        index
            In execution order.
        source
            As the user wrote it.
        """
        self._waiting.append((index, source[:_LONGEST_SOURCE]))

    def find(self, index: int) -> list[int]:
        """Give the earlier cells that what a cell reads may come from, transitively.

        Parameters
        ----------
        index
            The cell.

        Returns
        -------
        list of int
            Oldest first: those that bind or surely change what is needed, beyond imports and
            functions. A cell that cannot be analysed counts as one that reads and binds anything,
            and so do those before it.
        """
        self._analyze()
        place = next((at for at, ran in enumerate(self._ran) if ran[0] == index), None)
        if place is None:
            return []
        flow = self._ran[place][1]
        needed = set(flow.reads | flow.mutates | flow.may_mutate)
        needs_all = flow.is_opaque
        found = []
        for number, flow in reversed(self._ran[:place]):
            # Handing a variable to code of which nothing is known changes it one time in five: a
            # cell that does no more than that gives no data to what follows.
            given = flow.writes | flow.maybe_writes | flow.mutates
            given -= flow.imports.keys() | flow.functions.keys()
            if not (needs_all or flow.is_opaque or given & needed):
                continue
            found.append(number)
            needs_all = needs_all or flow.is_opaque
            kept = needed & flow.mutates
            if not self._has_failed(number):
                needed -= flow.writes
            needed |= flow.reads | kept
        return found[::-1]

    def _analyze(self) -> None:
        if self._table is None:
            from mlops_nb.notebook.dataflow import FlowTable  # not before a run needs it

            self._table = FlowTable()
        waiting, self._waiting = self._waiting, []
        self._ran += [(index, self._table.add(source)) for index, source in waiting]
        del self._ran[:-_MOST_CELLS]

"""What cells do to variables in the order they were executed, one execution after the other."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_nb.notebook.dataflow import FlowTable


@dataclass(frozen=True, slots=True)
class Effect:
    """What one execution surely did with variables.

    Attributes
    ----------
    reads
        Names that it needed from before.
    writes
        Names that it bound or unbound.
    changes
        Variables from before that it changed in place.
    """

    reads: tuple[str, ...]
    writes: tuple[str, ...]
    changes: tuple[str, ...]


class ExecutedCells:
    """Tells the effect of each execution, with the functions that earlier ones defined.

    What may be changed only perhaps is left out: who is told that a cell is out of date should be
    able to rely on it.
    """

    def __init__(self) -> None:
        self._table = FlowTable()
        self._definitions: dict[str, str] = {}

    def add(self, source: str, cell_id: str | None) -> Effect:
        """Analyse the next execution.

        Parameters
        ----------
        source
            The cell as it was executed.
        cell_id
            Which cell it was, where that is known.

        Returns
        -------
        Effect
            Its effect; what cannot be parsed has none.
        """
        flow = self._table.add(source)
        writes = flow.writes | flow.maybe_writes | flow.deletes
        if flow.only_defines and cell_id is not None:
            # The same functions again are the functions that were there.
            if self._definitions.get(cell_id) == source:
                writes = frozenset()
            self._definitions[cell_id] = source
        elif cell_id is not None:
            self._definitions.pop(cell_id, None)
        return Effect(
            tuple(sorted(flow.reads)),
            tuple(sorted(writes - flow.only_imports)),
            tuple(sorted(flow.mutates - writes)),
        )

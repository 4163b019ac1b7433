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
    is_repeat
        Whether all stayed as it was: imports, definitions and literals that ran before as they
        are, and that nothing has touched since.
    """

    reads: tuple[str, ...]
    writes: tuple[str, ...]
    changes: tuple[str, ...]
    is_repeat: bool = False


class ExecutedCells:
    """Tells the effect of each execution, with the functions that earlier ones defined.

    What may be changed only perhaps is left out: who is told that a cell is out of date should be
    able to rely on it.
    """

    def __init__(self) -> None:
        self._table = FlowTable()
        self._definitions: dict[str, tuple[str, frozenset[str]]] = {}

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
        writes = (flow.writes | flow.maybe_writes | flow.deletes) - flow.only_imports
        found = (source, writes)
        is_repeat = cell_id is not None and self._definitions.get(cell_id) == found
        touched = writes | flow.mutates | flow.may_mutate
        for known, (_, names) in list(self._definitions.items()):
            if names & touched and known != cell_id:
                del self._definitions[known]
        if cell_id is not None and flow.only_defines:
            self._definitions[cell_id] = found
        elif cell_id is not None:
            self._definitions.pop(cell_id, None)
        return Effect(
            tuple(sorted(flow.reads)),
            tuple(sorted(writes)),
            tuple(sorted(flow.mutates - writes)),
            is_repeat,
        )

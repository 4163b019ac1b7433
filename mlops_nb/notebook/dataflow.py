"""What each cell reads, writes and changes: for one cell alone, or for all in notebook order.

Sound by default: what cannot be told counts as read and possibly changed, and what may run
anything is a barrier.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mlops_nb.notebook.definitions import is_definition
from mlops_nb.notebook.flow import CellFlow, LateFlow, Opaque
from mlops_nb.notebook.magics import parse_cell
from mlops_nb.notebook.values import Known
from mlops_nb.notebook.walker import Walker

__all__ = ["CellFlow", "FlowTable", "LateFlow", "Opaque", "analyze_cell", "analyze_cells"]


class FlowTable:
    """Analyses cells one after the other, remembering what earlier ones defined.

    Functions of earlier cells are followed into the cells that mention them, transitively;
    variables that may hold one object change together.
    """

    def __init__(self) -> None:
        self._known = Known()

    def add(self, source: str) -> CellFlow:
        """Analyse the next cell.

        Parameters
        ----------
        source
            The cell as it stands in the notebook, magics included.

        Returns
        -------
        CellFlow
            Its effect, functions of earlier cells included.
        """
        flow = _analyze(source, self._known)
        self._known.names |= flow.writes | flow.maybe_writes
        self._known.names -= flow.deletes
        return flow


def analyze_cells(sources: Iterable[str]) -> tuple[CellFlow, ...]:
    """Analyse the cells of a notebook in order.

    Parameters
    ----------
    sources
        The code cells in the order in which they run.

    Returns
    -------
    tuple of CellFlow
        One per cell; late effects of functions are attributed to the cells that use them.
    """
    table = FlowTable()
    return tuple(table.add(source) for source in sources)


def analyze_cell(source: str, known_names: frozenset[str] = frozenset()) -> CellFlow:
    """Analyse one cell alone.

    Parameters
    ----------
    source
        The cell as it stands in the notebook, magics included.
    known_names
        Names that earlier cells define; only they can hide a builtin.

    Returns
    -------
    CellFlow
        Its effect, as far as the cell alone tells.
    """
    return _analyze(source, Known(names=set(known_names)))


def _analyze(source: str, known: Known) -> CellFlow:
    """Walk one cell; what cannot be parsed or is nested too deeply is a barrier."""
    walker = Walker(known)
    try:
        tree = parse_cell(source)
        walker.walk_statements(tree.body)
    except SyntaxError as error:
        return CellFlow(opaque=(Opaque(error.lineno or 1, f"syntax error: {error.msg}"),))
    except (RecursionError, MemoryError):
        return CellFlow(opaque=(Opaque(1, "nested too deeply to be analysed"),))
    return replace(walker.finish(), only_defines=all(map(is_definition, tree.body)))

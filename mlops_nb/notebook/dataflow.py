"""What each cell reads, writes and changes: for one cell alone, or for all in notebook order.

Sound by default: what cannot be told counts as read and possibly changed, and what may run
anything is a barrier.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace

from mlops_nb.notebook.definitions import is_definition
from mlops_nb.notebook.flow import CellFlow, LateFlow, Opaque, Reason
from mlops_nb.notebook.magics import parse_cell
from mlops_nb.notebook.values import Known
from mlops_nb.notebook.walker import Walker

_LONGEST_TEXT = 80
__all__ = ["CellFlow", "FlowTable", "LateFlow", "Opaque", "Reason", "analyze_cell", "analyze_cells"]


class FlowTable:
    """Analyses cells one after the other, remembering what earlier ones defined.

    Functions of earlier cells are followed into the cells that mention them, transitively;
    variables that may hold one object change together.

    Parameters
    ----------
    explains
        Keep the reasons of each conclusion; it takes longer.
    """

    def __init__(self, *, explains: bool = False) -> None:
        self._known = Known()
        self._explains = explains

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
        flow = _analyze(source, self._known, explains=self._explains)
        self._known.names |= flow.writes | flow.maybe_writes
        self._known.names -= flow.deletes
        return flow


def analyze_cells(sources: Iterable[str], *, explains: bool = False) -> tuple[CellFlow, ...]:
    """Analyse the cells of a notebook in order.

    Parameters
    ----------
    sources
        The code cells in the order in which they run.
    explains
        Keep the reasons of each conclusion; it takes longer.

    Returns
    -------
    tuple of CellFlow
        One per cell; late effects of functions are attributed to the cells that use them.
    """
    table = FlowTable(explains=explains)
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


def _analyze(source: str, known: Known, *, explains: bool = False) -> CellFlow:
    """Walk one cell; what cannot be parsed or is nested too deeply is a barrier."""
    walker = Walker(known)
    walker.causes = {} if explains else None
    try:
        tree = parse_cell(source)
        walker.walk_statements(tree.body)
    except SyntaxError as error:
        return CellFlow(opaque=(Opaque(error.lineno or 1, f"syntax error: {error.msg}"),))
    except (RecursionError, MemoryError):
        return CellFlow(opaque=(Opaque(1, "nested too deeply to be analysed"),))
    flow = replace(walker.finish(), only_defines=all(map(is_definition, tree.body)))
    if flow.imports:
        flow = replace(flow, only_imports=frozenset(flow.imports) - _find_other_bound(tree))
    return flow if walker.causes is None else replace(flow, reasons=_explain(source, flow, walker))


def _find_other_bound(tree: ast.Module) -> set[str]:
    """Find names that a cell binds, or unbinds, other than by one import."""
    found: set[str] = set()
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.alias):
            name = node.asname or node.name.partition(".")[0]
            (found if name in imported else imported).add(name)
        elif isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                found.add(node.id)
        else:  # functions, classes, caught exceptions, patterns
            found.add(getattr(node, "name", None) or "")
    return found


def _explain(source: str, flow: CellFlow, walker: Walker) -> tuple[Reason, ...]:
    """Give the reasons of what was found, those that were decided otherwise left out."""
    kept = {
        "read": flow.reads,
        "write": flow.writes | flow.maybe_writes,
        "change": flow.mutates | flow.may_mutate,
        "delete": flow.deletes | flow.maybe_deletes,
    }
    unsure = {
        "read": flow.late_reads,
        "write": flow.maybe_writes,
        "change": flow.may_mutate,
        "delete": flow.maybe_deletes,
    }
    lines = source.splitlines()
    found = []
    for (kind, name), (rule, node) in (walker.causes or {}).items():
        if name in kept[kind]:
            line = max(1, min(getattr(node, "lineno", 1), len(lines) or 1))
            text = _show(node, lines, line)
            found.append(Reason(kind, name, line, text, rule, name not in unsure[kind]))
    return tuple(found)


def _show(node: ast.AST | None, lines: list[str], line: int) -> str:
    """Show the code of a node on one line; of a statement, its first line."""
    if isinstance(node, ast.expr) and not isinstance(node, ast.Name):
        text = ast.unparse(node)
        if "get_ipython()" not in text and len(text) <= _LONGEST_TEXT:
            return text
    text = lines[line - 1].strip() if lines else ""
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 3]}..."

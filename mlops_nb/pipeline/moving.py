"""Whether cells can change places without changing what a notebook computes."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from mlops_nb.notebook.dataflow import CellFlow
from mlops_nb.notebook.document import Cell
from mlops_nb.notebook.magics import parse_cell

# Calls that only look. Every other call may draw a random number or touch a file, and two such
# calls cannot change places.
_LOOKING = frozenset(
    [
        "print",
        "display",
        "len",
        "repr",
        "str",
        "type",
        "sorted",
        "list",
        "head",
        "tail",
        "describe",
        "info",
        "value_counts",
        "nunique",
        "isna",
        "sum",
        "mean",
        "round",
    ]
)


def find_obstacle(
    moved: Iterable[Cell], passed: Iterable[Cell], flows: dict[int, CellFlow]
) -> str | None:
    """Tell why cells cannot be moved above others.

    Parameters
    ----------
    moved
        The cells to move up.
    passed
        The cells that then run after them.
    flows
        What each cell reads and writes, by its index.

    Returns
    -------
    str or None
        The first reason, None where the order makes no difference.
    """
    for above in passed:
        for below in moved:
            reason = _compare(above, below, flows)
            if reason:
                return reason
    return None


def _compare(above: Cell, below: Cell, flows: dict[int, CellFlow]) -> str | None:
    first, second = flows.get(above.index), flows.get(below.index)
    if first is None or second is None:
        return None
    for cell, flow in ((above, first), (below, second)):
        if flow.opaque:
            return f"what cell {cell.index} does cannot be told ({flow.opaque[0].reason})"
    shared = (_changes(first) & (second.reads | _changes(second))) | (
        _changes(second) & first.reads
    )
    if shared:
        names = ", ".join(repr(name) for name in sorted(shared))
        return f"cells {above.index} and {below.index} both use {names}"
    if _calls(below) and _calls(above):
        return (
            f"cells {above.index} and {below.index} both call functions that may draw random "
            "numbers or touch files"
        )
    return None


def _changes(flow: CellFlow) -> frozenset[str]:
    return (
        flow.writes
        | flow.maybe_writes
        | flow.mutates
        | flow.may_mutate
        | flow.deletes
        | flow.maybe_deletes
    )


def _calls(cell: Cell) -> bool:
    for node in ast.walk(parse_cell(cell.source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
            if name not in _LOOKING:
                return True
        if isinstance(node, ast.Import | ast.ImportFrom):
            return True
    return False

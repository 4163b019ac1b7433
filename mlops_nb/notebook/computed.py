"""What a parameters cell computes besides: it must not meet values that are set after the cell."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops_nb.notebook.dataflow import analyze_cell

_FIXED = (bool, int, float, complex, str, bytes, type(None))


@dataclass(frozen=True, slots=True)
class Computed:
    """What is computed in a cell between the parameters that it declares.

    Attributes
    ----------
    is_opaque
        It may do anything with any of them.
    changed
        Parameters that it may bind anew, change, or hand on as an object that can be changed: what
        is set after the cell would be another object.
    used
        The statement that reads it, by parameter.
    """

    is_opaque: bool
    changed: frozenset[str]
    used: Mapping[str, str]


def look_at(statements: Sequence[ast.stmt], defaults: Mapping[str, Any]) -> Computed:
    """Look at what a parameters cell computes.

    Parameters
    ----------
    statements
        Those that declare nothing, in their order.
    defaults
        The values of the parameters that the cell declares.

    Returns
    -------
    Computed
        How it touches them.
    """
    names = frozenset(defaults)
    changed: set[str] = set()
    used: dict[str, str] = {}
    is_opaque = False
    for statement in statements:
        source = ast.unparse(statement)
        flow = analyze_cell(source, names)
        is_opaque = is_opaque or flow.is_opaque
        changed |= flow.writes | flow.maybe_writes | flow.deletes | flow.maybe_deletes
        for name in names & (flow.reads | flow.mutates | flow.may_mutate):
            used.setdefault(name, source.splitlines()[0])
            if not isinstance(defaults[name], _FIXED):
                changed.add(name)
    return Computed(is_opaque, frozenset(changed & names), used)

"""What is known of values and names while cells are walked."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import dataclass, field

from mlops_nb.notebook.flow import LateFlow, Opaque
from mlops_nb.notebook.sharing import MAYBE, SAME, Sharing

BUILTINS = frozenset(dir(builtins)) | {"get_ipython", "display", "exit", "quit"}
# IPython keeps earlier outputs and sources under these names.
HISTORY = frozenset({"_", "__", "___", "_i", "_ii", "_iii", "In", "Out", "_oh", "_ih", "_dh"})
PARAMETER = "\0"  # marks a function's parameter among names of the notebook


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of an expression's value.

    Attributes
    ----------
    shares
        Names whose object it may hold, with the strength of the link.
    late
        What functions made in the expression do when they are called.
    path
        The dotted path of a module's member or a builtin.
    is_iterator
        Reading it uses it up.
    """

    shares: dict[str, int] = field(default_factory=dict)
    late: tuple[LateFlow, ...] = ()
    path: str | None = None
    is_iterator: bool = False


NOTHING = Value()


def join_late(one: tuple[LateFlow, ...], other: tuple[LateFlow, ...]) -> tuple[LateFlow, ...]:
    """Join two lists of functions, each function once.

    Parameters
    ----------
    one, other
        What is known of two values.

    Returns
    -------
    tuple of LateFlow
        What is known of a value that may be either.
    """
    if not one or not other or one is other:
        return one or other
    return tuple({id(flow): flow for flow in (*one, *other)}.values())


def merge(values: Iterable[Value], strength: int = SAME) -> Value:
    """Join what is known of several values that may come out as one.

    Parameters
    ----------
    values
        The values.
    strength
        At most so strongly does the result share with them.

    Returns
    -------
    Value
        What is known of the result.
    """
    shares: dict[str, int] = {}
    late: tuple[LateFlow, ...] = ()
    is_iterator = False
    for value in values:
        for name, known in value.shares.items():
            shares[name] = max(min(known, strength), shares.get(name, MAYBE))
        late = join_late(late, value.late)
        is_iterator = is_iterator or value.is_iterator
    if not shares and not late and not is_iterator:
        return NOTHING
    return Value(shares, late, None, is_iterator)


@dataclass(slots=True)
class Known:
    """What earlier cells leave behind, carried from cell to cell in notebook order."""

    names: set[str] = field(default_factory=set)
    modules: dict[str, str] = field(default_factory=dict)
    late: dict[str, tuple[LateFlow, ...]] = field(default_factory=dict)
    iterators: set[str] = field(default_factory=set)
    sharing: Sharing = field(default_factory=Sharing)
    has_lazy_annotations: bool = False


@dataclass(slots=True)
class Found:
    """Sets gathered while a cell or a function body is walked."""

    reads: set[str] = field(default_factory=set)
    late_reads: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    mutates: set[str] = field(default_factory=set)
    may_mutate: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    opaque: list[Opaque] = field(default_factory=list)
    functions: dict[str, LateFlow] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)

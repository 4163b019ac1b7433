"""What plain arithmetic makes of a metric at once: a root, a percentage, the other sign."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from types import FrameType

from mlops_nb.autolog.callsites import Site, find_site
from mlops_nb.autolog.naming import find_receiver, keeps_value, name_from, name_metric
from mlops_nb.autolog.resultnames import is_result_name

_OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_ROOTS = {"np.sqrt", "numpy.sqrt", "math.sqrt", "sqrt"}
_DEEPEST = 3
_MOST_KNOWN = 512

Step = Callable[[float], float]
# Of call sites that were asked for before; the number of one that is gone may be another's.
_known: dict[int, tuple[Site, tuple[Step, ...], str | None, bool]] = {}


def derive_metric(
    site: Site | None, frame: FrameType, value: float, depth: int = 0
) -> tuple[str, float] | None:
    """Compute what the user's expression makes of a metric, and name it.

    Parameters
    ----------
    site
        The call that gave the metric.
    frame
        The user's frame.
    value
        What it gave.
    depth
        How many functions of the user have already returned it on.

    Returns
    -------
    tuple or None
        For example ``("rmse", 0.5)`` of ``scores["rmse"] = mean_squared_error(y, p) ** 0.5`` where
        that gave 0.25; None where the value is kept as it is, where something else than numbers
        that stand there changes it, or where nothing names what comes out.
    """
    if site is None:
        return None
    _, steps, name, is_returned = _read_known(site)
    try:
        for step in steps:
            value = step(value)
    except ArithmeticError:
        return None
    if not isinstance(value, float) or not (steps or is_returned):
        return None
    if not is_returned:
        return None if name is None else (name, value)
    above = find_receiver(frame)
    if depth >= _DEEPEST or above is None:
        return None
    outer = find_site(above)
    name = name_metric(outer, above, "", depth + 1) if steps else ""
    found = (name, value) if name else derive_metric(outer, above, value, depth + 1)
    function = frame.f_code.co_name
    return (function, value) if found is None and steps and is_result_name(function) else found


def is_kept(site: Site | None) -> bool:
    """Tell whether the value of a call is kept as it is, whatever it may be.

    Parameters
    ----------
    site
        The call that gives a metric.

    Returns
    -------
    bool
        False where something is made of it, or its function returns it.
    """
    if site is None:
        return True
    _, steps, _, is_returned = _read_known(site)
    return not steps and not is_returned


def _read_known(site: Site) -> tuple[Site, tuple[Step, ...], str | None, bool]:
    known = _known.get(id(site))
    if known is None or known[0] is not site:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        known = _known[id(site)] = (site, *_read(site))
    return known


def _read(site: Site) -> tuple[tuple[Step, ...], str | None, bool]:
    """Give what is done to the value, what the result is called, and whether it is returned."""
    node: ast.AST = site.call
    steps: list[Step] = []
    for parent in site.parents():
        if not keeps_value(parent, node):
            step = _read_step(parent, node)
            if step is None:
                if isinstance(parent, ast.Return):
                    return tuple(steps), None, True
                return tuple(steps), name_from(parent, node, site), False
            steps.append(step)
        node = parent
    return tuple(steps), None, False


def _read_step(parent: ast.AST, node: ast.AST) -> Step | None:
    if isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.USub):
        return operator.neg
    if isinstance(parent, ast.Call) and parent.args[:1] == [node] and len(parent.args) == 1:
        return math.sqrt if ast.unparse(parent.func) in _ROOTS else None
    if not isinstance(parent, ast.BinOp):
        return None
    do = _OPERATIONS.get(type(parent.op))
    other = parent.right if parent.left is node else parent.left
    if (
        do is None
        or not isinstance(other, ast.Constant)
        or not isinstance(other.value, int | float)
    ):
        return None
    number = float(other.value)
    if parent.left is node:
        return lambda value: do(value, number)
    return lambda value: do(number, value)

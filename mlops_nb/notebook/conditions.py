"""The expression of a tag ``when:``: read and evaluated by its own rules, never run as code."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mlops_nb.errors import InvalidValueError, MLOpsError, NotFoundError

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, other: one in other,
    ast.NotIn: lambda one, other: one not in other,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_SIGNS: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_LONGEST = 1000
_LARGEST_EXPONENT = 64
_LARGEST_NUMBER = 2**4096
_ALLOWED = (
    "literals, names of variables of earlier cells, comparisons, 'and', 'or', 'not', 'in' and "
    "arithmetic of numbers"
)


class ConditionError(ValueError):
    """An expression says more than a condition may; the text says what and at which character."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold for a step to run.

    Attributes
    ----------
    text
        The expression as written.
    names
        The variables that it asks for, sorted.
    """

    text: str
    names: tuple[str, ...] = ()

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Evaluate the condition.

        Parameters
        ----------
        values
            The variables as they are before the step: numbers, texts, truth values or None.

        Returns
        -------
        bool
            Whether the step runs.

        Raises
        ------
        NotFoundError
            A name is not among the values.
        InvalidValueError
            A value is no scalar, or the values cannot be compared or computed with.
        """
        scalars = {name: _read_scalar(self, name, values) for name in self.names}
        try:
            return bool(_evaluate(_parse(self.text), scalars))
        except MLOpsError:
            raise
        except (TypeError, ValueError, ArithmeticError) as error:
            shown = ", ".join(f"{name} = {value!r}" for name, value in scalars.items())
            expected = f"an expression that can be computed ({type(error).__name__}: {error})"
            raise InvalidValueError("condition", self.text, expected, f"Here {shown}.") from None


def read_condition(text: str) -> Condition:
    """Read an expression as a condition; nothing is evaluated.

    Parameters
    ----------
    text
        What follows ``when:``.

    Returns
    -------
    Condition
        The condition with the names that it asks for.

    Raises
    ------
    ConditionError
        The expression is no Python, or uses more than a condition may.
    """
    if len(text) > _LONGEST:
        raise ConditionError(f"it is longer than {_LONGEST} characters")
    try:
        tree = _parse(text)
    except SyntaxError as error:
        where = f" at character {error.offset}" if error.offset else ""
        raise ConditionError(f"it is no expression{where} ({error.msg})") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise ConditionError(f"it is no expression ({error})") from None
    names: set[str] = set()
    _check(tree, text, names)
    return Condition(text, tuple(sorted(names)))


@lru_cache(maxsize=256)
def _parse(text: str) -> ast.expr:
    return ast.parse(text.strip(), mode="eval").body


def _check(node: ast.expr, text: str, names: set[str]) -> None:
    """Refuse everything that could run code or take long."""
    inner: list[ast.expr] = []
    is_fine = True
    if isinstance(node, ast.Name):
        names.add(node.id)
    elif isinstance(node, ast.Constant):
        is_fine = node.value is not Ellipsis and not isinstance(node.value, bytes | complex)
    elif isinstance(node, ast.BoolOp):
        inner = node.values
    elif isinstance(node, ast.Compare):
        inner = [node.left, *node.comparators]
        for kind, operand in zip(node.ops, node.comparators, strict=True):
            if isinstance(kind, ast.Is | ast.IsNot):  # identity of anything else means nothing
                is_fine = is_fine and isinstance(operand, ast.Constant) and operand.value is None
    elif isinstance(node, ast.UnaryOp) and type(node.op) in _SIGNS:
        inner = [node.operand]
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        inner = [node.left, node.right]
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        inner = node.elts
    else:
        is_fine = False
    if not is_fine:
        shown = ast.get_source_segment(text.strip(), node) or ast.unparse(node)
        place = len(text) - len(text.lstrip()) + node.col_offset + 1
        raise ConditionError(f"{shown!r} at character {place} may not stand there")
    for item in inner:
        _check(item, text, names)


def describe_allowed() -> str:
    """Say what a condition may hold.

    Returns
    -------
    str
        A sentence for hints.
    """
    return f"A condition may hold {_ALLOWED}."


def _read_scalar(condition: Condition, name: str, values: Mapping[str, Any]) -> Any:
    """Give the plain value of a variable, refusing what is no scalar."""
    if name not in values:
        raise NotFoundError("variable", name, values, f"The condition is: {condition.text}")
    value = values[name]
    if type(value).__module__.partition(".")[0] in ("numpy", "torch", "pandas"):
        is_single = getattr(value, "shape", None) in ((), None) and hasattr(value, "item")
        value = value.item() if is_single else value
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, str):  # a text that says more of itself, such as a choice or a secret
        return str(value)
    expected = "a number, a text, True, False or None"
    raise InvalidValueError(f"{name!r} in the condition {condition.text!r}", value, expected)


def _evaluate(node: ast.expr, values: Mapping[str, Any]) -> Any:
    """Evaluate what :func:`_check` let through, in Python's order and with its short cuts."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.BoolOp):
        is_and = isinstance(node.op, ast.And)
        result: Any = is_and
        for item in node.values:
            result = _evaluate(item, values)
            if bool(result) != is_and:
                break
        return result
    if isinstance(node, ast.Compare):
        return _compare(node, values)
    if isinstance(node, ast.UnaryOp):
        return _SIGNS[type(node.op)](_evaluate(node.operand, values))
    if isinstance(node, ast.BinOp):
        return _compute(node, values)
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return tuple(_evaluate(item, values) for item in node.elts)
    raise ConditionError(f"{ast.unparse(node)!r} may not stand there")


def _compare(node: ast.Compare, values: Mapping[str, Any]) -> bool:
    """Compare in a chain."""
    left = _evaluate(node.left, values)
    for kind, item in zip(node.ops, node.comparators, strict=True):
        right = _evaluate(item, values)
        if not _COMPARISONS[type(kind)](left, right):
            return False
        left = right
    return True


def _compute(node: ast.BinOp, values: Mapping[str, Any]) -> Any:
    """Compute with numbers, within bounds: a plan must not take minutes on 9**9**9."""
    left, right = _evaluate(node.left, values), _evaluate(node.right, values)
    for value in (left, right):
        if type(value) not in (bool, int, float):
            raise TypeError(f"arithmetic with {value!r}")
        if isinstance(value, int) and abs(value) > _LARGEST_NUMBER:
            raise OverflowError("a number is too large")
    if isinstance(node.op, ast.Pow) and abs(right) > _LARGEST_EXPONENT:
        raise OverflowError("an exponent is too large")
    result = _ARITHMETIC[type(node.op)](left, right)
    if type(result) is complex:
        raise ArithmeticError("the root of a negative number")
    return result

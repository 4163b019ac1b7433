"""Values that stand in source: read without running anything, written so that they come back."""

from __future__ import annotations

import ast
import datetime
import decimal
import math
import operator
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

from mlops_nb.notebook.secrets import PREFIX, Secret

_OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_SIGNS: dict[type[ast.AST], Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos}
_ENVIRON = "__import__('os').environ"
_LARGEST_EXPONENT = 4096
_LONGEST_DECIMAL = 4000  # Python refuses to print longer integers in decimal


class NotLiteralError(ValueError):
    """An expression has no value without running code; ``node`` is the part that needs it."""

    def __init__(self, node: ast.AST) -> None:
        self.node = node
        super().__init__(f"not a literal: {ast.unparse(node)}")


class SourceText(str):
    """A value that is written as this very source, for it has no literal of its own."""

    __slots__ = ()


def read_literal(node: ast.expr) -> Any:
    """Give the value of an expression that needs no name of the notebook.

    Parameters
    ----------
    node
        Constants, containers of them, arithmetic of numbers, ``float("nan")``, ``Path("...")``,
        ``Decimal("...")``, ``date(...)`` and ``datetime(...)``; a secret as we write it.

    Returns
    -------
    Any
        The value that Python would give.

    Raises
    ------
    NotLiteralError
        Where the expression needs more than that.
    """
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        items = [read_literal(item) for item in node.elts]
        return _build(node, {ast.List: list, ast.Tuple: tuple, ast.Set: set}[type(node)], items)
    if isinstance(node, ast.Dict):
        if None in node.keys:
            raise NotLiteralError(node)
        keys = [read_literal(key) for key in node.keys if key is not None]
        return _build(node, dict, zip(keys, map(read_literal, node.values), strict=True))
    if isinstance(node, ast.UnaryOp) and type(node.op) in _SIGNS:
        return _SIGNS[type(node.op)](_read_number(node.operand))
    if isinstance(node, ast.BinOp):
        return _read_arithmetic(node)
    if isinstance(node, ast.Call):
        return _read_call(node)
    return _read_named(node)


def _read_named(node: ast.expr) -> Any:
    """Read a number that the math module names, or a secret."""
    text = ast.unparse(node)
    if text in ("math.inf", "math.nan"):
        return math.inf if text == "math.inf" else math.nan
    is_item = isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
    if is_item and text.startswith(f"{_ENVIRON}["):
        return Secret(f"{PREFIX}{ast.literal_eval(text.removeprefix(_ENVIRON))[0]}")
    raise NotLiteralError(node)


def _build(node: ast.AST, kind: Callable[[Any], Any], items: Any) -> Any:
    """Build a container, treating unhashable items as no literal."""
    try:
        return kind(items)
    except TypeError:
        raise NotLiteralError(node) from None


def _read_number(node: ast.expr) -> Any:
    """Read a literal that must be a number."""
    value = read_literal(node)
    if isinstance(value, bool) or not isinstance(value, int | float | complex):
        raise NotLiteralError(node)
    return value


def _read_arithmetic(node: ast.BinOp) -> Any:
    """Compute arithmetic of numbers, within bounds."""
    left, right = _read_number(node.left), _read_number(node.right)
    if type(node.op) not in _OPERATORS:
        raise NotLiteralError(node)
    if isinstance(node.op, ast.Pow) and max(abs(left), abs(right)) > _LARGEST_EXPONENT:
        raise NotLiteralError(node)  # a planner must not spend minutes on 9**9**9
    try:
        return _OPERATORS[type(node.op)](left, right)
    except (ArithmeticError, ValueError, TypeError):
        raise NotLiteralError(node) from None


def _find_constructor(node: ast.expr) -> Callable[..., Any] | None:
    """Find which of the known constructors a call names."""
    name = ast.unparse(node)
    for module in ("pathlib", "datetime", "decimal"):
        name = name.replace(f"__import__('{module}').", f"{module}.")
    return _CONSTRUCTORS.get(name)


_CONSTRUCTORS: dict[str, Callable[..., Any]] = {
    "float": float,
    "set": set,
    "frozenset": frozenset,
    "Path": Path,
    "pathlib.Path": Path,
    "Decimal": decimal.Decimal,
    "decimal.Decimal": decimal.Decimal,
    "date": datetime.date,
    "datetime.date": datetime.date,
    "date.fromisoformat": datetime.date.fromisoformat,
    "datetime.date.fromisoformat": datetime.date.fromisoformat,
    "datetime": datetime.datetime,
    "datetime.datetime": datetime.datetime,
    "datetime.fromisoformat": datetime.datetime.fromisoformat,
    "datetime.datetime.fromisoformat": datetime.datetime.fromisoformat,
}


def _read_call(node: ast.Call) -> Any:
    """Read a call of one of the known constructors."""
    constructor = _find_constructor(node.func)
    if constructor is None or any(isinstance(item, ast.Starred) for item in node.args):
        raise NotLiteralError(node)
    arguments = [read_literal(item) for item in node.args]
    named = {item.arg: read_literal(item.value) for item in node.keywords if item.arg is not None}
    if len(named) != len(node.keywords):
        raise NotLiteralError(node)
    try:
        return constructor(*arguments, **named)
    except (TypeError, ValueError, ArithmeticError):
        raise NotLiteralError(node) from None


class UnwritableError(TypeError):
    """A value has no source text that gives it back; ``value`` is the part that has none."""

    def __init__(self, value: object) -> None:
        self.value = value
        super().__init__(f"{type(value).__name__} cannot be written as source")


def write_literal(value: Any) -> str:
    """Give source text that evaluates to exactly this value in any namespace.

    Parameters
    ----------
    value
        Numbers, texts, None, containers of them, paths, dates and times without zone. A secret is
        written as a look-up in the environment, a member of an Enum by its name.

    Returns
    -------
    str
        One line of Python.

    Raises
    ------
    UnwritableError
        Where the value is of another type.
    """
    kind = type(value)
    if value is None or value is Ellipsis or kind in (bool, str, bytes):
        return repr(value)
    if isinstance(value, Secret | SourceText):
        return str(value) if isinstance(value, SourceText) else f"{_ENVIRON}[{value.variable!r}]"
    if kind in (int, float, complex, decimal.Decimal):
        return _write_number(value)
    if isinstance(value, PurePath):
        return f"__import__('pathlib').Path({str(value)!r})"
    if kind in (datetime.date, datetime.datetime):
        if kind is datetime.datetime and value.tzinfo is not None:
            raise UnwritableError(value)
        return f"__import__('datetime').{repr(value).removeprefix('datetime.')}"
    return _write_container(value)


def _write_number(value: Any) -> str:
    """Write a number of any kind."""
    if isinstance(value, int):
        return repr(value) if value.bit_length() < 3 * _LONGEST_DECIMAL else hex(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
    if isinstance(value, decimal.Decimal):
        return f"__import__('decimal').Decimal({str(value)!r})"
    return _write_complex(value)


def _write_complex(value: complex) -> str:
    """Write a complex number; signs of zero do not survive arithmetic, so those are refused."""
    text = repr(value)
    if not (math.isfinite(value.real) and math.isfinite(value.imag)):
        raise UnwritableError(value)
    if str(read_literal(ast.parse(text, mode="eval").body)) != str(value):
        raise UnwritableError(value)
    return text


def _write_container(value: Any) -> str:
    """Write a list, tuple, set or dict."""
    kind = type(value)
    if kind is dict:
        pairs = (f"{write_literal(key)}: {write_literal(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if kind in (set, frozenset):
        items = ", ".join(sorted(map(write_literal, value)))
        if kind is frozenset:
            return f"frozenset({{{items}}})" if items else "frozenset()"
        return f"{{{items}}}" if items else "set()"
    if kind is list:
        return "[" + ", ".join(map(write_literal, value)) + "]"
    if kind is tuple:
        items = ", ".join(map(write_literal, value))
        return f"({items},)" if len(value) == 1 else f"({items})"
    raise UnwritableError(value)

"""Parameter values brought to the declared type, or refused; never quietly another type."""

from __future__ import annotations

import ast
import datetime
import decimal
import json
import re
import types
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

from mlops_nb.notebook.literals import NotLiteralError, read_literal


class MismatchError(ValueError):
    """A value is not of the declared type; the text says what was expected."""


_TRUE, _FALSE = ("true", "yes", "on", "1", "y", "t"), ("false", "no", "off", "0", "n", "f")
_INT = re.compile(r"[+-]?(\d(_?\d)*|0[xX][0-9a-fA-F]+)")
_CONTAINERS = {"list": list, "dict": dict, "tuple": tuple, "set": set, "frozenset": frozenset}
_ANY = ("Any", "object")


def convert(value: Any, annotation: str | None, default: Any) -> Any:
    """Bring a value to the type that a parameter declares.

    Parameters
    ----------
    value
        Text as from a command line, or a typed value.
    annotation
        The declared type as source; where it is missing or unknown, the default's type counts.
    default
        The declared default.

    Returns
    -------
    Any
        A value of the declared type.

    Raises
    ------
    MismatchError
        Where the value has no exact form of that type.
    """
    plain = _strip_numpy(value)
    if annotation is not None:
        try:
            node = ast.parse(annotation, mode="eval").body
        except SyntaxError:
            node = None
        if node is not None and _is_known(node):
            return _convert_to(plain, node)
    return _convert_like(plain, default)


def _strip_numpy(value: Any) -> Any:
    """Give the Python number behind a numpy scalar."""
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        return value.item()
    return value


def _convert_like(value: Any, default: Any) -> Any:
    """Bring a value to the type of the default."""
    if default is None:
        return _read_any(value)
    if isinstance(default, PurePath):
        return _to_path(value)
    if isinstance(default, str):
        return _to_str(value)
    name = type(default).__name__
    if isinstance(default, dict) and default:
        keys = {type(key).__name__ for key in default}
        if len(keys) == 1:
            name = f"dict[{keys.pop()}, Any]"
    return _convert_to(value, ast.parse(name, mode="eval").body)


def _last_name(node: ast.expr) -> str:
    """Give ``Optional`` for ``typing.Optional`` and so on."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _split(node: ast.expr) -> tuple[str, list[ast.expr]]:
    """Give the name and the arguments of a type."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):  # quoted annotation
        return _split(ast.parse(node.value, mode="eval").body)
    if isinstance(node, ast.Constant) and node.value is None:
        return "None", []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return "Union", [*_members(node.left), *_members(node.right)]
    if isinstance(node, ast.Subscript):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        name = _last_name(node.value)
        if name == "Optional":
            return "Union", [*inner, ast.Constant(None)]
        return _fold(name), list(inner)
    return _fold(_last_name(node)), []


def _members(node: ast.expr) -> list[ast.expr]:
    """Flatten ``A | B | C``."""
    name, inner = _split(node)
    return inner if name == "Union" else [node]


def _fold(name: str) -> str:
    """Give ``list`` for ``List``, ``Sequence`` and the like."""
    folded = {"List": "list", "Dict": "dict", "Tuple": "tuple", "Set": "set", "NoneType": "None"}
    folded |= {"Sequence": "list", "Iterable": "list", "Mapping": "dict", "FrozenSet": "frozenset"}
    folded |= {"PosixPath": "Path", "WindowsPath": "Path", "PurePath": "Path"}
    return folded.get(name, name)


def _is_known(node: ast.expr) -> bool:
    """Tell whether a type is one that text can be brought to."""
    try:
        name, inner = _split(node)
    except SyntaxError:
        return False
    if name in ("Union", *_CONTAINERS):
        return all(_is_known(item) or _is_ellipsis(item) for item in inner)
    return name in _SIMPLE or name in (*_ANY, "Literal", "None")


def _is_ellipsis(node: ast.expr) -> bool:
    """Tell ``...`` in ``tuple[int, ...]``."""
    return isinstance(node, ast.Constant) and node.value is Ellipsis


def _convert_to(value: Any, node: ast.expr) -> Any:
    """Bring a value to a type given as an expression."""
    name, inner = _split(node)
    if name == "Union":
        return _to_union(value, inner)
    if name == "Literal":
        return _to_choice(value, inner)
    if name in _CONTAINERS:
        return _to_container(value, name, inner)
    if name in _ANY:
        return _read_any(value)
    if name == "None":
        if value is None or (isinstance(value, str) and value in ("None", "none", "null")):
            return None
        raise MismatchError("None")
    return _SIMPLE[name](value)


def _to_union(value: Any, members: list[ast.expr]) -> Any:
    """Take the first member that fits; text fits ``str`` only when nothing else fits."""
    ordered = sorted(members, key=lambda member: _split(member)[0] == "str")
    if not isinstance(value, str):  # 1 stays an int in 'float | int'
        exact = [member for member in members if _split(member)[0] == type(value).__name__]
        ordered = exact + ordered
    ordered.sort(key=lambda member: _split(member)[0] != "None")
    for member in ordered:
        try:
            return _convert_to(value, member)
        except MismatchError:
            continue
    raise MismatchError(" or ".join(ast.unparse(member) for member in members))


def _to_choice(value: Any, options: list[ast.expr]) -> Any:
    """Take the option that equals the value, or whose text it is."""
    known = [ast.literal_eval(option) for option in options]
    for option in known:
        if type(option) is type(value) and option == value:
            return option
    for option in known:
        if isinstance(value, str) and not isinstance(option, str) and str(option) == value:
            return option
    raise MismatchError("one of " + ", ".join(map(repr, known)))


def _to_container(value: Any, name: str, inner: list[ast.expr]) -> Any:
    """Bring a value to a list, tuple, set or dict and its items to their types."""
    kind: Callable[[Any], Any] = _CONTAINERS[name]
    if isinstance(value, str):
        value = _read_container(value, name)
    fits = isinstance(value, dict) if name == "dict" else isinstance(value, list | tuple)
    if not (fits or type(value) is kind):
        raise MismatchError(f"a {name}")
    if name == "dict":
        key_type = inner[0] if inner else ast.Name("str")
        item_type = inner[1] if len(inner) > 1 else ast.Name("Any")
        return {
            _convert_item(key, key_type, "key"): _convert_item(item, item_type, "value")
            for key, item in value.items()
        }
    types_ = [item for item in inner if not _is_ellipsis(item)]
    if name == "tuple" and types_ and len(types_) == len(inner):
        if len(types_) != len(value):
            raise MismatchError(f"a tuple of {len(types_)} values")
        return tuple(_convert_item(v, t, "item") for v, t in zip(value, types_, strict=True))
    item_type = types_[0] if types_ else ast.Name("Any")
    try:
        return kind(_convert_item(item, item_type, "item") for item in value)
    except TypeError:
        raise MismatchError(f"a {name} of hashable values") from None


def _convert_item(value: Any, node: ast.expr, what: str) -> Any:
    """Convert within a container: typed values stay typed, text is not read as something else."""
    value = _strip_numpy(value)
    name = _split(node)[0]
    if name in _ANY:
        return value
    if isinstance(value, str) and name in ("int", "float", "bool", "None"):
        raise MismatchError(f"every {what} to be {ast.unparse(node)}")
    try:
        return _convert_to(value, node)
    except MismatchError:
        raise MismatchError(f"every {what} to be {ast.unparse(node)}") from None


def _read_container(text: str, name: str) -> Any:
    """Read a container from text: a Python literal, else JSON."""
    try:
        return read_literal(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, NotLiteralError, ValueError, RecursionError, MemoryError):
        pass
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        example = '{"a": 1}' if name == "dict" else "[1, 2]"
        raise MismatchError(f"a {name} such as {example}") from None


def _read_any(value: Any) -> Any:
    """Read text as the literal that it is, else keep it as text."""
    if not isinstance(value, str):
        return value
    try:
        return read_literal(ast.parse(value.strip(), mode="eval").body)
    except (SyntaxError, NotLiteralError, ValueError, RecursionError, MemoryError):
        return value


def _to_int(value: Any) -> int:
    """Read an integer; 1.0, True and '1e5' are none."""
    if type(value) is int:
        return value
    if isinstance(value, str) and _INT.fullmatch(value.strip()):
        text = value.strip()
        return int(text, 16) if "x" in text.casefold() else int(text)
    raise MismatchError("an int")


def _to_float(value: Any) -> float:
    """Read a float; integers that a float holds exactly are welcome."""
    if type(value) is float:
        return value
    if type(value) is int and abs(value) < 2**1000 and int(float(value)) == value:
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            pass
    raise MismatchError("a float")


def _to_bool(value: Any) -> bool:
    """Read a truth value; only text may spell it otherwise than True and False."""
    if type(value) is bool:
        return value
    if isinstance(value, str) and value.strip().casefold() in (*_TRUE, *_FALSE):
        return value.strip().casefold() in _TRUE
    raise MismatchError("a bool (true or false)")


def _to_str(value: Any) -> str:
    """Take text as it is."""
    if type(value) is str:
        return value
    raise MismatchError("a str")


def _to_path(value: Any) -> Path:
    """Take text or a path as a path."""
    if type(value) is str or isinstance(value, PurePath):
        return Path(value)
    raise MismatchError("a path")


def _to_date(value: Any) -> datetime.date:
    """Read a date as ISO 8601."""
    if type(value) is datetime.date:
        return value
    if isinstance(value, str):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            pass
    raise MismatchError("a date such as 2026-01-31")


def _to_datetime(value: Any) -> datetime.datetime:
    """Read a date with time as ISO 8601."""
    if type(value) is datetime.datetime:
        return value
    if isinstance(value, str):
        try:
            return datetime.datetime.fromisoformat(value)
        except ValueError:
            pass
    raise MismatchError("a date and time such as 2026-01-31T09:30")


def _to_decimal(value: Any) -> decimal.Decimal:
    """Read a decimal number; floats have digits that nobody wrote."""
    if type(value) is decimal.Decimal or type(value) is int:
        return decimal.Decimal(value)
    if isinstance(value, str):
        try:
            return decimal.Decimal(value.strip())
        except ArithmeticError:
            pass
    raise MismatchError("a decimal number as text, such as '0.10'")


def _to_typed(kind: type) -> Callable[[Any], Any]:
    """Build a reader for types that text can only give as a literal."""

    def read(value: Any) -> Any:
        plain = _read_any(value)
        if type(plain) is kind:
            return plain
        raise MismatchError(f"a {kind.__name__} literal")

    return read


_SIMPLE: types.MappingProxyType[str, Callable[[Any], Any]] = types.MappingProxyType(
    {
        "int": _to_int,
        "float": _to_float,
        "bool": _to_bool,
        "str": _to_str,
        "Path": _to_path,
        "date": _to_date,
        "datetime": _to_datetime,
        "Decimal": _to_decimal,
        "bytes": _to_typed(bytes),
        "complex": _to_typed(complex),
    }
)

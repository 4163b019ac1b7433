"""Request bodies as rows in the order of the signature; what is wrong is named by its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mlops_nb.errors import RequestError, near_misses
from mlops_nb.records import Signature

MAX_ROWS = 10_000
"""Rows in one request; more belong into several requests."""
_FORMS = ("inputs", "dataframe_split", "dataframe_records")
_HINT = 'Send {"inputs": [[1.0, 2.0]]} or {"inputs": [{"column": 1.0}]}; GET / shows an example.'
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a request.

    Attributes
    ----------
    rows
        One list per row, in the order of the signature's inputs; values are JSON types.
    locate
        Gives the place of a row's value in the request, for messages.
    fault
        Why the body is not strict JSON, where a looser reader could still make sense of it.
    """

    rows: list[Any]
    locate: Callable[[int, int], str]
    fault: RequestError | None = None


def show_value(value: Any) -> str:
    """Give a value for a message: as JSON says it, short, and never a whole payload.

    Parameters
    ----------
    value
        Any JSON value.

    Returns
    -------
    str
        At most about 50 characters, printable.
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, int) and value.bit_length() > 128:
        return "an integer of very many digits"
    text = repr(value)
    return text if len(text) <= 40 else text[:36] + "..." + text[:1]


def decode_rows(body: bytes, signature: Signature) -> Rows:
    """Read the body of a request.

    Parameters
    ----------
    body
        The bytes as they came.
    signature
        What the model takes.

    Returns
    -------
    Rows
        Every row has one value per input of the signature; types are not checked here.

    Raises
    ------
    RequestError
        The body is not JSON, has another form, or has missing or unknown columns.
    """
    document, fault = _decode(body)
    if not isinstance(document, dict):
        raise RequestError("", f"the body is {show_value(document)}, expected an object", _HINT)
    given = [key for key in document if key in _FORMS]
    unknown = [key for key in document if key not in _FORMS]
    if unknown:
        raise RequestError("", f"unknown key {show_value(unknown[0])}, expected 'inputs'", _HINT)
    if len(given) != 1:
        found = f"has {' and '.join(map(repr, given))}" if given else "is empty"
        raise RequestError("", f"the body {found}, expected 'inputs'", _HINT)
    names = [field.name for field in signature.inputs]
    form = given[0]
    if form == "dataframe_split":
        rows = _read_split(document[form], names, signature.named)
        where: Callable[[int, int], str] = _locate_position("dataframe_split.data", names)
    else:
        rows = _check_list(document[form], form)
        rows, where = _read_rows(rows, names, form, signature.inputs[0].dtype == "text")
    return Rows(rows, where, fault)


def _decode(body: bytes) -> tuple[Any, RequestError | None]:
    import msgspec

    if not body:
        raise RequestError("", "the body is empty", _HINT)
    try:
        document = msgspec.json.decode(body)
    except RecursionError:
        raise RequestError("", "the body is nested too deeply", _HINT) from None
    except UnicodeDecodeError:
        raise RequestError("", "the body is not UTF-8", _HINT) from None
    except msgspec.DecodeError as error:
        fault = RequestError("", f"the body is not JSON ({error})", _HINT)
        return _decode_loosely(body, fault), fault
    colons = _STRINGS.sub(b"", body).count(b":")
    if not isinstance(document, dict):
        return document, None  # refused for its form
    if len(document) != colons and _count_keys(document) != colons:
        _refuse_twins(body)
    return document, None


def _decode_loosely(body: bytes, fault: RequestError) -> Any:
    """Read NaN, Infinity and numbers out of range, so that the message can name their field."""
    try:
        return json.loads(body.decode("utf-8"))
    except RecursionError:
        raise RequestError("", "the body is nested too deeply", _HINT) from None
    except ValueError:  # not JSON or not UTF-8 either way, or an integer of thousands of digits
        raise fault from None


def _count_keys(document: Any) -> int:
    """Count the keys of all objects; depth is bounded by the decoder."""
    inside = document.values() if isinstance(document, dict) else document
    found = len(document) if isinstance(document, dict) else 0
    for each in inside:
        if type(each) is dict or type(each) is list:
            found += _count_keys(each)
    return found


def _refuse_twins(body: bytes) -> None:
    """Name a key that stands twice in one object; decoders would silently take the last."""

    def check(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen:
                raise RequestError("", f"the key {show_value(key)} stands twice in one object")
            seen[key] = value
        return seen

    json.loads(body, object_pairs_hook=check)


def _check_list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise RequestError(path, f"expected a list of rows, got {show_value(value)}", _HINT)
    if not value:
        raise RequestError(path, "has no rows", _HINT)
    if len(value) > MAX_ROWS:
        hint = "Send several requests."
        raise RequestError(path, f"has {len(value)} rows, at most {MAX_ROWS} are taken", hint)
    return value


def _locate_position(path: str, names: list[str]) -> Callable[[int, int], str]:
    return lambda row, column: f"{path}[{row}][{column}] ({names[column]})"


def _read_rows(
    rows: list[Any], names: list[str], path: str, texts: bool
) -> tuple[list[Any], Callable[[int, int], str]]:
    kinds = set(map(type, rows))
    if texts and not kinds & {list, dict}:
        return [[value] for value in rows], lambda row, _: f"{path}[{row}]"
    if kinds == {list}:
        _check_widths(rows, names, path)
        return rows, _locate_position(path, names)
    if kinds == {dict}:
        ordered = [_order_record(row, names, f"{path}[{i}]") for i, row in enumerate(rows)]
        return ordered, lambda row, column: f"{path}[{row}].{names[column]}"
    first = dict if isinstance(rows[0], dict) else list
    odd = next(i for i, row in enumerate(rows) if type(row) is not first)
    expected = "an object" if first is dict else "a list of values"
    raise RequestError(f"{path}[{odd}]", f"expected {expected}, got {show_value(rows[odd])}", _HINT)


def _check_widths(rows: list[list[Any]], names: list[str], path: str) -> None:
    width = len(names)
    for i, row in enumerate(rows):
        if type(row) is not list:
            raise RequestError(f"{path}[{i}]", f"expected a list, got {show_value(row)}", _HINT)
        if len(row) != width:
            last = f": {names[0]!r} to {names[-1]!r}" if width > 1 else f": {names[0]!r}"
            raise RequestError(f"{path}[{i}]", f"has {len(row)} values, expected {width}{last}")


def _order_record(record: dict[str, Any], names: list[str], path: str) -> list[Any]:
    if len(record) == len(names):
        try:
            return [record[name] for name in names]
        except KeyError:
            pass  # named below
    unknown = [key for key in record if key not in names]
    missing = [name for name in names if name not in record]
    _refuse_columns(unknown, missing, names, path)
    return []  # not reached: lengths differ, so one of the two is not empty


def _refuse_columns(unknown: list[Any], missing: list[str], names: list[str], path: str) -> None:
    if unknown:
        near = near_misses(str(unknown[0]), missing or names)
        hint = f"Did you mean {near[0]!r}?" if near else f"The model takes {len(names)} columns."
        raise RequestError(path, f"unknown column {show_value(unknown[0])}", hint)
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise RequestError(f"{path}.{missing[0]}", f"is missing{more}")


def _read_split(table: Any, names: list[str], named: bool) -> list[Any]:
    path = "dataframe_split"
    if not isinstance(table, dict):
        raise RequestError(path, f"expected an object, got {show_value(table)}", _HINT)
    unknown = [key for key in table if key not in ("columns", "data", "index")]
    if unknown:
        raise RequestError(path, f"unknown key {show_value(unknown[0])}")
    for key in ("columns", "data"):
        if key not in table:
            raise RequestError(f"{path}.{key}", "is missing")
    columns, rows = table["columns"], _check_list(table["data"], f"{path}.data")
    if not isinstance(columns, list):
        raise RequestError(f"{path}.columns", f"expected a list, got {show_value(columns)}")
    if not named and not any(isinstance(each, str) for each in columns):
        columns = names if len(columns) == len(names) else columns  # pandas numbers its columns
    unknown = [each for each in columns if each not in names]
    missing = [name for name in names if name not in columns]
    _refuse_columns(unknown, missing, names, f"{path}.columns")
    if len(columns) != len(names):
        twin = next(each for each in columns if columns.count(each) > 1)
        raise RequestError(f"{path}.columns", f"column {show_value(twin)} stands twice")
    _check_widths(rows, columns, f"{path}.data")
    if columns == names:
        return rows
    order = [columns.index(name) for name in names]
    return [[row[i] for i in order] for row in rows]

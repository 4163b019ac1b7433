"""What a browser sends to have something changed: checked before any verb sees it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mlops_nb.errors import InvalidValueError

# Names, tags and reasons: what a person typed is never longer.
_MAX_BODY = 200_000
_WHOLE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Changes(dict[str, Any]):
    """Stands for a field of texts by name, of which a null takes one away."""


_WORDS: dict[type, str] = {
    Changes: "an object of texts and nulls",
    str: "text",
    int: "a whole number",
    bool: "true or false",
    list: "a list of rows",
    dict: "an object of texts",
}


def read_body(content: bytes, fields: Mapping[str, type]) -> dict[str, Any]:
    """Read the JSON object of a request.

    Parameters
    ----------
    content
        As it was sent; nothing counts as an empty object.
    fields
        The type of each field that there may be: ``str``, ``int``, ``bool``, ``dict`` for texts by
        name, ``list`` for rows whose values nobody has checked, or `Changes`.

    Returns
    -------
    dict
        The fields that were sent; a null counts as not sent.

    Raises
    ------
    InvalidValueError
        It is no such object, too long, or has a field that is unknown or of another type.
    """
    expected = "a JSON object with " + ", ".join(f"{name!r}" for name in fields)
    if len(content) > _MAX_BODY:
        raise InvalidValueError("size of the request in bytes", len(content), f"<= {_MAX_BODY}")
    try:
        found = json.loads(content or b"{}")
    except (ValueError, RecursionError) as error:
        shown = content[:80].decode(errors="replace")
        raise InvalidValueError("the request", shown, expected) from error
    if not isinstance(found, dict) or not found.keys() <= fields.keys():
        raise InvalidValueError("the request", found, expected)
    read = {name: value for name, value in found.items() if value is not None}
    for name, value in read.items():
        _check(name, value, fields[name])
    return read


def _check(name: str, value: Any, kind: type) -> None:
    is_object = kind in (dict, Changes)
    is_right = type(value) is (dict if is_object else kind)  # a bool is no whole number here
    items = [*value.values()] if is_object and is_right else []
    if kind is Changes:
        items = [item for item in items if item is not None]
    is_right = is_right and all(isinstance(item, str) for item in items)
    if not is_right:
        raise InvalidValueError(name, value, _WORDS[kind])
    # A lone surrogate is JSON, but no text that can be written.
    texts = [*value, *items] if is_object else [value] if kind is str else []
    for text in texts:
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise InvalidValueError(name, text, "text in Unicode")


def read_whole_id(run_id: str) -> str:
    """Give a run's id where it is whole: a change never guesses which run is meant.

    Parameters
    ----------
    run_id
        As it stands in the address.

    Returns
    -------
    str
        The same.

    Raises
    ------
    InvalidValueError
        It is a beginning, a name, or something else.
    """
    if not _WHOLE_ID.fullmatch(run_id):
        raise InvalidValueError("run id", run_id, "a whole run id")
    return run_id

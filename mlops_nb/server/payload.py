"""What crosses the wire: query arguments in, JSON that a browser can read out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops_nb.errors import InvalidValueError, MLOpsError
from mlops_nb.records import RunRecord

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
# A list shows beginnings; a parameter may be a whole document.
_MAX_TEXT = 300
_MOST_ARTIFACTS = 1000
# A browser has floats only: beyond, it shows another number than was logged, such as another seed.
_GREATEST_WHOLE = 2**53 - 1
# By their first bytes: a browser shows these by itself, and runs nothing in them.
_PICTURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
_LISTED = (
    "run_id",
    "name",
    "experiment",
    "status",
    "started_at",
    "ended_at",
    "duration_s",
    "params",
    "metrics",
    "tags",
    "parent_run_id",
    "notebook",
    "dropped_records",
    "progress",
)


def to_json(value: Any) -> Any:
    """Give a value as JSON types that every parser reads.

    Parameters
    ----------
    value
        What `RunRecord.to_json` and the verbs return.

    Returns
    -------
    Any
        The same, with NaN and the infinities as the words ``NaN``, ``Infinity`` and ``-Infinity``
        (JSON has no numbers for them), whole numbers that a browser would round as text, paths as
        text, and other strangers as their repr.
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _GREATEST_WHOLE else str(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [to_json(item) for item in value]
    return str(value) if isinstance(value, Path) else repr(value)


def shorten(value: Any) -> Any:
    """Cut a long text to its beginning; what is no text stays as it is."""
    if isinstance(value, str) and len(value) > _MAX_TEXT:
        return value[: _MAX_TEXT - 4] + " ..."
    return value


def write_run(run: RunRecord) -> dict[str, Any]:
    """Give a run with everything it keeps.

    Parameters
    ----------
    run
        As read back from the store.

    Returns
    -------
    dict
        The fields of `RunRecord.to_json` with ``cell_count`` and ``artifact_count``; the cells
        themselves are asked for in pages, and of very many artifacts only the first are named.
    """
    document: dict[str, Any] = to_json(run.to_json())
    document["cell_count"] = len(document.pop("cells"))
    document["artifact_count"] = len(document["artifacts"])
    document["artifacts"] = document["artifacts"][:_MOST_ARTIFACTS]
    return document


def write_listed_run(run: RunRecord) -> dict[str, Any]:
    """Give a run as it stands in a list, without cells, artifacts and data.

    Parameters
    ----------
    run
        As read back from the store.

    Returns
    -------
    dict
        Long texts among parameters and tags are cut to 300 characters.
    """
    document = run.to_json()
    listed: dict[str, Any] = {name: to_json(document[name]) for name in _LISTED}
    for name in ("params", "tags"):
        listed[name] = {
            key: shorten(value if isinstance(value, str | int | float | None) else repr(value))
            for key, value in listed[name].items()
        }
    listed["name"] = shorten(listed["name"])
    return listed


def write_error(error: MLOpsError) -> dict[str, str]:
    """Give an error as the panel shows it.

    Parameters
    ----------
    error
        Any of ours.

    Returns
    -------
    dict
        ``error`` (the class), ``message`` and ``hint``.
    """
    return {"error": type(error).__name__, "message": error.message, "hint": error.hint}


def find_picture(content: bytes) -> str | None:
    """Tell which kind of picture bytes are, whatever name they were given.

    Parameters
    ----------
    content
        The whole of a file.

    Returns
    -------
    str or None
        Its media type; None for all else, SVG with its scripts among it.
    """
    return next((kind for start, kind in _PICTURES.items() if content.startswith(start)), None)


def find_path(root: Path, place: str | None) -> str | None:
    """Give the path that the front end knows of a file that a record names.

    Parameters
    ----------
    root
        The folder that the server serves.
    place
        Where the file lay, if anything is known.

    Returns
    -------
    str or None
        Relative to `root`; None where it lies elsewhere, or is gone.
    """
    try:
        path = Path(place or "")
        if ".." in path.parts or not path.is_relative_to(root) or not path.is_file():
            return None
    except (OSError, ValueError):  # a record from elsewhere may hold any text
        return None
    return path.relative_to(root).as_posix()


def read_number(name: str, text: str, least: int, most: int) -> int:
    """Read a whole number from a query argument.

    Parameters
    ----------
    name
        Of the argument, for the error.
    text
        As it was sent.
    least, most
        Limits, both included.

    Returns
    -------
    int
        The number.

    Raises
    ------
    InvalidValueError
        It is no whole number within the limits.
    """
    expected = f"a whole number from {least} to {most}"
    # int() also reads '1_000', ' 7 ' and other scripts' digits.
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise InvalidValueError(name, text, expected)
    number = int(text)
    if not least <= number <= most:
        raise InvalidValueError(name, number, expected)
    return number


def locate_notebook(root: Path, path: str) -> Path:
    """Find where a notebook lies from the path that the front end knows.

    Parameters
    ----------
    root
        The folder that the server serves.
    path
        Relative to `root`, with ``/`` between the parts.

    Returns
    -------
    Path
        The notebook's place; it need not exist, as it may have been moved meanwhile.

    Raises
    ------
    InvalidValueError
        The path leads out of `root`.
    """
    place = root.joinpath(*path.strip("/").split("/"))
    # A drive letter or a backslash may lead away on Windows where no part is "..".
    inside = place.parts[len(root.parts) :] if place.is_relative_to(root) else ()
    if not inside or ".." in inside or "\0" in path:
        raise InvalidValueError("notebook", path, "a path below the server's root folder")
    return place

"""What users log, as the types that are kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from mlops_nb.errors import InvalidValueError

LONGEST_KEY = 250
_JOINERS = dict.fromkeys((0x200C, 0x200D), "")
LONGEST_TEXT = 1_000_000
_STEP_LIMIT = 2**63


def is_readable(text: str) -> bool:
    """Tell whether a text has no control characters, line breaks or turns of direction.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    bool
        The two joiners are readable: Persian and the scripts of India need them within words.
    """
    return text.isprintable() or text.translate(_JOINERS).isprintable()


def check_key(what: str, key: object) -> str:
    """Give a key, checked.

    Parameters
    ----------
    what
        What the key names: ``metric``, ``param`` or ``tag``.
    key
        As given by the user.

    Returns
    -------
    str
        The key.

    Raises
    ------
    InvalidValueError
        It is no text, empty, too long, or has control characters.
    """
    if isinstance(key, str) and 0 < len(key) <= LONGEST_KEY and is_readable(key) and key.strip():
        return key
    raise InvalidValueError(f"{what} name", key, f"printable text of 1 to {LONGEST_KEY} characters")


def read_metric(key: str, value: object) -> float:
    """Give a metric's value as a float.

    Parameters
    ----------
    key
        The metric, for the message.
    value
        Any real scalar: Python's, numpy's, or a tensor or array of one element.

    Returns
    -------
    float
        NaN and infinities are kept; an integer too large for a float becomes an infinity.

    Raises
    ------
    InvalidValueError
        It is no number.
    """
    if isinstance(value, (str, bytes)) or value is None:
        raise InvalidValueError(f"metric {key!r}", value, "a number")
    try:
        # numpy 2 gives no float of an array with axes; torch warns of a loss with its gradient
        item = getattr(value, "item", None) if hasattr(value, "shape") else None
        return float(value if item is None else item())  # type: ignore[arg-type]
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]
    except (TypeError, ValueError, RuntimeError):
        expected = "a number or an array of one element"
        raise InvalidValueError(f"metric {key!r}", value, expected) from None


def read_step(step: object) -> int:
    """Give a step as an integer of 64 bits.

    Raises
    ------
    InvalidValueError
        It is not a whole number within 64 bits.
    """
    try:
        number = int(step)  # type: ignore[call-overload]
        if number == step and -_STEP_LIMIT <= number < _STEP_LIMIT:
            return int(number)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        pass
    raise InvalidValueError("step", step, "a whole number of at most 64 bits")


def read_param(value: Any) -> Any:
    """Give a parameter's value as JSON types.

    Parameters
    ----------
    value
        Anything. Scalars of Python, numpy and torch keep their type; lists and dicts are kept with
        their members; anything else becomes its ``repr``.

    Returns
    -------
    str, int, float, bool, None, list or dict
        Text longer than 1,000,000 characters is cut, and says so.
    """
    if value is None or type(value) in (bool, int, float):
        return value
    if isinstance(value, (int, float)):
        return _plain_number(value)
    if isinstance(value, (str, PurePath)):
        return _cut(str(value))
    if isinstance(value, (list, tuple)) and len(value) <= 10_000:
        return [read_param(member) for member in value]
    if isinstance(value, dict) and len(value) <= 10_000:
        return {str(key): read_param(member) for key, member in value.items()}
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        member = value.item()
        return read_param(member) if isinstance(member, (bool, int, float, str)) else repr(member)
    try:
        return _cut(repr(value))
    except Exception as error:  # noqa: BLE001 - a broken repr of the user's must not stop a run
        return f"<{type(value).__name__}: repr raised {type(error).__name__}>"


def _plain_number(value: float) -> float | str:
    # Subclasses of int and float (enums, numpy.float64) would not read back as themselves.
    if hasattr(value, "name") and hasattr(value, "value"):
        return str(value)  # an IntEnum means its name
    return int(value) if isinstance(value, int) else float(value)


def _cut(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]}... ({len(text)} characters in all)"


def read_tag(value: Any) -> str | None:
    """Give the text of a tag, None where it shall be taken away; see `read_param`."""
    read = read_param(value)
    return None if read is None else str(read)


def read_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Give parameters, with their names checked.

    Raises
    ------
    InvalidValueError
        A name is empty, too long or not printable.
    """
    return {check_key("param", key): read_param(value) for key, value in params.items()}

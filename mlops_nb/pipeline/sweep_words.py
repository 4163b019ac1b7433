"""Lists of values as people write them on a command line: commas inside brackets do not divide."""

from __future__ import annotations

_PAIRS = {"(": ")", "[": "]", "{": "}"}


def split_list(text: str) -> list[str]:
    """Split text at its commas, but not within quotes or brackets.

    Parameters
    ----------
    text
        For example ``rbf,linear`` or ``[1, 2],[3]``.

    Returns
    -------
    list of str
        The parts without blanks around them; brackets and quotes that do not close divide nothing.
    """
    parts: list[str] = []
    closing: list[str] = []
    current, quote = "", ""
    for char in text:
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"" and (closing or not current.strip()):
            quote = char
        elif char in _PAIRS:
            closing.append(_PAIRS[char])
        elif closing and char == closing[-1]:
            closing.pop()
        elif char == "," and not closing:
            parts.append(current.strip())
            current = ""
            continue
        current += char
    return [_unquote(part) for part in [*parts, current.strip()]]


def _unquote(part: str) -> str:
    """Take away quotes that only kept a comma in its value."""
    if len(part) >= 2 and part[0] == part[-1] and part[0] in "'\"":
        return part[1:-1]
    return part

"""What differs between two environment or code documents, most telling first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# Where the same call gives another result, the reason is usually the first of these that differs.
_ORDER = ("commit", "diff", "packages", "origins", "python", "threads", "variables", "machine")
_MOMENTARY = frozenset({"format", "imported"})


def diff_environments(
    one: Mapping[str, Any], other: Mapping[str, Any]
) -> list[tuple[str, str, Any, Any]]:
    """Compare two documents of `capture_environment` or of a code snapshot.

    Parameters
    ----------
    one, other
        The documents.

    Returns
    -------
    list of tuple
        ``(group, key, value in one, value in other)`` per difference; None where a side has none.
        Which of the installed packages happened to be loaded yet is left out.

    Examples
    --------
    >>> diff_environments({"packages": {"numpy": "1"}}, {"packages": {"numpy": "2"}})
    [('packages', 'numpy', '1', '2')]
    """
    groups = sorted({*one, *other} - _MOMENTARY, key=_rank)
    return [
        (group, key, left, right)
        for group in groups
        for key, left, right in _compare(one.get(group), other.get(group), "")
    ]


def _rank(group: str) -> tuple[int, str]:
    return (_ORDER.index(group) if group in _ORDER else len(_ORDER), group)


def _compare(left: Any, right: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if left == right:
        return
    sides = [side for side in (left, right) if side is not None]
    if sides and all(isinstance(side, Mapping) for side in sides):
        left, right = left or {}, right or {}
        for key in sorted({*left, *right}):
            below = f"{path}.{key}" if path else str(key)
            yield from _compare(left.get(key), right.get(key), below)
        return
    yield path, left, right

"""What a loop goes over, listed ahead of its rounds where that is the same as step by step."""

from __future__ import annotations

import gc
import itertools
import re
import types
from typing import Any

from mlops_nb.pipeline.rounds_guard import UnprovenError

_KEYS: dict[Any, Any] = {}
# What gives its items without running anybody's code.
_WHOLE: tuple[type[Any], ...] = (
    list, tuple, dict, str, bytes, bytearray, range,
    type(_KEYS.keys()), type(_KEYS.values()), type(_KEYS.items()),
    type(iter([])), type(iter(())), type(iter(range(0))), type(iter(range(2**70))), type(iter("")),
    type(iter("\N{LATIN SMALL LETTER E WITH ACUTE}")), type(iter(b"")),
    type(reversed([])), type(reversed(_KEYS)), type(iter(_KEYS.keys())), type(iter(_KEYS.values())),
    type(iter(_KEYS.items())), itertools.product, itertools.permutations, itertools.combinations,
    itertools.combinations_with_replacement,
)  # fmt: skip
# What gives the items of others.
_HANDING_ON = (zip, enumerate, itertools.islice)
# Libraries whose iterators compute from what they were made of, and touch nothing else.
_PURE = re.compile(r"(numpy|pandas\.core|polars|sklearn\.model_selection)\b")
_ORDERED = (str, bytes, int, float, bool, type(None))
_MOST_ITEMS = 10_000_000


def list_items(iterable: Any) -> list[Any]:
    """List what a loop goes over.

    Parameters
    ----------
    iterable
        The value of the loop's expression.

    Returns
    -------
    list
        Its items.

    Raises
    ------
    UnprovenError
        Giving an item may run code that the rounds before it could have a hand in.
    """
    if not _is_pure(iterable):
        kind = type(iterable)
        shown = (
            kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
        )
        raise UnprovenError(f"its items come one by one from a {shown}")
    items = list(itertools.islice(iterable, _MOST_ITEMS + 1))
    if len(items) > _MOST_ITEMS:
        raise UnprovenError(f"it goes over more than {_MOST_ITEMS} items")
    return items


def _is_pure(value: Any, depth: int = 0) -> bool:
    kind = type(value)
    if kind in _WHOLE:
        return True
    if kind in {set, frozenset}:  # of other things the order is another in every process
        return all(type(item) in _ORDERED for item in value)
    if kind in _HANDING_ON:
        # An iterator holds the ones below it, beside numbers and the last tuple that it gave.
        below = _list_iterators(value)
        return depth < 4 and bool(below) and all(_is_pure(one, depth + 1) for one in below)
    if isinstance(value, types.GeneratorType):
        frame = value.gi_frame
        name = str(frame.f_globals.get("__name__", "")) if frame is not None else ""
    else:
        name = kind.__module__
    return _PURE.match(name) is not None


def _list_iterators(value: Any) -> list[Any]:
    found: list[Any] = []
    for one in gc.get_referents(value):
        if isinstance(one, tuple):
            found += [part for part in one if hasattr(part, "__next__")]
        elif hasattr(one, "__next__") and not isinstance(one, type):  # its class is one of them
            found.append(one)
    return found

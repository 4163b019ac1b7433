"""Compares texts, numbers and containers of Python itself."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import fractions
import pathlib
import re
import sys
import types
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from mlops_nb.pipeline.comparing_parts import (
    PLAIN,
    Pair,
    Part,
    Unequal,
    Unsure,
    Walk,
    get_bits,
    shorten,
    shorten_texts,
)

# Whether two of them are one object or two cannot be told but by ``is``, and Python itself decides
# that as it likes.
_WITHOUT_IDENTITY = (
    *PLAIN,
    float,
    complex,
    tuple,
    frozenset,
    range,
    slice,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    datetime.tzinfo,
    decimal.Decimal,
    enum.Enum,
    fractions.Fraction,
    pathlib.PurePath,
    re.Pattern,
    types.CodeType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.GenericAlias,
    uuid.UUID,
)
_WITHOUT_IDENTITY_ELSEWHERE = (
    ("numpy", "generic"),
    ("numpy", "dtype"),
    ("pandas.api.extensions", "ExtensionDtype"),
    ("torch", "dtype"),
    ("torch", "device"),
)
_MOST_TRIALS = 10_000


def has_identity(value: Any) -> bool:
    """Tell whether it matters that two names mean the very same object.

    Parameters
    ----------
    value
        Anything.

    Returns
    -------
    bool
        False for what cannot change.
    """
    kind = type(value)
    if kind in _WITHOUT_IDENTITY:
        return False
    if isinstance(value, datetime.date | datetime.tzinfo | enum.Enum | pathlib.PurePath):
        return False
    for module, name in _WITHOUT_IDENTITY_ELSEWHERE:
        found = getattr(sys.modules.get(module), name, None)
        if isinstance(found, type) and isinstance(value, found):
            return False
    return True


def check_plain(walk: Walk, reference: Any, pipeline: Any) -> Unequal | None:
    """Compare two values of one of the plainest types.

    Parameters
    ----------
    walk
        The comparison.
    reference, pipeline
        Of the same type.

    Returns
    -------
    Unequal or None
        None where they are equal.
    """
    if type(reference) is str:
        if walk.is_same_text(reference, pipeline):
            return None
        return Unequal("value", *shorten_texts(reference, pipeline))
    if reference == pipeline:
        return None
    if type(reference) is bytes:
        return Unequal("value", *_shorten_bytes(reference, pipeline))
    return Unequal("value", shorten(reference), shorten(pipeline))


def _shorten_bytes(reference: bytes, pipeline: bytes) -> tuple[str, str]:
    pairs = enumerate(zip(reference, pipeline, strict=False))
    at = next((i for i, (x, y) in pairs if x != y), min(len(reference), len(pipeline)))
    start = max(0, at - 8)
    shown = [f"{text[start : start + 24]!r} from byte {start}" for text in (reference, pipeline)]
    return shown[0], shown[1]


def compare_complex(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare complex numbers, each part as a float."""
    real = walk.is_same_float(reference.real, pipeline.real)
    if not (real and walk.is_same_float(reference.imag, pipeline.imag)):
        yield Unequal("value", repr(complex(reference)), repr(complex(pipeline)))


def compare_sequences(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare lists and tuples item by item."""
    kind = list if isinstance(reference, list) else tuple
    first, second = list(kind.__iter__(reference)), list(kind.__iter__(pipeline))
    names = getattr(type(reference), "_fields", None) if kind is tuple else None
    if isinstance(names, tuple) and len(names) == len(first):
        suffixes: Any = [f".{name}" for name in names]
    else:
        suffixes = None
    yield from compare_items(walk, first, second, suffixes)


def compare_items(
    walk: Walk, reference: list[Any], pipeline: list[Any], suffixes: list[str] | None = None
) -> Iterator[Part]:
    """Compare items by position; a difference in length is told after the items both have.

    Parameters
    ----------
    walk
        The comparison.
    reference, pipeline
        The items.
    suffixes
        How to reach each; by default ``[0]``, ``[1]`` ...

    Yields
    ------
    Part
        What to compare, or the lengths.
    """
    for at, (first, second) in enumerate(zip(reference, pipeline, strict=False)):
        kind = type(first)
        if kind is type(second):
            if kind in PLAIN and first == second:
                continue
            if kind is float and get_bits(first) == get_bits(second):
                continue
        yield Pair(f"[{at}]" if suffixes is None else suffixes[at], first, second)
    del walk
    if len(reference) != len(pipeline):
        yield Unequal("length", str(len(reference)), str(len(pipeline)))


def compare_mappings(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare dicts: their keys, the order of these, and the value of each."""
    kind = collections.OrderedDict if isinstance(reference, collections.OrderedDict) else dict
    yield from compare_pairs(walk, list(kind.items(reference)), list(kind.items(pipeline)))
    if isinstance(reference, collections.defaultdict):
        yield Pair(".default_factory", reference.default_factory, pipeline.default_factory)


def compare_pairs(
    walk: Walk, reference: list[tuple[Any, Any]], pipeline: list[tuple[Any, Any]]
) -> Iterator[Part]:
    """Compare the pairs of key and value of two mappings.

    Parameters
    ----------
    walk
        The comparison.
    reference, pipeline
        The pairs in order.

    Yields
    ------
    Part
        Missing and further keys, then keys and values in order.
    """
    found = [{_make_key(key): value for key, value in side} for side in (reference, pipeline)]
    if None not in found[0] and None not in found[1]:
        for key, value in reference:
            if _make_key(key) not in found[1] and not _has_like(walk, key, pipeline):
                yield Unequal("key", shorten(value), "no such key", f"[{shorten(key)}]")
        for key, value in pipeline:
            if _make_key(key) not in found[0] and not _has_like(walk, key, reference):
                yield Unequal("key", "no such key", shorten(value), f"[{shorten(key)}]")
        orders = [[_make_key(key) for key, _ in side] for side in (reference, pipeline)]
        if orders[0] != orders[1] and sorted(map(repr, orders[0])) == sorted(map(repr, orders[1])):
            yield Unequal("order", _list_keys(reference), _list_keys(pipeline))
    for at, ((key, value), (other, second)) in enumerate(zip(reference, pipeline, strict=False)):
        if type(key) not in PLAIN or type(other) not in PLAIN or key != other:
            yield Pair(f".keys()[{at}]", key, other)
        yield Pair(f"[{shorten(key)}]", value, second)
    if len(reference) != len(pipeline):
        yield Unequal("length", str(len(reference)), str(len(pipeline)))


def _has_like(walk: Walk, key: Any, pairs: list[tuple[Any, Any]]) -> bool:
    """Find a text that differs only by the folder that it was made in."""
    if type(key) is not str:
        return False
    texts = [other for other, _ in pairs if type(other) is str]
    return any(walk.is_same_text(key, other) or walk.is_same_text(other, key) for other in texts)


def _list_keys(pairs: list[tuple[Any, Any]]) -> str:
    return shorten([key for key, _ in pairs])


def _make_key(value: Any) -> Any:
    """Give a key that is equal for equal values and nothing else; None for all but plain ones."""
    kind = type(value)
    if kind in PLAIN:
        return kind.__name__, value
    if kind is float:
        return "float", get_bits(value)
    if kind is tuple:
        parts = tuple(_make_key(part) for part in value)
        return None if None in parts else ("tuple", parts)
    if kind is frozenset:
        held = frozenset(_make_key(part) for part in value)
        return None if None in held else ("frozenset", held)
    return None


def compare_sets(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare sets; their order is nothing that a program may rely on."""
    kind = set if isinstance(reference, set) else frozenset
    first, second = _sort_out(kind.__iter__(reference)), _sort_out(kind.__iter__(pipeline))
    for key, value in first[0].items():
        if key not in second[0]:
            yield Unequal("key", shorten(value), "not in the set")
    for key, value in second[0].items():
        if key not in first[0]:
            yield Unequal("key", "not in the set", shorten(value))
    yield from _match(walk, first[1], second[1])


def _sort_out(values: Iterable[Any]) -> tuple[dict[Any, Any], list[Any]]:
    plain: dict[Any, Any] = {}
    others: list[Any] = []
    for value in values:
        key = _make_key(value)
        if key is None:
            others.append(value)
        else:
            plain[key] = value
    return plain, others


def _match(walk: Walk, reference: list[Any], pipeline: list[Any]) -> Iterator[Part]:
    """Find a partner for each of the items that have no order and no key."""
    if len(reference) != len(pipeline):
        yield Unequal("length", str(len(reference)), str(len(pipeline)))
        return
    if len(reference) * len(pipeline) > _MOST_TRIALS:
        yield Unsure(f"a set of {len(reference)} objects is too large to find the pairs")
        return
    left = list(pipeline)
    for value in reference:
        partner = next((i for i, other in enumerate(left) if walk.is_equal(value, other)), None)
        if partner is None and len(left) == 1:
            yield Pair(".pop()", value, left.pop())
        elif partner is None:
            yield Unequal("key", shorten(value), "nothing equal in the set")
            return
        else:
            yield Pair(".pop()", value, left.pop(partner))


def compare_deques(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare deques item by item, and what they may hold at most."""
    yield Pair(".maxlen", reference.maxlen, pipeline.maxlen)
    items = [list(collections.deque.__iter__(side)) for side in (reference, pipeline)]
    yield from compare_items(walk, items[0], items[1])


def compare_bytearrays(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare bytes that can change."""
    del walk
    yield Pair("[:]", bytes(memoryview(reference)), bytes(memoryview(pipeline)))


def compare_memoryviews(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare views of memory by format, shape and bytes."""
    del walk
    for name in ("format", "shape", "readonly"):
        yield Pair(f".{name}", getattr(reference, name), getattr(pipeline, name))
    yield Pair(".tobytes()", reference.tobytes(), pipeline.tobytes())


def compare_paths(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare paths as texts."""
    if not walk.is_same_text(str(reference), str(pipeline)):
        yield Unequal("value", *shorten_texts(str(reference), str(pipeline)))


def compare_mapping_proxies(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare views of dicts."""
    yield from compare_pairs(walk, list(reference.items()), list(pipeline.items()))

"""The words that comparisons are made of: what to compare next, what differs, what stays open."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import pathlib
import reprlib
import struct
import types
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

DifferenceKind = Literal[
    "type",
    "shape",
    "dtype",
    "value",
    "key",
    "length",
    "order",
    "sharing",
    "code",
    "flags",
    "not comparable",
]

PLAIN = (type(None), bool, int, str, bytes, type(Ellipsis), type(NotImplemented))
_LONGEST = 80


@dataclass(slots=True)
class Pair:
    """Two values to compare next; `suffix` leads to them from where the walk stands."""

    suffix: str
    reference: Any
    pipeline: Any


@dataclass(frozen=True, slots=True)
class Unequal:
    """Something that differs here, both sides as short text."""

    kind: DifferenceKind
    reference: str
    pipeline: str
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Unsure:
    """Something that cannot be compared without changing it."""

    reason: str
    suffix: str = ""


Part = Pair | Unequal | Unsure


class Walk(Protocol):
    """What a comparison of one kind of value may ask the whole comparison for."""

    @property
    def tolerance(self) -> float | None:
        """Relative tolerance of floats; None compares bits."""

    def is_same_text(self, reference: str, pipeline: str) -> bool:
        """Tell whether two texts are equal but for the folder that they were made in."""

    def is_same_float(self, reference: float, pipeline: float) -> bool:
        """Tell whether two floats are equal, by bits or within the tolerance."""

    def is_equal(self, reference: Any, pipeline: Any) -> bool:
        """Try two values; nothing of the trial is remembered."""

    def note_memory(self, reference: Any, pipeline: Any) -> None:
        """Remember two arrays whose memory others may share."""


Comparer = Callable[[Walk, Any, Any], Iterator[Part]]


def get_bits(value: float) -> bytes:
    """Give the bits of a float; all NaN are one.

    Parameters
    ----------
    value
        A float.

    Returns
    -------
    bytes
        Eight bytes; 0.0 and -0.0 differ.
    """
    return b"nan" if value != value else struct.pack("<d", value)  # noqa: PLR0124 - NaN


class _Shortener(reprlib.Repr):
    """Writes builtin containers in short, and other objects by their class alone."""

    def repr_instance(self, x: Any, level: int) -> str:
        del level
        return f"<{type(x).__qualname__}>"

    def repr_float(self, x: float, level: int) -> str:
        del level
        return repr(x)

    repr_bool = repr_NoneType = repr_ellipsis = repr_float  # noqa: N815 - reprlib looks for the type's name


_shortener = _Shortener()
_shortener.maxstring = _shortener.maxother = _shortener.maxlong = 60
_BUILTIN = (*PLAIN, float, complex, list, tuple, dict, set, frozenset)
_SAFE = (
    datetime.date,
    datetime.time,
    datetime.timedelta,
    datetime.tzinfo,
    decimal.Decimal,
    fractions.Fraction,
    pathlib.PurePath,
    uuid.UUID,
    range,
    slice,
)


def shorten(value: Any) -> str:
    """Write a value as short text without running code of the notebook.

    Parameters
    ----------
    value
        Anything.

    Returns
    -------
    str
        One line.
    """
    kind = type(value)
    if kind in _BUILTIN:
        text = _shortener.repr(value)
    elif isinstance(value, types.FunctionType | types.BuiltinFunctionType | type):
        text = f"<{'class' if isinstance(value, type) else 'function'} {value.__qualname__}>"
    elif isinstance(value, enum.Enum):
        text = f"{kind.__qualname__}.{value.name}"
    elif kind in _SAFE or kind.__module__ in ("numpy", "pandas._libs.tslibs.timestamps"):
        text = _describe_shape(value) or repr(value)
    else:
        text = _describe_shape(value) or f"<{kind.__qualname__}>"
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _describe_shape(value: Any) -> str:
    kind = type(value)
    if kind.__module__.partition(".")[0] not in ("numpy", "pandas", "scipy", "torch", "polars"):
        return ""
    shape = getattr(value, "shape", None)
    if not isinstance(shape, tuple) or (not shape and kind.__name__ not in ("ndarray", "Tensor")):
        return ""
    dtype = getattr(value, "dtype", None)
    of = "" if dtype is None else f" of {dtype}"
    return f"<{kind.__qualname__}{of}, shape {tuple(shape)}>"


def shorten_texts(reference: str, pipeline: str) -> tuple[str, str]:
    """Write two texts so that the place where they part can be seen.

    Parameters
    ----------
    reference, pipeline
        Two texts that differ.

    Returns
    -------
    tuple of str
        Both in short, from a little before the first difference.
    """
    at = next(
        (i for i, (x, y) in enumerate(zip(reference, pipeline, strict=False)) if x != y),
        min(len(reference), len(pipeline)),
    )
    start = max(0, at - 20)
    if max(len(reference), len(pipeline)) <= 60:
        start = 0
    shown = [repr(text[start : start + 60]) for text in (reference, pipeline)]
    marks = ["..." if start else "", "..."]
    return (
        f"{marks[0]}{shown[0]}{marks[1] if len(reference) > start + 60 else ''}",
        f"{marks[0]}{shown[1]}{marks[1] if len(pipeline) > start + 60 else ''}",
    )

"""Compares frames, series and indexes of pandas and polars column by column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mlops_nb.pipeline.comparing_arrays import compare_content, find_first
from mlops_nb.pipeline.comparing_parts import (
    Pair,
    Part,
    Unequal,
    Unsure,
    Walk,
    shorten,
    shorten_texts,
)


def compare_frames(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare frames: columns, rows' labels, then every column by position."""
    if reference.shape != pipeline.shape:
        yield Pair(".columns", reference.columns, pipeline.columns)
        yield Unequal("shape", str(reference.shape), str(pipeline.shape))
        return
    yield Pair(".columns", reference.columns, pipeline.columns)
    yield Pair(".index", reference.index, pipeline.index)
    unique = bool(reference.columns.is_unique)
    views = [
        side.copy(deep=False) for side in (reference, pipeline)
    ]  # pandas keeps columns it gave
    for at, label in enumerate(reference.columns):
        name = f"[{shorten(label)}]" if unique else f".iloc[:, {at}]"
        columns = [side.iloc[:, at].array for side in views]
        yield from _compare_columns(walk, columns[0], columns[1], name + ".iloc")
    yield from _compare_extras(reference, pipeline)


def compare_series(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare series by name, labels and values."""
    yield Pair(".name", reference.name, pipeline.name)
    yield Pair(".index", reference.index, pipeline.index)
    yield from _compare_columns(walk, reference.array, pipeline.array, ".iloc")
    yield from _compare_extras(reference, pipeline)


def _compare_extras(reference: Any, pipeline: Any) -> Iterator[Part]:
    yield Pair(".attrs", dict(reference.attrs), dict(pipeline.attrs))
    flags = [side.flags.allows_duplicate_labels for side in (reference, pipeline)]
    yield Pair(".flags.allows_duplicate_labels", flags[0], flags[1])
    for name in getattr(reference, "_metadata", ()):  # what subclasses carry
        if name not in ("_name", "name"):
            yield Pair(f".{name}", getattr(reference, name, None), getattr(pipeline, name, None))


def compare_indexes(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare labels by names, type and values; a range by its bounds."""
    import pandas as pd

    yield Pair(".names", list(reference.names), list(pipeline.names))
    if isinstance(reference, pd.RangeIndex):
        for name in ("start", "stop", "step"):
            yield Pair(f".{name}", getattr(reference, name), getattr(pipeline, name))
    elif isinstance(reference, pd.MultiIndex):
        if reference.shape != pipeline.shape or reference.nlevels != pipeline.nlevels:
            shapes = [f"{side.shape} of {side.nlevels} levels" for side in (reference, pipeline)]
            yield Unequal("shape", shapes[0], shapes[1])
            return
        for level in range(reference.nlevels):
            values = [side.get_level_values(level).array for side in (reference, pipeline)]
            place = f".get_level_values({level})"
            yield from _compare_columns(walk, values[0], values[1], place)
        for level, (first, second) in enumerate(
            zip(reference.levels, pipeline.levels, strict=True)
        ):
            yield from _compare_columns(walk, first.array, second.array, f".levels[{level}]")
    else:
        yield from _compare_columns(walk, reference.array, pipeline.array, "")
    if hasattr(reference, "freq"):
        freqs = [str(side.freq) for side in (reference, pipeline)]
        yield Pair(".freq", freqs[0], freqs[1])


def compare_extension_arrays(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare pandas' own arrays."""
    yield from _compare_columns(walk, reference, pipeline, "")


def compare_dtypes(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare the types of columns; categories count with their order."""
    del walk
    if str(reference) != str(pipeline):
        yield Unequal("dtype", str(reference), str(pipeline))
    if hasattr(reference, "categories"):
        yield Pair(".categories", reference.categories, pipeline.categories)
        yield Pair(".ordered", reference.ordered, pipeline.ordered)


def _compare_columns(walk: Walk, first: Any, second: Any, place: str) -> Iterator[Part]:
    """Compare two of pandas' arrays; `place` says how to reach an element by position."""
    import numpy as np

    if type(first.dtype) is not type(second.dtype) or str(first.dtype) != str(second.dtype):
        yield Unequal("dtype", str(first.dtype), str(second.dtype), place.removesuffix(".iloc"))
        return
    if len(first) != len(second):
        yield Unequal("length", str(len(first)), str(len(second)), place.removesuffix(".iloc"))
        return
    if isinstance(first.dtype, np.dtype):
        plain = [np.asarray(side) for side in (first, second)]
        for part in compare_content(walk, plain[0], plain[1]):
            yield _place(part, place)
    elif hasattr(first.dtype, "categories"):
        column = place.removesuffix(".iloc")
        yield Pair(f"{column}.dtype", first.dtype, second.dtype)
        yield from _tell_first(walk, first.codes, second.codes, first, second, place)
    else:
        yield from _compare_extension(walk, first, second, place)


def _place(part: Part, place: str) -> Part:
    if isinstance(part, Pair):
        return Pair(place + part.suffix, part.reference, part.pipeline)
    if isinstance(part, Unequal):
        return Unequal(part.kind, part.reference, part.pipeline, place + part.suffix)
    return part


def _tell_first(
    walk: Walk, codes: Any, others: Any, first: Any, second: Any, place: str
) -> Iterator[Part]:
    at = find_first(walk, codes, others)
    if at is not None:
        yield Unequal("value", _show(first[at]), _show(second[at]), f"{place}[{at}]")


def _show(value: Any) -> str:
    return shorten(value.item() if hasattr(value, "item") else value)


def _compare_extension(walk: Walk, first: Any, second: Any, place: str) -> Iterator[Part]:
    import numpy as np

    missing = [np.asarray(side.isna(), dtype=bool) for side in (first, second)]
    for part in _tell_first(walk, missing[0], missing[1], first, second, place):
        yield part
        return
    kind = getattr(first.dtype, "kind", "O")
    if kind in "biuf" and not hasattr(first, "sp_values"):
        zero = np.zeros((), kind if kind == "b" else f"{kind}8")[()]
        dtype = {"b": "bool", "i": "i8", "u": "u8", "f": "f8"}[kind]
        plain = [side.to_numpy(dtype=dtype, na_value=zero) for side in (first, second)]
        yield from _tell_first(walk, plain[0], plain[1], first, second, place)
        return
    if hasattr(first, "asi8"):  # times with a zone, periods
        yield from _tell_first(walk, first.asi8, second.asi8, first, second, place)
        return
    if hasattr(first, "sp_values"):
        yield Pair(f"{place}.fill_value", first.fill_value, second.fill_value)
        dense = [np.asarray(side) for side in (first, second)]
        yield from _tell_first(walk, dense[0], dense[1], first, second, place)
        return
    held = [np.asarray(side.astype(object), dtype=object) for side in (first, second)]
    for at in np.flatnonzero(~missing[0]):
        one, other = held[0][at], held[1][at]
        if type(one) is str is type(other):
            if one != other and not walk.is_same_text(one, other):
                yield Unequal("value", *shorten_texts(one, other), f"{place}[{at}]")
        else:
            yield Pair(f"{place}[{at}]", one, other)


def compare_polars_frames(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare frames of polars: columns and types, then every column."""
    yield Pair(".columns", list(reference.columns), list(pipeline.columns))
    if reference.shape != pipeline.shape:
        yield Unequal("shape", str(reference.shape), str(pipeline.shape))
        return
    for name in reference.columns:
        pair = (reference.get_column(name), pipeline.get_column(name))
        for part in compare_polars_series(walk, *pair):
            yield _place(part, f"[{name!r}]")


def compare_polars_series(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare a column of polars by name, type and values."""
    yield Pair(".name", reference.name, pipeline.name)
    if str(reference.dtype) != str(pipeline.dtype):
        yield Unequal("dtype", str(reference.dtype), str(pipeline.dtype))
        return
    if len(reference) != len(pipeline):
        yield Unequal("length", str(len(reference)), str(len(pipeline)))
        return
    if reference.dtype.is_float():
        missing = [side.is_null().to_numpy() for side in (reference, pipeline)]
        yield from _tell_first(walk, missing[0], missing[1], reference, pipeline, "")
        plain = [side.fill_null(0.0).to_numpy() for side in (reference, pipeline)]
        yield from _tell_first(walk, plain[0], plain[1], reference, pipeline, "")
        return
    if not reference.dtype.is_nested() and reference.equals(pipeline, check_dtypes=True):
        return
    for at, values in enumerate(zip(reference.to_list(), pipeline.to_list(), strict=True)):
        yield Pair(f"[{at}]", *values)


def compare_polars_plans(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare lazy frames by their plans; what they would give shows only when they are run."""
    if reference.serialize() == pipeline.serialize():
        return
    plans = [side.explain(optimized=False) for side in (reference, pipeline)]
    if not walk.is_same_text(plans[0], plans[1]):
        yield Unequal("value", *shorten_texts(plans[0], plans[1]), ".explain()")
    yield Unsure("a lazy frame's data show only when it is collected")

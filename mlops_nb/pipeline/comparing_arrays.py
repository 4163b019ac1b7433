"""Compares NumPy arrays, numbers and types, and SciPy's sparse matrices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mlops_nb.pipeline.comparing_parts import Pair, Part, Unequal, Walk, shorten, shorten_texts

_BLOCK = 1 << 20  # elements looked at in one go, so that large arrays need little more memory
_SPARSE_PARTS = ("data", "indices", "indptr", "row", "col", "offsets", "coords", "rows")
_MASK_PARTS = frozenset(
    ["_mask", "_fill_value", "_hardmask", "_sharedmask", "_isfield", "_baseclass", "_optinfo"]
)


def compare_dtypes(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare the types of arrays, with byte order and fields."""
    if reference != pipeline:
        yield Unequal("dtype", str(reference), str(pipeline))
    elif reference.metadata is not None or pipeline.metadata is not None:
        held = [dict(side.metadata or {}) for side in (reference, pipeline)]
        yield Pair(".metadata", held[0], held[1])
    del walk


def compare_numbers(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare NumPy's scalars: those of structured arrays by field."""
    import numpy as np

    for part in compare_content(walk, np.asarray(reference), np.asarray(pipeline)):
        if isinstance(part, Unequal):
            yield Unequal(part.kind, part.reference, part.pipeline, part.suffix.rstrip("[()]"))
        else:
            yield part


def compare_arrays(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare arrays by type, shape and elements, not by how these lie in memory."""
    import numpy as np

    plain = [np.ndarray.view(side, np.ndarray) for side in (reference, pipeline)]
    if isinstance(reference, np.ma.MaskedArray):
        yield from _compare_masked(walk, reference, pipeline)
    else:
        yield from compare_content(walk, plain[0], plain[1])
    if reference.flags.writeable != pipeline.flags.writeable:
        words = ["writable" if s.flags.writeable else "read-only" for s in (reference, pipeline)]
        yield Unequal("flags", words[0], words[1], ".flags")
    walk.note_memory(plain[0], plain[1])
    if type(reference) is not np.ndarray and not isinstance(reference, np.memmap):
        yield from _compare_attributes(reference, pipeline)


def _compare_attributes(reference: Any, pipeline: Any) -> Iterator[Part]:
    held = [
        {k: v for k, v in getattr(side, "__dict__", {}).items() if k not in _MASK_PARTS}
        for side in (reference, pipeline)
    ]
    for name in sorted(held[0].keys() | held[1].keys()):
        if name in held[0] and name in held[1]:
            yield Pair(f".{name}", held[0][name], held[1][name])
        else:
            shown = [shorten(s[name]) if name in s else "no such attribute" for s in held]
            yield Unequal("key", shown[0], shown[1], f".{name}")


def _compare_masked(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    import numpy as np

    masks = [np.ma.getmaskarray(side) for side in (reference, pipeline)]
    for part in compare_content(walk, masks[0], masks[1]):
        yield _move(part, ".mask")
    hidden = [np.asarray(side.data) for side in (reference, pipeline)]
    if hidden[0].dtype.names is None and hidden[0].dtype == hidden[1].dtype:
        # What lies below the mask is nothing that was computed.
        hidden = [side.copy() for side in hidden]
        for side in hidden:
            side[masks[0]] = np.zeros((), side.dtype)[()]
    for part in compare_content(walk, hidden[0], hidden[1]):
        yield _move(part, ".data")
    yield Pair(".fill_value", reference.fill_value, pipeline.fill_value)
    yield Pair(".hardmask", bool(reference.hardmask), bool(pipeline.hardmask))


def _move(part: Part, prefix: str) -> Part:
    if isinstance(part, Pair):
        return Pair(prefix + part.suffix, part.reference, part.pipeline)
    if isinstance(part, Unequal):
        return Unequal(part.kind, part.reference, part.pipeline, prefix + part.suffix)
    return part


def compare_content(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare two plain arrays by type, shape and elements.

    Parameters
    ----------
    walk
        The comparison.
    reference, pipeline
        Arrays of any type of elements.

    Yields
    ------
    Part
        The first element that differs, or objects to compare.
    """
    if reference.dtype != pipeline.dtype:
        yield Unequal("dtype", str(reference.dtype), str(pipeline.dtype))
        return
    if reference.shape != pipeline.shape:
        yield Unequal("shape", str(reference.shape), str(pipeline.shape))
        return
    dtype = reference.dtype
    if dtype.names is not None:
        for name in dtype.names:
            for part in compare_content(walk, reference[name], pipeline[name]):
                yield _move(part, f"[{name!r}]")
    elif dtype.kind in "OT":
        yield from _compare_held_objects(reference, pipeline)
    else:
        at = find_first(walk, reference.reshape(-1), pipeline.reshape(-1))
        if at is not None:
            yield _name_element(reference, pipeline, at)


def _compare_held_objects(reference: Any, pipeline: Any) -> Iterator[Part]:
    flat = (reference.reshape(-1).tolist(), pipeline.reshape(-1).tolist())
    for at, (first, second) in enumerate(zip(*flat, strict=True)):
        yield Pair(_format_index(reference.shape, at), first, second)


def _format_index(shape: tuple[int, ...], at: int) -> str:
    import numpy as np

    index = ", ".join(str(int(part)) for part in np.unravel_index(at, shape)) if shape else "()"
    return f"[{index}]"


def _name_element(reference: Any, pipeline: Any, at: int) -> Unequal:
    held = [side.reshape(-1)[at] for side in (reference, pipeline)]
    if reference.dtype.kind == "U":
        shown = shorten_texts(str(held[0]), str(held[1]))
    else:
        plain = [side.item() if hasattr(side, "item") else side for side in held]
        shown = (shorten(plain[0]), shorten(plain[1]))
    if shown[0] == shown[1]:
        shown = (str(held[0]), str(held[1]))
    return Unequal("value", shown[0], shown[1], _format_index(reference.shape, at))


def find_first(walk: Walk, reference: Any, pipeline: Any) -> int | None:
    """Find the first element that differs in two flat arrays of one type.

    Parameters
    ----------
    walk
        Gives the tolerance.
    reference, pipeline
        Of one dimension, one length and one type that is neither objects nor fields.

    Returns
    -------
    int or None
        Its position.
    """
    for start in range(0, len(reference), _BLOCK):
        first, second = reference[start : start + _BLOCK], pipeline[start : start + _BLOCK]
        differs = _find_differing(walk, first, second)
        for at in differs.nonzero()[0]:
            texts = (str(first[at]), str(second[at]))
            if first.dtype.kind == "U" and walk.is_same_text(*texts):
                continue
            return start + int(at)
    return None


def _find_differing(walk: Walk, first: Any, second: Any) -> Any:
    import numpy as np

    kind = first.dtype.kind
    if kind in "mM":
        return first.view("i8") != second.view("i8")
    if kind == "V":
        return np.array([x.tobytes() != y.tobytes() for x, y in zip(first, second, strict=True)])
    if kind == "c":
        return _find_differing(walk, first.real, second.real) | _find_differing(
            walk, first.imag, second.imag
        )
    if kind != "f":
        return first != second
    with np.errstate(all="ignore"):
        missing = np.isnan(first) & np.isnan(second)
        if walk.tolerance is None:
            same = (first == second) & (np.signbit(first) == np.signbit(second))
        else:
            largest = np.maximum(np.abs(first), np.abs(second))
            near = np.abs(first - second) <= walk.tolerance * largest
            same = (first == second) | (near & np.isfinite(largest))
    return ~(same | missing)


def compare_sparse(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare sparse matrices by form, shape and the arrays that they are made of."""
    if reference.format != pipeline.format:
        yield Unequal("type", reference.format, pipeline.format, ".format")
    if reference.dtype != pipeline.dtype:
        yield Unequal("dtype", str(reference.dtype), str(pipeline.dtype))
    if reference.shape != pipeline.shape:
        yield Unequal("shape", str(reference.shape), str(pipeline.shape))
    if reference.format == "dok":
        held = [dict(side.items()) for side in (reference, pipeline)]
        yield Pair(".items()", held[0], held[1])
        return
    for name in _SPARSE_PARTS:
        if hasattr(reference, name) and hasattr(pipeline, name):
            yield Pair(f".{name}", getattr(reference, name), getattr(pipeline, name))
    del walk

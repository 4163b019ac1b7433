"""The columns of a frame of pandas as arrays of Arrow over the same memory."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_UNITS = ("s", "ms", "us", "ns")
_INDEX_NAME = "__index_level_0__"  # as pandas and pyarrow call an index without a name


class UnknownColumnError(Exception):
    """Arrow has no type whose bytes are those of a column."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes
    ----------
    name
        Its label as text.
    array
        Of Arrow.
    memory
        Address and length of what belongs to the frame; a bitmap of missing values does not.
    """

    name: str
    array: Any
    memory: tuple[tuple[int, int], ...]


def list_columns(frame: Any, blocks: Any) -> list[Column]:
    """Give the columns of a frame or series in their order.

    Parameters
    ----------
    frame
        The frame or series.
    blocks
        Its blocks.

    Returns
    -------
    list of Column
        Nothing is copied.

    Raises
    ------
    UnknownColumnError
        A column is none that Arrow can hold as it is.
    """
    if frame.ndim == 1:
        return [_make_column(str(frame.name), blocks[0].values)]
    labels = list(map(str, frame.columns))
    found: dict[int, Column] = {}
    for block in blocks:
        for number, values in zip(block.mgr_locs.as_array.tolist(), _split(block), strict=True):
            found[number] = _make_column(labels[number], values)
    return [found[number] for number in range(len(labels))]


def list_index(index: Any) -> list[Column]:
    """Give an index as columns.

    Parameters
    ----------
    index
        Of a frame or series.

    Returns
    -------
    list of Column
        None where the index is a range.

    Raises
    ------
    UnknownColumnError
        It is none that Arrow can hold as it is.
    """
    pandas = sys.modules["pandas"]
    if type(index) is pandas.RangeIndex:
        return []
    if isinstance(index, pandas.MultiIndex):
        raise UnknownColumnError
    name = _INDEX_NAME if index.name is None else str(index.name)
    return [_make_column(name, index._data)]  # noqa: SLF001 - ``array`` would wrap it anew


def _split(block: Any) -> Iterator[Any]:
    """Give the columns of a block."""
    values = block.values
    yield from values if values.ndim == 2 else [values]


def _make_column(name: str, values: Any) -> Column:
    pandas = sys.modules["pandas"]
    kind = type(values)
    if kind.__module__ == "numpy":
        array, memory = _wrap(values, _find_type(values.dtype))
        return Column(name, array, memory)
    if kind in (pandas.arrays.DatetimeArray, pandas.arrays.TimedeltaArray):
        array, memory = _wrap_times(values)
        return Column(name, array, memory)
    if kind is pandas.Categorical:
        array, memory = _wrap_categories(values)
        return Column(name, array, memory)
    chunks: Any = getattr(getattr(values, "_pa_array", None), "chunks", ())
    if isinstance(values, pandas.arrays.ArrowExtensionArray) and len(chunks) == 1:
        return Column(name, chunks[0], tuple(_list_memory(chunks[0])))
    raise UnknownColumnError


def _list_memory(array: Any) -> Iterator[tuple[int, int]]:
    buffers = array.buffers()
    bitmap = buffers.pop(0)
    if bitmap is not None and array.null_count:  # else Arrow does not write it
        buffers.append(bitmap)
    for buffer in buffers:
        if buffer is not None and buffer.size:
            yield buffer.address, buffer.size


def _find_type(dtype: Any) -> Any:
    pyarrow: Any = importlib.import_module("pyarrow")
    if dtype.kind == "b":
        return pyarrow.bool8()
    if dtype.kind not in "iuf" or not dtype.isnative or dtype.itemsize > 8:
        raise UnknownColumnError
    return pyarrow.from_numpy_dtype(dtype)


def _wrap(
    values: Any, kind: Any, is_missing: Any = None
) -> tuple[Any, tuple[tuple[int, int], ...]]:
    """Make an array over the memory of one column."""
    import numpy as np

    pyarrow: Any = importlib.import_module("pyarrow")
    if values.ndim != 1 or not values.flags.c_contiguous:
        raise UnknownColumnError
    bitmap = None
    if is_missing is not None and is_missing.any():
        bitmap = pyarrow.py_buffer(np.packbits(~is_missing, bitorder="little"))
    content = pyarrow.py_buffer(values.view(np.uint8))
    stored = getattr(kind, "storage_type", kind)
    array = pyarrow.Array.from_buffers(stored, len(values), [bitmap, content])
    if stored is not kind:
        array = pyarrow.ExtensionArray.from_storage(kind, array)
    return array, (((content.address, content.size),) if content.size else ())


def _wrap_times(values: Any) -> tuple[Any, tuple[tuple[int, int], ...]]:
    import numpy as np

    pyarrow: Any = importlib.import_module("pyarrow")
    memory = values._ndarray  # noqa: SLF001 - pandas offers no other way to its memory
    unit = np.datetime_data(memory.dtype)[0]
    if unit not in _UNITS or memory.ndim != 1 or not memory.dtype.isnative:
        raise UnknownColumnError
    if memory.dtype.kind == "m":
        kind = pyarrow.duration(unit)
    else:
        zone = getattr(values, "tz", None)
        kind = pyarrow.timestamp(unit, None if zone is None else str(zone))
    return _wrap(memory, kind, np.isnat(memory))


def _wrap_categories(values: Any) -> tuple[Any, tuple[tuple[int, int], ...]]:
    pyarrow: Any = importlib.import_module("pyarrow")
    codes = values._codes  # noqa: SLF001 - ``codes`` would be a view that cannot be written
    indices, memory = _wrap(codes, _find_type(codes.dtype), codes == -1)
    try:
        words = pyarrow.array(values.categories, from_pandas=True)
    except (pyarrow.ArrowException, TypeError, ValueError) as error:
        raise UnknownColumnError from error
    ordered = bool(values.ordered)
    made = pyarrow.DictionaryArray.from_arrays(indices, words, ordered=ordered, safe=False)
    return made, memory

"""Canonical bytes of one column or array: the same values give the same digest however they lie.

A column is hashed from its buffers; nothing is serialised. The digest does not depend on chunks,
slices, strides, byte order, width of offsets or of text, the storage behind a pandas type, nor on
what lies under a null or inside a NaN.
"""

from __future__ import annotations

import pickle
from typing import Any

_BLOCK_BYTES = 16 << 20
_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}


class Hasher:
    """A BLAKE3 state that frames each part by its length, so that parts cannot run together.

    Attributes
    ----------
    opaque
        Some values had to be pickled: equal data may have different digests.
    failed
        Some values could not be read at all: there is no digest.
    """

    def __init__(self) -> None:
        from blake3 import blake3

        self._state = blake3(b"mlops_nb.values.1\0")
        self.opaque = False
        self.failed = False

    def add_text(self, text: str) -> None:
        """Add a text."""
        data = text.encode("utf-8", "surrogatepass")
        self._state.update(len(data).to_bytes(8, "little") + data)

    def add_buffer(self, data: Any) -> None:
        """Add a contiguous buffer of known length."""
        self._state.update(data)

    def hexdigest(self) -> str:
        """Give the digest as 64 hex digits."""
        return str(self._state.hexdigest())


def add_array(hasher: Hasher, array: Any) -> None:
    """Add a NumPy array: type, shape and values in C order.

    Parameters
    ----------
    hasher
        State to add to.
    array
        Array of any type, order and byte order.
    """
    import numpy as np

    kind = array.dtype.kind
    hasher.add_text(repr(array.shape) if array.ndim != 1 else f"[{len(array)}]")
    if isinstance(array, np.ma.MaskedArray):
        add_array(hasher, np.ma.getmaskarray(array))
        array = np.where(np.ma.getmaskarray(array), np.zeros((), array.dtype), array.data)
    if kind == "V" and array.dtype.names:
        for name in array.dtype.names:
            hasher.add_text(name)
            add_array(hasher, array[name])
    elif kind in "mM":
        _add_times(hasher, np.asarray(array), "timestamp" if kind == "M" else "duration")
    elif kind in "biufc" and array.dtype.itemsize <= (16 if kind == "c" else 8):
        _add_numbers(hasher, np.asarray(array))
    else:
        add_objects(hasher, np.asarray(array).ravel())


def _add_numbers(hasher: Hasher, array: Any) -> None:
    import numpy as np

    hasher.add_text(array.dtype.name)
    if array.size == 0:
        return
    plain = array.dtype.newbyteorder("<")
    rows = max(1, _BLOCK_BYTES // max(1, array.nbytes // max(1, len(array) if array.ndim else 1)))
    whole = array.reshape(1) if array.ndim == 0 else array
    for start in range(0, len(whole), rows):
        block = np.ascontiguousarray(whole[start : start + rows], dtype=plain)
        if array.dtype.kind in "fc":
            holes = np.isnan(block)
            if holes.any():  # a NaN has many bit patterns; one of them stands for all
                block = np.where(holes, np.array(np.nan, dtype=plain), block)
        hasher.add_buffer(block.reshape(-1).view(np.uint8))


def _add_times(hasher: Hasher, array: Any, name: str) -> None:
    """Hash times in microseconds where that is exact: pandas 2 keeps ns where pandas 3 keeps us."""
    import numpy as np

    unit, count = np.datetime_data(array.dtype)
    values = np.ascontiguousarray(array).view(np.int64)
    missing = values == np.iinfo(np.int64).min
    scale = _MICROSECONDS.get(unit)
    if unit == "ns" and count == 1 and not ((values % 1000 != 0) & ~missing).any():
        unit, values = "us", np.where(missing, values, values // 1000)
    elif scale is not None and count == 1:
        limit = np.iinfo(np.int64).max // scale
        if not ((np.abs(values) > limit) & ~missing).any():
            unit, values = "us", np.where(missing, values, values * scale)
    hasher.add_text(f"{name}[{unit}]" if count == 1 else f"{name}[{count}{unit}]")
    _add_numbers(hasher, values)


def add_objects(hasher: Hasher, values: Any) -> None:
    """Add values that are Python objects: through Arrow where it has a type, else pickled.

    Parameters
    ----------
    hasher
        State to add to; marked opaque where the values had to be pickled, because equal objects
        need not have equal pickles.
    values
        One-dimensional array or list.
    """
    import pyarrow as pa

    try:
        converted = pa.array(values, from_pandas=True)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        converted = None
    if converted is not None and add_arrow(hasher, converted):
        return
    hasher.opaque = True
    hasher.add_text("object")
    try:
        data = pickle.dumps(list(values), protocol=5)
    except Exception:  # noqa: BLE001  (the values' own code may raise anything)
        hasher.failed = True
        return
    hasher.add_text(str(len(data)))
    hasher.add_buffer(data)


def add_arrow(hasher: Hasher, array: Any) -> bool:
    """Add an Arrow array or chunked array.

    Parameters
    ----------
    hasher
        State to add to; untouched where the answer is False.
    array
        Arrow data of any chunking.

    Returns
    -------
    bool
        Whether the type has a canonical form here.
    """
    import pyarrow as pa

    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()
        if isinstance(array, pa.ChunkedArray):  # text beyond 2 GiB stays in chunks
            array = pa.chunked_array([c.cast(_widen(c.type)) for c in array.chunks])
            array = array.combine_chunks()
    if not _is_supported(array.type):
        return False
    _add_arrow(hasher, array)
    return True


def _widen(kind: Any) -> Any:
    import pyarrow as pa

    return {pa.string(): pa.large_string(), pa.binary(): pa.large_binary()}.get(kind, kind)


def _is_supported(kind: Any) -> bool:
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(kind) or types.is_list(kind) or types.is_large_list(kind):
        return _is_supported(kind.value_type)
    if types.is_struct(kind):
        return all(_is_supported(kind.field(i).type) for i in range(kind.num_fields))
    if isinstance(kind, pa.BaseExtensionType):
        return _is_supported(kind.storage_type)
    if types.is_map(kind) or types.is_union(kind) or types.is_fixed_size_list(kind):
        return False
    return not (types.is_list_view(kind) or types.is_run_end_encoded(kind))


def _add_arrow(hasher: Hasher, array: Any) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    types, kind = pa.types, array.type
    if isinstance(kind, pa.BaseExtensionType):
        hasher.add_text(str(kind))
        return _add_arrow(hasher, array.storage)
    if types.is_dictionary(kind):
        return _add_arrow(hasher, array.dictionary_decode())
    if not len(array) and types.is_null(kind):
        array = array.cast(pa.string())  # an empty column of objects is an empty column of text
        kind = array.type
    missing = array.null_count
    hasher.add_text(f"[{len(array)}]")
    if missing and not types.is_null(kind):
        hasher.add_text("nulls")
        add_array(hasher, array.is_valid().to_numpy(zero_copy_only=False))
    if types.is_list(kind) or types.is_large_list(kind):
        hasher.add_text("list")
        add_array(hasher, pc.fill_null(pc.list_value_length(array), 0).cast("int64").to_numpy())
        return _add_arrow(hasher, array.flatten())
    if types.is_struct(kind):
        for index, part in enumerate(array.flatten()):
            hasher.add_text(kind.field(index).name)
            _add_arrow(hasher, part)
        return None
    return _add_flat(hasher, array)


def _add_flat(hasher: Hasher, array: Any) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    types, kind = pa.types, array.type
    if types.is_null(kind):
        hasher.add_text("null")
    elif types.is_boolean(kind):
        hasher.add_text("bool")
        hasher.add_buffer(_buffer(pc.fill_null(array, False).cast(pa.uint8()), 1))
    elif types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        _add_text(hasher, array, "str", pa.large_string())
    elif types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind):
        _add_text(hasher, array, "bytes", pa.large_binary())
    elif types.is_timestamp(kind) or types.is_duration(kind):
        if types.is_timestamp(kind) and kind.tz is not None:
            hasher.add_text(f"tz={kind.tz}")
            array = array.cast(pa.timestamp(kind.unit, "UTC")).cast(pa.timestamp(kind.unit))
        name = "timestamp" if types.is_timestamp(kind) else "duration"
        _add_times(hasher, array.to_numpy(zero_copy_only=False), name)
    elif types.is_integer(kind) or types.is_floating(kind):
        filled = pc.fill_null(array, pa.scalar(0, kind)) if array.null_count else array
        _add_numbers(hasher, filled.to_numpy(zero_copy_only=False))
    else:  # dates, times of day, decimals, fixed-size binary: fixed width, few in practice
        hasher.add_text(str(kind))
        hasher.add_text(repr(array.to_pylist()))


def _buffer(array: Any, width: int) -> memoryview:
    start = array.offset * width
    return memoryview(array.buffers()[1]).cast("B")[start : start + len(array) * width]


def _add_text(hasher: Hasher, array: Any, name: str, wide: Any) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    hasher.add_text(name)
    if "view" in str(array.type):
        array = array.cast(wide)
    if array.null_count:
        array = pc.fill_null(array, pa.scalar("" if name == "str" else b"", array.type))
    if not len(array):
        return
    width = 8 if "large" in str(array.type) else 4
    offsets = np.frombuffer(array.buffers()[1], np.int64 if width == 8 else np.int32)
    offsets = offsets[array.offset : array.offset + len(array) + 1]
    lengths = np.diff(offsets).astype("<i8", copy=False)
    hasher.add_buffer(np.ascontiguousarray(lengths).view(np.uint8))
    first, last = int(offsets[0]), int(offsets[-1])
    if last > first:
        hasher.add_buffer(memoryview(array.buffers()[2]).cast("B")[first:last])

"""Arrays of Python's own texts as codes and words: one number a place, each text once."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import pickle
from collections.abc import Iterator
from typing import Any

_FEWEST = 1000  # below it, objects one by one are as fast
_NONE, _NAN = -1, -2  # codes of what stands for a missing text
_packed: dict[int, tuple[Any, Any]] | None = None


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    """Pack each array once, however often it is asked for; within, no array may change."""
    global _packed
    before, _packed = _packed, {}
    try:
        yield
    finally:
        _packed = before


def pack(array: Any) -> tuple[Any, ...] | None:
    """Pack an array of texts.

    Parameters
    ----------
    array
        Contiguous, of Python objects.

    Returns
    -------
    tuple or None
        Codes, offsets and UTF-8 of the words, each a `pickle.PickleBuffer`; the same for equal
        arrays. None where anything but `str`, None and NumPy's own NaN is in it.
    """
    if array.size < _FEWEST or str(array.dtype) != "object" or array.dtype.metadata:
        return None
    if _packed is None:
        return _pack(array)
    known = _packed.get(id(array))
    if known is None:
        known = _packed[id(array)] = (array, _pack(array))
    found: tuple[Any, ...] | None = known[1]
    return found


def _pack(array: Any) -> tuple[Any, ...] | None:
    numpy = importlib.import_module("numpy")
    pyarrow = importlib.import_module("pyarrow")
    flat = array.reshape(-1, order="C" if array.flags.c_contiguous else "F")
    # Most texts stand at many places as one object: few are looked at, once their addresses are
    # told apart, which costs a tenth of looking at each.
    places = (ctypes.c_ssize_t * flat.size).from_address(flat.__array_interface__["data"][0])
    addresses = pyarrow.array(numpy.frombuffer(places, numpy.intp)).dictionary_encode()
    codes = addresses.indices.to_numpy()
    first = numpy.flatnonzero(numpy.diff(numpy.maximum.accumulate(codes), prepend=-1) > 0)
    objects = flat[first].tolist()
    kinds = set(map(type, objects))
    missing = {}
    if kinds != {str}:
        if not kinds <= {str, type(None), float}:
            return None
        missing = {number: one for number, one in enumerate(objects) if type(one) is not str}
        if any(one is not None and one is not numpy.nan for one in missing.values()):
            return None
    try:
        texts = pyarrow.array([one for one in objects if type(one) is str], pyarrow.large_string())
    except (UnicodeError, pyarrow.ArrowException):
        return None  # half a pair of surrogates
    words = texts.dictionary_encode()
    meaning = numpy.empty(len(objects), numpy.int32)
    is_text = numpy.ones(len(objects), bool)
    is_text[list(missing)] = False
    meaning[is_text] = words.indices.to_numpy()
    for number, one in missing.items():
        meaning[number] = _NONE if one is None else _NAN
    _, offsets, content = words.dictionary.buffers()
    count = len(words.dictionary)
    # Buffers of Arrow are longer than what they hold.
    ends = numpy.frombuffer(offsets, numpy.int64)[: count + 1] if count else numpy.zeros(1, "i8")
    used = numpy.frombuffer(content or b"", numpy.uint8)[: ends[-1]]
    pieces = (meaning[codes], ends, used)
    return tuple(pickle.PickleBuffer(piece.view(numpy.uint8)) for piece in pieces)


def unpack(packed: Any, shape: tuple[int, ...], order: Any, writeable: bool) -> Any:
    """Make an array of texts.

    Parameters
    ----------
    packed
        As of `pack`, or their bytes.
    shape, order, writeable
        As it was.

    Returns
    -------
    numpy.ndarray
        It owns its memory. Equal texts are one object.
    """
    import numpy as np

    pyarrow: Any = importlib.import_module("pyarrow")
    codes = np.frombuffer(packed[0], np.int32)
    buffers = [None, *map(pyarrow.py_buffer, packed[1:])]
    count = buffers[1].size // 8 - 1
    words = np.empty(count + 2, object)  # those that codes count from the end are the missing
    texts = pyarrow.Array.from_buffers(pyarrow.large_string(), count, buffers)
    words[:count] = texts.to_numpy(zero_copy_only=False)
    words[_NONE], words[_NAN] = None, np.nan
    array: Any = np.empty(shape, object, order)
    array.reshape(-1, order=order)[:] = words[codes]
    array.flags.writeable = writeable
    return array

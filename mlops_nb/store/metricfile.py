"""Reads files of metric records, a few without numpy and millions with it."""

from __future__ import annotations

import struct
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlops_nb.store.frames import unpack_frames

if TYPE_CHECKING:
    import numpy as np

RECORD = struct.Struct("<Iqdq")
RECORD_BYTES = RECORD.size + 4
# Below this many records the loop is faster than loading numpy.
FEW_RECORDS = 2048
_WHOLE = struct.Struct("<IqdqI")
_BLOCK = 16384  # records whose intermediate results stay in the processor's cache


class Columns(NamedTuple):
    """Records of one file as arrays of equal length, in the order they were written.

    Attributes
    ----------
    numbers
        Number of each record's metric within the file, uint32.
    steps, values, times
        int64, float64, and int64 in ms since the epoch.
    """

    numbers: np.ndarray
    steps: np.ndarray
    values: np.ndarray
    times: np.ndarray


def read_tail(path: Path, start: int = 0) -> bytes:
    """Read a file from an offset to its end."""
    with path.open("rb") as file:
        if start:
            file.seek(start)
        return file.read()


def read_key_names(path: Path) -> tuple[dict[int, str], int]:
    """Read the names of the metrics of a file of records.

    Parameters
    ----------
    path
        The file of records; the names stand beside it, in ``keys*.log``.

    Returns
    -------
    names : dict
        From number to name.
    dropped : int
        Broken frames that were passed over.
    """
    names = path.with_name(path.name.replace("metrics", "keys", 1)[: -len(".bin")] + ".log")
    try:
        frames, _, dropped = unpack_frames(names.read_bytes())
    except FileNotFoundError:
        return {}, 0
    found = {frame["number"]: frame["key"] for frame in frames if "number" in frame}
    return {number: key for number, key in found.items() if isinstance(key, str)}, dropped


def unpack_records(data: bytes) -> list[tuple[int, int, float, int]]:
    """Give whole and undamaged records as tuples, without numpy.

    Parameters
    ----------
    data
        Part of a file, from the start of a record.

    Returns
    -------
    list of tuple
        Number of the metric, step, value and time in ms.
    """
    view, crc32 = memoryview(data), zlib.crc32
    whole = view[: len(data) - len(data) % RECORD_BYTES]
    found, start = [], 0
    for number, step, value, time_ns, checksum in _WHOLE.iter_unpack(whole):
        if crc32(view[start : start + RECORD.size]) == checksum:
            found.append((number, step, value, time_ns // 1_000_000))
        start += RECORD_BYTES
    return found


def unpack_columns(data: bytes) -> Columns:
    """Give whole and undamaged records as arrays; 30 million a CPU second.

    Parameters
    ----------
    data
        Part of a file, from the start of a record.

    Returns
    -------
    Columns
        In the order they were written.
    """
    import numpy as np

    count = len(data) // RECORD_BYTES
    kind = np.dtype(
        [("key", "<u4"), ("step", "<i8"), ("value", "<f8"), ("time", "<i8"), ("checksum", "<u4")]
    )
    records = np.frombuffer(data, kind, count)
    is_whole = _check(data, count)
    if not is_whole.all():
        records = records[is_whole]
    steps, values = records["step"].astype(np.int64), records["value"].astype(np.float64)
    return Columns(records["key"].astype(np.uint32), steps, values, records["time"] // 1_000_000)


@cache
def _make_table() -> np.ndarray:
    """Give what two bytes at once do to a CRC-32 (polynomial 0xEDB88320, as zlib's)."""
    import numpy as np

    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(0xEDB88320), table >> 1)
    words = np.arange(65536, dtype=np.uint32)
    half = table[words & 255] ^ (words >> 8)
    pair: np.ndarray = table[half & 255] ^ (half >> 8)
    return pair


def _check(data: bytes, count: int) -> np.ndarray:
    """Tell for each record whether its checksum is right, all records at once."""
    import numpy as np

    table, ones = _make_table(), np.uint32(0xFFFFFFFF)
    words = np.frombuffer(data, "<u2", count * 16).reshape(count, 16)
    is_whole = np.empty(count, bool)
    for start in range(0, count, _BLOCK):
        block = words[start : start + _BLOCK]
        turned = np.ascontiguousarray(block[:, :14].T)
        state = np.full(len(block), ones, np.uint32)
        for word in turned:
            state = table[(state ^ word) & np.uint32(0xFFFF)] ^ (state >> np.uint32(16))
        found = np.ascontiguousarray(block[:, 14:]).view("<u4").ravel()
        is_whole[start : start + _BLOCK] = (state ^ ones) == found
    return is_whole

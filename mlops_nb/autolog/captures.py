"""Data as they were at a fit: copied at once, which is quick, and identified later, which is not.

A copy of numbers takes a tenth of the time of a digest of them, and the digest with its record a
hundred times that of a small copy. So what can be copied whole, numbers and times of NumPy and
pandas up to 64 MB, is copied on the user's thread and fingerprinted on another; all else, Python
objects in columns, sparse matrices, lists, is fingerprinted before the fit begins, as it was then.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

from mlops_nb.capture.kinds import identify
from mlops_nb.data import fingerprint
from mlops_nb.records import DatasetRecord

EXACT_BYTES = 256 << 20
LIMIT_BYTES = 64 << 20
_MOST_WAITING_BYTES = 256 << 20
_MOST_REMEMBERED = 64
_TABLES = frozenset({"numpy", "pandas", "scipy"})
_SAMPLE_ROWS = 100
_SAMPLE_BYTES = 1 << 20
_UNKNOWN = DatasetRecord("", "")


class Sample:
    """The first rows of some data, once they were taken."""

    __slots__ = ("capture", "rows")

    def __init__(self, rows: Any = None) -> None:
        self.rows = rows
        self.capture: Capture | None = None

    def read(self) -> Any:
        """Give the rows; None where the data are no table."""
        capture = self.capture
        if capture is not None:
            capture.settle()
        return self.rows


class Capture:
    """A copy of data that is yet to be identified.

    Parameters
    ----------
    data
        The copy.
    size_bytes
        Its size.
    room
        Sum of the sizes of all captures that are kept.

    Attributes
    ----------
    data : object
        The copy.
    sample : Sample
        Its first rows.
    """

    __slots__ = ("_lock", "_record", "_room", "_size_bytes", "data", "sample")

    def __init__(self, data: Any, size_bytes: int, room: list[int]) -> None:
        self.data, self._size_bytes, self._room = data, size_bytes, room
        room[0] += size_bytes
        self._record: DatasetRecord | None = _UNKNOWN
        self.sample = Sample()
        self.sample.capture = self
        self._lock = threading.Lock()

    def settle(self) -> DatasetRecord | None:
        """Identify the data, without name and role; None where they are of no known kind."""
        with self._lock:
            if self._record is _UNKNOWN:
                self._record = fingerprint(self.data, limit_bytes=EXACT_BYTES)
                self.sample.rows = copy_rows(self.data)
                self.sample.capture = None  # the rows outlive the copy
            return self._record

    def __del__(self) -> None:
        """Give the room back."""
        self._room[0] -= self._size_bytes


class CaptureBook:
    """Takes captures, one for the same array many times in a cell."""

    def __init__(self) -> None:
        self._recent: dict[int, Capture] = {}
        self._room = [0]

    def take(self, obj: Any) -> Capture | None:
        """Capture data as they are now.

        Parameters
        ----------
        obj
            Anything; not kept alive.

        Returns
        -------
        Capture or None
            None where they must be fingerprinted at once.
        """
        known = self._recent.get(identify(obj))
        # The content decides: the array may have been written to, or its number be another's now.
        if known is not None and _is_same(obj, known.data):
            return known
        copied, size = self._copy(obj)
        if copied is None:
            return None
        capture = Capture(copied, size, self._room)
        if len(self._recent) >= _MOST_REMEMBERED:
            self._recent.clear()
        self._recent[identify(obj)] = capture
        return capture

    def clear(self) -> None:
        """Forget what is remembered: the cell is over."""
        self._recent.clear()

    def _copy(self, obj: Any) -> tuple[Any, int]:
        numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
        if numpy is not None and type(obj) is getattr(numpy, "ndarray", None):
            if obj.dtype.kind not in "biufcmM" or not self._has_room(obj.nbytes):
                return None, 0
            return obj.copy(order="K"), obj.nbytes
        if pandas is None or type(obj) not in {
            getattr(pandas, "DataFrame", None),
            getattr(pandas, "Series", None),
        }:
            return None, 0
        size = _measure_blocks(obj)
        if size is None or not self._has_room(size):
            return None, 0
        copied = obj.copy()
        if type(copied.index) is not pandas.RangeIndex:
            copied.index = copied.index.copy(deep=True)  # a copy of a frame shares its index
        return copied, size

    def _has_room(self, size: int) -> bool:
        return size <= LIMIT_BYTES and self._room[0] + size <= _MOST_WAITING_BYTES


def _measure_blocks(obj: Any) -> int | None:
    """Give the size of a frame's values; None where some are Python objects."""
    try:
        blocks = [block.values for block in obj._mgr.blocks]  # noqa: SLF001 - `dtypes` takes longer
    except AttributeError:
        return None
    size = 0
    for values in blocks:
        if getattr(values.dtype, "kind", "O") == "O" and type(values).__module__ == "numpy":
            return None
        size += values.nbytes
    return size


def _is_same(obj: Any, copied: Any) -> bool:
    """Tell whether an array has the very bytes of a copy."""
    if type(obj).__module__ != "numpy" or type(copied) is not type(obj):
        return False
    if obj.shape != copied.shape or obj.dtype != copied.dtype:
        return False
    if obj.nbytes <= 1 << 16:
        return bool(obj.tobytes() == copied.tobytes())
    if not (obj.flags.c_contiguous and copied.flags.c_contiguous):
        return False
    import numpy as np

    one, other = obj.reshape(-1).view(np.uint8), copied.reshape(-1).view(np.uint8)
    step = 1 << 20
    return all(
        bool((one[at : at + step] == other[at : at + step]).all())
        for at in range(0, len(one), step)
    )


def copy_rows(data: Any) -> Any:
    """Copy the first rows of a table; None where it is none, or its rows are very long."""
    # What else has a shape slices and copies in ways of its own: polars, torch, h5py ...
    is_known = type(data).__module__.partition(".")[0] in _TABLES
    if not is_known or len(getattr(data, "shape", ())) != 2:
        return None
    rows = data.iloc[:_SAMPLE_ROWS] if hasattr(data, "iloc") else data[:_SAMPLE_ROWS]
    size = rows.size * 8
    return rows.copy() if size <= _SAMPLE_BYTES else None

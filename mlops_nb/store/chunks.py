"""Points of one metric as compressed chunks, with their ranges outside of the compressed part.

A chunk holds up to 8,192 points: three columns (steps, times in ms, values) and a summary of every
128 points. The page on the store's format tells every byte.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_nb.errors import StoreError

if TYPE_CHECKING:
    import numpy as np

CHUNK_POINTS = 8192
BLOCK_POINTS = 128
RAW, DELTA, EVEN, SHUFFLED = 0, 1, 2, 3
_SIZES = struct.Struct("<IIII")
_COLUMN = struct.Struct("<BBq")


@dataclass(slots=True)
class Points:
    """Points of one metric as arrays of equal length: int64, float64 and int64 in ms."""

    steps: np.ndarray
    values: np.ndarray
    times: np.ndarray

    def __len__(self) -> int:
        return len(self.steps)


@dataclass(frozen=True, slots=True)
class ChunkHead:
    """What is known of a chunk without decoding it; NaN where every value is NaN."""

    count: int
    step_min: int
    step_max: int
    time_min: int
    time_max: int
    last_time: int
    low: float
    high: float
    last: float


def _compress(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(level=1).compress(data)


def _decompress(data: memoryview, size: int) -> bytes:
    import zstandard

    return zstandard.ZstdDecompressor().decompress(data, max_output_size=size)


def _shuffle(array: np.ndarray) -> bytes:
    """Put all first bytes together, then all second bytes, so that alike bytes are neighbours."""
    import numpy as np

    return array.view(np.uint8).reshape(len(array), array.itemsize).T.tobytes()


def _unshuffle(data: bytes, kind: str) -> np.ndarray:
    import numpy as np

    width = np.dtype(kind).itemsize
    turned = np.frombuffer(data, np.uint8).reshape(width, -1).T
    return np.ascontiguousarray(turned).view(kind).ravel()


def _pack_whole(array: np.ndarray) -> bytes:
    """Encode int64: evenly spaced as two numbers, else differences of the fewest bytes."""
    import numpy as np

    first = int(array[0])
    # Differences wrap around 2**64 and so does the sum that undoes them: every int64 is exact.
    deltas = np.diff(array)
    if len(deltas) == 0 or bool((deltas == deltas[0]).all()):
        delta = int(deltas[0]) if len(deltas) else 0
        return _COLUMN.pack(EVEN, 8, first) + delta.to_bytes(8, "little", signed=True)
    low, high = int(deltas.min()), int(deltas.max())
    width = next(w for w in (1, 2, 4, 8) if -(1 << 8 * w - 1) <= low and high < 1 << 8 * w - 1)
    data = _shuffle(deltas.astype(f"<i{width}"))
    return _COLUMN.pack(DELTA, width, first) + _compress(data)


def _unpack_whole(data: memoryview, count: int) -> np.ndarray:
    import numpy as np

    codec, width, first = _COLUMN.unpack_from(data)
    rest = data[_COLUMN.size :]
    if codec == EVEN:
        delta = int.from_bytes(rest[:8], "little", signed=True)
        if delta == 1 and first + count < 1 << 63:
            return np.arange(first, first + count, dtype=np.int64)
        even = np.full(count, delta, np.int64)
        even[0] = first
        return np.cumsum(even, out=even)
    deltas = _unshuffle(_decompress(rest, (count - 1) * width), f"<i{width}")
    array = np.empty(count, np.int64)
    array[0] = first
    array[1:] = deltas
    return np.cumsum(array, out=array)


def _pack_values(array: np.ndarray) -> bytes:
    shuffled = _shuffle(array.astype("<f8", copy=False))
    data = _compress(shuffled)
    if len(data) >= len(shuffled):
        return _COLUMN.pack(RAW, 8, 0) + array.astype("<f8", copy=False).tobytes()
    return _COLUMN.pack(SHUFFLED, 8, 0) + data


def _unpack_values(data: memoryview, count: int) -> np.ndarray:
    import numpy as np

    codec, _, _ = _COLUMN.unpack_from(data)
    rest = data[_COLUMN.size :]
    if codec == RAW:
        return np.frombuffer(rest, "<f8", count)
    return _unshuffle(_decompress(rest, count * 8), "<f8")


def pack_chunk(points: Points) -> tuple[ChunkHead, bytes]:
    """Encode up to 8,192 points.

    Parameters
    ----------
    points
        One point or more, in any order.

    Returns
    -------
    head : ChunkHead
        Ranges and the last value.
    data : bytes
        The chunk.
    """
    import numpy as np

    steps, values, times = points.steps, points.values, points.times
    starts = np.arange(0, len(steps), BLOCK_POINTS)
    lows, highs = np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)
    blocks = np.concatenate([steps[starts].astype("<i8").view("<f8"), lows, highs]).tobytes()
    blocks += zlib.crc32(blocks).to_bytes(4, "little")
    parts = [_pack_whole(steps), _pack_whole(times), _pack_values(values), blocks]
    head = ChunkHead(
        len(steps), int(steps.min()), int(steps.max()), int(times.min()), int(times.max()),
        int(times[-1]), float(np.fmin.reduce(lows)), float(np.fmax.reduce(highs)),
        float(values[-1]),
    )  # fmt: skip
    return head, _SIZES.pack(*map(len, parts)) + b"".join(parts)


def _split(data: bytes | memoryview) -> list[memoryview]:
    view, start, parts = memoryview(data), _SIZES.size, []
    for size in _SIZES.unpack_from(view):
        parts.append(view[start : start + size])
        start += size
    return parts


def unpack_chunk(data: bytes | memoryview, count: int, *, with_times: bool = True) -> Points:
    """Decode a chunk.

    Parameters
    ----------
    data
        What `pack_chunk` gave.
    count
        Number of points, from its head.
    with_times
        Off where times are not needed; they are empty then.

    Returns
    -------
    Points
        In the order they were encoded.

    Raises
    ------
    StoreError
        The bytes are no chunk.
    """
    import numpy as np
    import zstandard

    try:
        steps, times, values, _ = _split(data)
        found = _unpack_whole(times, count) if with_times else np.empty(0, np.int64)
        return Points(_unpack_whole(steps, count), _unpack_values(values, count), found)
    except (struct.error, ValueError, TypeError, zstandard.ZstdError) as error:
        raise StoreError("a chunk of points", f"it cannot be decoded: {error}") from error


def count_block_bytes(count: int) -> int:
    """Give the size of the summary that a chunk of so many points ends with."""
    return -(-count // BLOCK_POINTS) * 24 + 4


def unpack_blocks(data: bytes) -> np.ndarray | None:
    """Read the summary of a chunk, from its last bytes.

    Parameters
    ----------
    data
        The last `count_block_bytes` bytes of a chunk.

    Returns
    -------
    numpy.ndarray or None
        Of shape (3, blocks), float64: first step (its bits are those of an int64), lowest and
        highest value of every 128 points. None where the bytes are damaged.
    """
    import numpy as np

    if zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        return None
    return np.frombuffer(data, "<f8", (len(data) - 4) // 8).reshape(3, -1)


def split_points(points: Points) -> list[Points]:
    """Cut a series into pieces of 8,192 points."""
    return [
        Points(points.steps[cut], points.values[cut], points.times[cut])
        for cut in (
            slice(start, start + CHUNK_POINTS) for start in range(0, len(points), CHUNK_POINTS)
        )
    ]


def join_points(parts: list[Points]) -> Points:
    """Put pieces of a series together in the order given."""
    import numpy as np

    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Points(np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.int64))
    return Points(
        np.concatenate([part.steps for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.times for part in parts]),
    )


def is_ordered(points: Points) -> bool:
    """Tell whether points are by step, and by time within a step."""
    steps, times = points.steps, points.times
    later = steps[1:] > steps[:-1]
    if bool(later.all()):
        return True
    return bool((later | ((steps[1:] == steps[:-1]) & (times[1:] >= times[:-1]))).all())


def order_points(points: Points) -> Points:
    """Give points by step, then by time, then in the order they came."""
    import numpy as np

    if is_ordered(points):
        return points
    order = np.lexsort((points.times, points.steps))
    return Points(points.steps[order], points.values[order], points.times[order])

"""Write-once files of all metrics of a run: the same chunks as in the index, with checksums.

``metrics.N.col`` is a magic number, a frame that describes the file, chunks each behind its head,
and at the end all heads once more with a frame, so that a reader finds any chunk by reading the
end. Where the end is damaged the chunks are found by walking from the front.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_nb.store.chunks import (
    ChunkHead,
    Points,
    join_points,
    pack_chunk,
    split_points,
    unpack_chunk,
)
from mlops_nb.store.frames import HEAD as FRAME
from mlops_nb.store.frames import pack_frame, unpack_frames

MAGIC = b"MNBCOL\x00\x01"
# Metric, points, bytes, crc32 of the bytes; offset, range of steps, range of times, time of the
# last; low, high, last. The crc32 of all that follows.
_HEAD = struct.Struct("<IIIIQqqqqqddd")
HEAD_BYTES = _HEAD.size + 4
_TAIL = struct.Struct("<QQI")
TAIL_BYTES = _TAIL.size + len(MAGIC)


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """Where a chunk lies in its file, and its head."""

    key: int
    offset: int
    size_bytes: int
    checksum: int
    head: ChunkHead


@dataclass(slots=True)
class ColumnFile:
    """A file of chunks, opened by its end.

    Attributes
    ----------
    keys
        Names of the metrics by number.
    sources
        Names of the files whose records are kept here; they may still lie beside it.
    chunks
        In the order of the file: metric by metric, each by step and time.
    dropped
        Damaged records of the sources, and points of this file that cannot be read.
    """

    path: Path
    keys: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    chunks: list[StoredChunk] = field(default_factory=list)
    dropped: int = 0

    def find_chunks(self, key: str) -> list[StoredChunk]:
        """Give the chunks of one metric in order."""
        if key not in self.keys:
            return []
        number = self.keys.index(key)
        return [chunk for chunk in self.chunks if chunk.key == number]

    def read_chunks(self, chunks: list[StoredChunk]) -> list[tuple[StoredChunk, bytes]]:
        """Read chunks that are whole; damaged ones are left out.

        Parameters
        ----------
        chunks
            Of this file.

        Returns
        -------
        list of tuple
            Each with its bytes.
        """
        found = []
        with self.path.open("rb") as file:
            for chunk in chunks:
                file.seek(chunk.offset)
                data = file.read(chunk.size_bytes)
                if len(data) == chunk.size_bytes and zlib.crc32(data) == chunk.checksum:
                    found.append((chunk, data))
        return found


def _pack_head(chunk: StoredChunk) -> bytes:
    head = chunk.head
    data = _HEAD.pack(
        chunk.key, head.count, chunk.size_bytes, chunk.checksum, chunk.offset,
        head.step_min, head.step_max, head.time_min, head.time_max, head.last_time,
        head.low, head.high, head.last,
    )  # fmt: skip
    return data + zlib.crc32(data).to_bytes(4, "little")


def _unpack_head(data: bytes, start: int) -> StoredChunk | None:
    end = start + _HEAD.size
    if zlib.crc32(data[start:end]) != int.from_bytes(data[end : end + 4], "little"):
        return None
    key, count, size_bytes, checksum, offset, *rest = _HEAD.unpack_from(data, start)
    return StoredChunk(key, offset, size_bytes, checksum, ChunkHead(count, *rest))


def pack_columns(series: dict[str, Points], sources: list[str], dropped: int) -> bytes:
    """Encode all series of a run.

    Parameters
    ----------
    series
        Points by metric, each by step and time.
    sources
        Names of the files that held them.
    dropped
        Damaged records that the files also held.

    Returns
    -------
    bytes
        The whole file.
    """
    about = {"format": 1, "keys": list(series), "sources": sources, "dropped": dropped}
    frame = pack_frame(about)
    parts, position = [MAGIC, frame], len(MAGIC) + len(frame)
    heads = []
    for key, points in enumerate(series.values()):
        for piece in split_points(points):
            head, data = pack_chunk(piece)
            offset = position + HEAD_BYTES
            packed = _pack_head(StoredChunk(key, offset, len(data), zlib.crc32(data), head))
            heads.append(packed)
            parts += [packed, data]
            position += HEAD_BYTES + len(data)
    end = frame + b"".join(heads)
    return b"".join([*parts, end, _TAIL.pack(position, len(frame), zlib.crc32(end)), MAGIC])


def open_columns(path: Path) -> ColumnFile:
    """Read the heads of a file of chunks.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    ColumnFile
        What can be read of it; ``dropped`` counts what cannot, at least 1 for a damaged file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    """
    found = ColumnFile(path)
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL_BYTES))
        tail = file.read()
        if len(tail) == TAIL_BYTES and tail.endswith(MAGIC):
            start, frame_bytes, checksum = _TAIL.unpack_from(tail)
            if start <= size - TAIL_BYTES:
                file.seek(start)
                end = file.read(size - TAIL_BYTES - start)
                if zlib.crc32(end) == checksum and _take_end(found, end, frame_bytes):
                    return found
        file.seek(0)
        _walk(found, file.read())
    return found


def _take_about(found: ColumnFile, about: dict[str, Any]) -> None:
    found.keys = [str(key) for key in about["keys"]]
    found.sources = [str(name) for name in about["sources"]]
    found.dropped += int(about["dropped"])


def _take_end(found: ColumnFile, end: bytes, frame_bytes: int) -> bool:
    frames, _, _ = unpack_frames(end[:frame_bytes])
    heads = [_unpack_head(end, start) for start in range(frame_bytes, len(end), HEAD_BYTES)]
    if len(frames) != 1 or None in heads:
        return False
    _take_about(found, frames[0])
    found.chunks = [head for head in heads if head is not None]
    return True


def _walk(found: ColumnFile, data: bytes) -> None:
    """Find chunks from the front of a file whose end is damaged."""
    found.dropped += 1
    if not data.startswith(MAGIC) or len(data) < len(MAGIC) + FRAME.size:
        return
    position = len(MAGIC)
    length, _ = FRAME.unpack_from(data, position)
    frames, _, _ = unpack_frames(data[position : position + FRAME.size + length])
    if len(frames) != 1:
        return
    _take_about(found, frames[0])
    position += FRAME.size + length
    while position + HEAD_BYTES <= len(data):
        chunk = _unpack_head(data, position)
        if chunk is None or chunk.offset != position + HEAD_BYTES or chunk.key >= len(found.keys):
            return  # the end of the chunks, or a damaged head
        position = chunk.offset + chunk.size_bytes
        if position <= len(data):
            found.chunks.append(chunk)


def read_column_series(file: ColumnFile, key: str) -> tuple[list[Points], int]:
    """Read one metric of a file.

    Returns
    -------
    pieces : list of Points
        Chunk by chunk.
    lost : int
        Points in damaged chunks.
    """
    chunks = file.find_chunks(key)
    whole = file.read_chunks(chunks)
    pieces = [unpack_chunk(data, chunk.head.count) for chunk, data in whole]
    return pieces, sum(chunk.head.count for chunk in chunks) - sum(map(len, pieces))


def read_last(file: ColumnFile) -> dict[str, tuple[int, int, float]]:
    """Give the last point of each metric from the heads alone.

    Returns
    -------
    dict
        Step, time in ms and value by metric.
    """
    last: dict[str, tuple[int, int, float]] = {}
    for chunk in file.chunks:
        head = chunk.head
        last[file.keys[chunk.key]] = (head.step_max, head.last_time, head.last)
    return last


def same_points(whole: Points, pieces: list[Points]) -> bool:
    """Tell whether pieces make up a series in every bit, NaN and the sign of zero included."""
    found = join_points(pieces)
    return all(
        getattr(whole, name).tobytes() == getattr(found, name).tobytes()
        for name in ("steps", "values", "times")
    )

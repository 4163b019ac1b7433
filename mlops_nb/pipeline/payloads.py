"""Reads what a component brings, straight into the memory where it stays; verified before use."""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import blake3

from mlops_nb.errors import CorruptObjectError
from mlops_nb.pipeline.contentfile import find_file
from mlops_nb.pipeline.layouts import Layout, Piece, Range
from mlops_nb.pipeline.sealing import open_component, open_layout
from mlops_nb.pipeline.state import Component

_CHUNK_BYTES = 8 * 2**20  # hashed while it is still in the processor's cache


@dataclass(frozen=True, slots=True)
class Payload:
    """What was read of a component; all of it is verified.

    Attributes
    ----------
    stream
        A pickle.
    buffers
        Memory that it refers to.
    """

    stream: bytes | bytearray | memoryview
    buffers: Sequence[Any] = ()


def open_payload(part: Component, folder: Path, key: bytes) -> Payload:
    """Read a component, and find out whether it is ours and unchanged.

    Parameters
    ----------
    part
        From a manifest.
    folder
        Of the components.
    key
        From `sealing.read_key`.

    Returns
    -------
    Payload
        For `load_payload`.

    Raises
    ------
    CorruptObjectError
        It is gone, was not written with this key, or was changed.
    """
    layout = open_layout(part, folder, key)
    if layout is None:
        return Payload(open_component(part, folder, key))
    path = find_file(folder, layout.file)
    made = [_make(piece) for piece in layout.pieces]
    targets = [
        target
        for piece, (_, memory) in zip(layout.pieces, made, strict=True)
        for target in _cut(memory, piece.ranges)
    ]
    stream: bytes | bytearray
    if isinstance(layout.stream, bytes):
        stream = layout.stream
    else:
        stream = bytearray(layout.stream[1])
        targets += _cut(memoryview(stream), [layout.stream])
    try:
        with path.open("rb", buffering=0) as file:
            digest = _fill(file, sorted(targets, key=lambda found: found[0]), layout)
    except OSError as error:
        raise CorruptObjectError(path, part.file, f"cannot be read ({error})") from error
    if digest != layout.file.partition(".")[0]:
        raise CorruptObjectError(path, part.file, "has been changed since it was written")
    return Payload(stream, [value for value, _ in made])


def _make(piece: Piece) -> tuple[Any, memoryview]:
    """Make what a pickle will be given, and a view of its bytes to be filled."""
    import numpy as np

    if piece.kind == "storage":
        torch: Any = importlib.import_module("torch")  # without types: its storages have none
        storage = torch.UntypedStorage(piece.size_bytes)
        flat = torch.tensor([], dtype=torch.uint8).set_(storage).numpy()
        return storage, memoryview(flat)
    if piece.kind == "array":
        order: Any = piece.order
        array: Any = np.empty(piece.shape, piece.dtype, order)
        return array, memoryview(array.reshape(-1, order=order).view(np.uint8))
    memory: Any = np.empty(piece.size_bytes, np.uint8)
    return memory, memoryview(memory)


def _cut(memory: memoryview, ranges: Iterable[Range]) -> Iterator[tuple[int, memoryview]]:
    """Give the part of memory that each range of a file goes to, with its offset in the file."""
    place = 0
    for offset, length in ranges:
        yield offset, memory[place : place + length]
        place += length


def _fill(file: BinaryIO, targets: list[tuple[int, memoryview]], layout: Layout) -> str:
    """Read a whole file in order, each part into its memory, and take the digest of that."""
    hasher = blake3.blake3(max_threads=blake3.blake3.AUTO)
    position = 0
    for offset, target in [*targets, (layout.size_bytes, memoryview(b""))]:
        for memory in (memoryview(bytearray(offset - position)), target):
            for start in range(0, len(memory), _CHUNK_BYTES):
                chunk = memory[start : start + _CHUNK_BYTES]
                _read_into(file, chunk)
                hasher.update(chunk)
        position = offset + len(target)
    if file.read(1):
        return ""  # it has grown
    return str(hasher.hexdigest())


def _read_into(file: Any, chunk: memoryview) -> None:
    done = 0
    while done < len(chunk):
        count = file.readinto(chunk[done:])
        if not count:
            raise OSError("it ends early")
        done += count


def load_payload(part: Component, payload: Payload) -> Any:
    """Load what a component brings.

    Parameters
    ----------
    part
        The component.
    payload
        From `open_payload`.

    Returns
    -------
    tuple
        Values by name, and the objects whose run is known with its id.
    """
    if part.has_nans:
        from mlops_nb.pipeline.identities import load_identities

        return load_identities(payload.stream, payload.buffers)
    return pickle.loads(payload.stream, buffers=payload.buffers)  # noqa: S301 - it is verified

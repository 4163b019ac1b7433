"""Where the parts of a value stand in a file that any tool can open; signed in the manifest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Range = tuple[int, int]  # offset and length


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of memory of a value.

    Attributes
    ----------
    kind
        What is made for it: ``bytes``, ``array`` (of numpy) or ``storage`` (of torch).
    ranges
        Where its bytes stand, in their order.
    dtype, shape, order
        Of an array.
    """

    kind: str
    ranges: tuple[Range, ...]
    dtype: str = ""
    shape: tuple[int, ...] = ()
    order: str = "C"

    @property
    def size_bytes(self) -> int:
        """Length of all ranges together."""
        return sum(length for _, length in self.ranges)


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file holds.

    Attributes
    ----------
    file
        Name of the file: digest of its bytes and an ending.
    size_bytes
        Of the file.
    stream
        The pickle that puts the value together, or where it stands in the file.
    pieces
        Memory that the pickle refers to, in its order.
    """

    file: str
    size_bytes: int
    stream: bytes | Range
    pieces: tuple[Piece, ...]


def write_layout(layout: Layout) -> bytes:
    """Write a layout.

    Parameters
    ----------
    layout
        The layout.

    Returns
    -------
    bytes
        One line of JSON, and the pickle where it does not stand in the file.
    """
    is_beside = isinstance(layout.stream, bytes)
    document = {
        "file": layout.file,
        "size_bytes": layout.size_bytes,
        "stream": None if is_beside else layout.stream,
        "pieces": [_describe(piece) for piece in layout.pieces],
    }
    line = json.dumps(document, separators=(",", ":")).encode()
    return line + b"\n" + (layout.stream if isinstance(layout.stream, bytes) else b"")


def _describe(piece: Piece) -> list[Any]:
    found: list[Any] = [piece.kind, piece.ranges]
    return [*found, piece.dtype, piece.shape, piece.order] if piece.kind == "array" else found


def read_layout(data: bytes | memoryview) -> Layout:
    """Read a layout.

    Parameters
    ----------
    data
        From `write_layout`; whoever calls has verified the signature.

    Returns
    -------
    Layout
        The layout.
    """
    line, _, rest = bytes(data).partition(b"\n")
    document = json.loads(line)
    stream = document["stream"]
    pieces = tuple(_read_piece(*found) for found in document["pieces"])
    place = rest if stream is None else (stream[0], stream[1])
    return Layout(document["file"], document["size_bytes"], place, pieces)


def _read_piece(
    kind: str,
    ranges: Sequence[Sequence[int]],
    dtype: str = "",
    shape: Sequence[int] = (),
    order: str = "C",
) -> Piece:
    return Piece(
        kind, tuple((start, length) for start, length in ranges), dtype, tuple(shape), order
    )

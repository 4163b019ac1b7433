"""Cuts bytes where their content says so: a change moves the cuts beside it and no others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from mlops_nb.errors import InvalidValueError


class Stream(Protocol):
    """What can be cut without being held in memory."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill a buffer, and tell how many bytes were read."""
        ...


class CutSizes(NamedTuple):
    """How large chunks are; fixed when a store is made, because cuts must fall alike for ever.

    Attributes
    ----------
    min_bytes, average_bytes, max_bytes
        Limits and aim of FastCDC (2020, normalization 1, seed 0).
    """

    min_bytes: int = 16 * 1024
    average_bytes: int = 64 * 1024
    max_bytes: int = 256 * 1024

    def to_json(self) -> dict[str, Any]:
        """Give the entry ``cdc`` of ``format.json``."""
        return {"algorithm": "fastcdc2020", "normalization": 1, "seed": 0, **self._asdict()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> CutSizes:
        """Read the entry ``cdc`` of ``format.json``.

        Raises
        ------
        InvalidValueError
            The store was cut in a way that this version does not know.
        """
        sizes = cls(*(document.get(name) for name in cls._fields))  # type: ignore[arg-type]
        whole = all(type(value) is int and value > 0 for value in sizes)
        if not whole or dict(document) != sizes.to_json():
            raise InvalidValueError("cdc of format.json", dict(document), str(cls().to_json()))
        return sizes

    def cut(self, stream: Stream) -> Iterator[memoryview]:
        """Cut a stream.

        Parameters
        ----------
        stream
            An open file, or bytes in an `io.BytesIO`.

        Yields
        ------
        memoryview
            The chunks in order; each is valid until the next is asked for.
        """
        from pyfastcdc import FastCDC

        # Read, not mapped: a mapped file that somebody shortens meanwhile kills the process.
        cutter = FastCDC(
            self.average_bytes,
            min_size=self.min_bytes,
            max_size=self.max_bytes,
            normalized_chunking=1,
            seed=0,
        )
        for chunk in cutter.cut_stream(stream):
            yield chunk.data

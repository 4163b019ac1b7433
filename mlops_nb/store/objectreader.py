"""Reads objects from packs: every blob and every whole verified before anyone relies on it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from mlops_nb.errors import CorruptObjectError, NotFoundError
from mlops_nb.store.packindex import PackIndex, Place
from mlops_nb.store.packs import (
    RECIPE,
    PackFolder,
    Record,
    decode_blob,
    read_footer,
    unpack_recipe,
)


class ObjectReader:
    """Finds blobs through the index, and past it where the index is wrong.

    Parameters
    ----------
    root
        The store's folder, for messages.
    packs
        Where the bytes are.
    index
        Where they are said to be.
    """

    def __init__(self, root: Path, packs: PackFolder, index: PackIndex) -> None:
        self.root, self.packs, self.index = root, packs, index

    def load(self, digest: bytes) -> tuple[Record, bytes]:
        """Read one verified blob from any pack that has it whole.

        Raises
        ------
        NotFoundError, CorruptObjectError
            No pack has it; every copy is damaged.
        """
        for last in (False, True):
            damaged = []
            for name, record in self.index.find(digest):
                try:
                    data = decode_blob(record, self.packs.read(name, record))
                except FileNotFoundError:
                    continue  # collected since; its copy is found below
                if data is not None:
                    return record, data
                damaged.append((name, record))
            if damaged and last:
                raise CorruptObjectError(self.root, digest.hex(), "does not match its digest")
            if not last and self._is_index_right(damaged):
                self.index.refresh()
            elif not last:
                self.index.rebuild()
        lost = len(self.index.unreadable)
        hint = "It may not have been pulled."
        if lost:
            hint = f"{lost} packs cannot be read; see: mlops-nb store verify"
        raise NotFoundError("object", digest.hex(), (), hint)

    def _is_index_right(self, places: list[Place]) -> bool:
        with contextlib.suppress(OSError):
            return all(record in read_footer(self.packs.locate(name)) for name, record in places)
        return True  # the pack is what is damaged

    def pieces(self, digest: str) -> Iterator[bytes]:
        """Read an object piece by piece, each verified; the last check is of the whole.

        Raises
        ------
        NotFoundError, CorruptObjectError
            As `read_bytes` does; possibly after some pieces.
        """
        from blake3 import blake3

        record, data = self.load(bytes.fromhex(digest))
        recipe = unpack_recipe(data) if record.kind & RECIPE else None
        if recipe is None:
            yield data
            return
        whole, size = blake3(), 0
        for chunk, length in recipe[1]:
            try:
                part, piece = self.load(chunk)
            except NotFoundError:
                found = f"lacks its chunk {chunk.hex()[:16]}"
                raise CorruptObjectError(self.root, digest, found) from None
            except CorruptObjectError:
                found = f"has the damaged chunk {chunk.hex()[:16]}"
                raise CorruptObjectError(self.root, digest, found) from None
            if part.kind & RECIPE or len(piece) != length:
                raise CorruptObjectError(self.root, digest, "has a recipe that does not fit")
            whole.update(piece)
            size += length
            yield piece
        if size != recipe[0] or whole.hexdigest() != digest:
            raise CorruptObjectError(self.root, digest, "does not match its digest")

"""A file that is named by the digest of its bytes, hashed while it is written."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import blake3

_CHUNK_BYTES = 8 * 2**20  # hashed while it is still in the processor's cache
ALIGNMENT = 64  # what Arrow and numpy like best


def find_file(folder: Path, name: str) -> Path:
    """Give the place of a component's file.

    Parameters
    ----------
    folder
        Of the components.
    name
        Digest of its bytes, with or without an ending.

    Returns
    -------
    Path
        In a folder named by the first two letters.
    """
    return folder / name[:2] / name


class ContentFile:
    """Takes bytes; only when all of them are there the file appears.

    Parameters
    ----------
    folder
        Where files go, named by digest.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._temporary = folder / f".{os.getpid()}.{secrets.token_hex(8)}"
        self._file = self._temporary.open("wb")
        self._hasher = blake3.blake3(max_threads=blake3.blake3.AUTO)
        self.size_bytes = 0

    def write(self, data: Any) -> int:
        """Take bytes.

        Parameters
        ----------
        data
            Any contiguous buffer; nothing is copied.

        Returns
        -------
        int
            How many there were.
        """
        view = memoryview(data).cast("B")
        for start in range(0, view.nbytes, _CHUNK_BYTES):
            chunk = view[start : start + _CHUNK_BYTES]
            self._file.write(chunk)
            self._hasher.update(chunk)
        self.size_bytes += view.nbytes
        return view.nbytes

    def align(self) -> int:
        """Fill up to where memory should begin.

        Returns
        -------
        int
            The offset of what is written next.
        """
        self.write(bytes(-self.size_bytes % ALIGNMENT))
        return self.size_bytes

    def finish(self, ending: str = "") -> str:
        """Give the file its name.

        Parameters
        ----------
        ending
            Such as ``.npy``.

        Returns
        -------
        str
            Digest of the bytes, and the ending.
        """
        self._file.close()
        name = f"{self._hasher.hexdigest()}{ending}"
        target = find_file(self._folder, name)
        target.parent.mkdir(exist_ok=True)
        self._temporary.replace(target)
        return name

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)

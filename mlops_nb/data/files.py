"""Identity of files: a digest over all bytes, for huge ones over blocks spread evenly."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import blake3

from mlops_nb.data.fingerprint import SAMPLED

EXACT_BYTES = 256 << 20
_BLOCK_BYTES = 1 << 16
_BLOCKS = 64
_MOST_KNOWN = 4096

Stamp = tuple[int, int, int, int]


def read_stamp(path: str | Path) -> Stamp | None:
    """Read what tells cheaply that a file was not touched.

    Parameters
    ----------
    path
        Of the file.

    Returns
    -------
    tuple of int or None
        Size in bytes, time of the last change of content and of the inode in ns, inode; None where
        there is no regular file.
    """
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


class FileIdentities:
    """Fingerprints of files, each computed once as long as the file is not touched."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Stamp, str]] = {}
        self._lock = threading.Lock()

    def find(self, path: str, *, limit_bytes: int = EXACT_BYTES) -> tuple[str, int, int] | None:
        """Give the identity of a file as it lies there now.

        Parameters
        ----------
        path
            Absolute.
        limit_bytes
            Of a larger file only 64 blocks of 64 KiB are read, the first and the last among them;
            the fingerprint then begins with ``sampled-`` and proves nothing about the rest.

        Returns
        -------
        tuple or None
            Fingerprint, size in bytes and time of the last change in ns. The fingerprint is empty
            where the file cannot be read or changes meanwhile; None where there is no file.
        """
        stamp = read_stamp(path)
        if stamp is None:
            return None
        with self._lock:
            known = self._known.get(path)
        is_sampled = stamp[0] > limit_bytes
        if known is None or known[0] != stamp or known[1].startswith(SAMPLED) != is_sampled:
            try:
                digest = _sample(path, stamp[0]) if is_sampled else _read_all(path)
            except (OSError, ValueError):
                return "", stamp[0], stamp[1]
            if read_stamp(path) != stamp:
                return "", stamp[0], stamp[1]
            known = (stamp, digest)
            with self._lock:
                if len(self._known) >= _MOST_KNOWN:
                    self._known.pop(next(iter(self._known)))
                self._known[path] = known
        return known[1], stamp[0], stamp[1]


def _read_all(path: str) -> str:
    hasher = blake3.blake3()  # one thread: the user's work needs the others
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as little around it as possible
        while data := file.read(1 << 20):
            hasher.update(data)
    return str(hasher.hexdigest())


def _sample(path: str, size: int) -> str:
    hasher = blake3.blake3(f"{SAMPLED}{size}".encode())
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
        for number in range(_BLOCKS):
            file.seek((size - _BLOCK_BYTES) * number // (_BLOCKS - 1), os.SEEK_SET)
            hasher.update(file.read(_BLOCK_BYTES))
    return f"{SAMPLED}{hasher.hexdigest()}"

"""Signs what crosses between steps, and opens only what this store has signed."""

from __future__ import annotations

import hashlib
import hmac
import json
import mmap
import os
import secrets
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import blake3

from mlops_nb.errors import CorruptObjectError, InvalidValueError
from mlops_nb.pipeline.state import Component
from mlops_nb.store.files import write_whole

MAGIC = b"mlops_nb boundary 2\n"
_HEADER = struct.Struct(f"<{len(MAGIC)}sQ32s")
_MAC_BYTES = 32
INLINE_BYTES = 8192


def read_key(folder: Path) -> bytes:
    """Give the secret key of a store; make it on first use.

    Parameters
    ----------
    folder
        The store's folder.

    Returns
    -------
    bytes
        32 bytes that only the owner of the folder can read.
    """
    path = folder / "boundary.key"
    if not path.exists():
        # Two runs may start at once: the key appears whole, and both read what stands there.
        write_whole(path, secrets.token_bytes(32), mode=0o600)
    key = path.read_bytes()
    if len(key) != 32:
        raise InvalidValueError(
            f"the key in {str(path)!r}", key[:0], "32 bytes", "Delete the file."
        )
    return key


class Sealer:
    """Takes the bytes of a component, keeps few in memory and many in a file, and signs them.

    Parameters
    ----------
    folder
        Where files go, named by digest.
    key
        From `read_key`.
    """

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder, self._key = folder, key
        self._hasher = blake3.blake3(max_threads=blake3.blake3.AUTO)
        self._inline: bytearray | None = bytearray()
        self._file: BinaryIO | None = None
        self._temporary: Path | None = None
        self.size_bytes = 0

    def write(self, data: Any) -> int:
        """Take bytes.

        Parameters
        ----------
        data
            Any buffer.

        Returns
        -------
        int
            How many there were.
        """
        length = memoryview(data).nbytes
        self.size_bytes += length
        self._hasher.update(data)
        if self._inline is not None and len(self._inline) + length <= INLINE_BYTES:
            self._inline += data
            return length
        if self._file is None:
            self._temporary = self._folder / f".{os.getpid()}.{secrets.token_hex(8)}"
            self._file = self._temporary.open("wb")
            self._file.write(bytes(_HEADER.size + _MAC_BYTES) + bytes(self._inline or b""))
            self._inline = None
        self._file.write(data)
        return length

    def _make_header(self) -> bytes:
        header = _HEADER.pack(MAGIC, self.size_bytes, self._hasher.digest())
        return header + hmac.digest(self._key, header, hashlib.sha256)

    def finish(self) -> tuple[str, bytes]:
        """Sign what was written.

        Returns
        -------
        file : str
            Name of the file, empty where there is none.
        inline : bytes
            The signed bytes where there is no file.
        """
        if self._file is None or self._temporary is None:
            return "", self._make_header() + bytes(self._inline or b"")
        self._file.seek(0)
        self._file.write(self._make_header())
        self._file.close()
        name = str(self._hasher.hexdigest())
        target = find_file(self._folder, name)
        target.parent.mkdir(exist_ok=True)
        self._temporary.replace(target)
        return name, b""

    def abandon(self) -> None:
        """Leave nothing behind."""
        if self._file is not None and self._temporary is not None:
            self._file.close()
            self._temporary.unlink(missing_ok=True)


def find_file(folder: Path, name: str) -> Path:
    """Give the place of a component's file.

    Parameters
    ----------
    folder
        Of the components.
    name
        Digest of its bytes.

    Returns
    -------
    Path
        In a folder named by the first two letters.
    """
    return folder / name[:2] / name


def open_component(part: Component, folder: Path, key: bytes) -> memoryview:
    """Give the bytes of a component once they are found to be ours and unchanged.

    Parameters
    ----------
    part
        From a manifest.
    folder
        Of the components.
    key
        From `read_key`.

    Returns
    -------
    memoryview
        The payload.

    Raises
    ------
    CorruptObjectError
        It is gone, was not written with this key, or was changed.
    """
    path = find_file(folder, part.file) if part.file else folder
    if part.file:
        try:
            with path.open("rb") as file:
                content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (OSError, ValueError) as error:  # ValueError: it is empty
            raise CorruptObjectError(path, part.file, f"cannot be read ({error})") from error
    else:
        content = memoryview(part.inline)
    start = _HEADER.size + _MAC_BYTES
    if len(content) < start or content[: len(MAGIC)] != MAGIC:
        raise CorruptObjectError(path, path.name, "is not a boundary of this version")
    header = bytes(content[: _HEADER.size])
    _, size_bytes, digest = _HEADER.unpack(header)
    signature = bytes(content[_HEADER.size : start])
    if not hmac.compare_digest(hmac.digest(key, header, hashlib.sha256), signature):
        raise CorruptObjectError(path, digest.hex(), "was not written by this store")
    payload = content[start:]
    found = blake3.blake3(payload, max_threads=blake3.blake3.AUTO).digest()
    if len(payload) != size_bytes or found != digest:
        raise CorruptObjectError(path, digest.hex(), "has been changed since it was written")
    return payload


def sign_document(document: Mapping[str, Any], key: bytes) -> bytes:
    """Write a JSON document that only the owner of the key could have written.

    Parameters
    ----------
    document
        JSON types.
    key
        From `read_key`.

    Returns
    -------
    bytes
        The signature in hex, a line end, the JSON text.
    """
    body = json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
    return hmac.digest(key, body, hashlib.sha256).hex().encode() + b"\n" + body


def read_signed(data: bytes, key: bytes) -> Any | None:
    """Read a signed document.

    Parameters
    ----------
    data
        From `sign_document`.
    key
        From `read_key`.

    Returns
    -------
    object or None
        None where the signature is not of this key.
    """
    signature, _, body = data.partition(b"\n")
    if not hmac.compare_digest(hmac.digest(key, body, hashlib.sha256).hex().encode(), signature):
        return None
    return json.loads(body)

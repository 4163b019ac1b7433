"""Signs what crosses between steps, and opens only what this store has signed."""

from __future__ import annotations

import hashlib
import hmac
import json
import mmap
import secrets
import struct
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import blake3

from mlops_nb.errors import CorruptObjectError, InvalidValueError
from mlops_nb.pipeline.contentfile import ContentFile, find_file
from mlops_nb.pipeline.layouts import Layout, Piece, read_layout, write_layout
from mlops_nb.pipeline.state import Component
from mlops_nb.store.files import write_whole

MAGIC = b"mlops_nb boundary 2\n"
_MAGIC_OF_LAYOUT = b"mlops_nb boundary 3\n"
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
    """Takes a pickle, keeps a short one in memory and a long one in a file, and signs it.

    Parameters
    ----------
    folder
        Where files go, named by digest.
    key
        From `read_key`.
    """

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder, self._key = folder, key
        self._inline: bytearray | None = bytearray()
        self._file: ContentFile | None = None
        self._length = 0
        self.size_bytes = 0

    def write(self, data: Any) -> int:
        """Take bytes of the pickle.

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
        self._length += length
        if self._inline is not None and len(self._inline) + length <= INLINE_BYTES:
            self._inline += data
            return length
        file = self._open()
        if self._inline is not None:
            file.write(self._inline)
            self._inline = None
        return file.write(data)

    def _open(self) -> ContentFile:
        if self._file is None:
            self._file = ContentFile(self._folder)
        return self._file

    def finish(self, memory: Iterable[tuple[Piece, memoryview]] = ()) -> tuple[str, bytes]:
        """Sign what was written.

        Parameters
        ----------
        memory
            What the pickle refers to and does not hold: it is written behind the pickle.

        Returns
        -------
        file : str
            Name of the file, empty where there is none.
        inline : bytes
            What stands in the manifest, signed: the pickle, or where the parts of the file are.
        """
        stream = (0, self._length) if self._inline is None else bytes(self._inline)
        pieces = []
        for piece, content in memory:
            file = self._open()
            pieces.append(replace(piece, ranges=((file.align(), content.nbytes),)))
            file.write(content)
        if self._file is None:
            self.size_bytes = self._length
            return "", seal(bytes(self._inline or b""), self._key)
        self.size_bytes = self._file.size_bytes
        name = self._file.finish(".pickle")
        return name, seal_layout(Layout(name, self.size_bytes, stream, tuple(pieces)), self._key)

    def abandon(self) -> None:
        """Leave nothing behind."""
        if self._file is not None:
            self._file.abandon()


def seal(payload: bytes, key: bytes, magic: bytes = MAGIC) -> bytes:
    """Sign bytes.

    Parameters
    ----------
    payload
        The bytes.
    key
        From `read_key`.
    magic
        What they are.

    Returns
    -------
    bytes
        A header and `payload`.
    """
    header = _HEADER.pack(magic, len(payload), blake3.blake3(payload).digest())
    return header + hmac.digest(key, header, hashlib.sha256) + payload


def seal_layout(layout: Layout, key: bytes) -> bytes:
    """Sign what a file holds: whoever trusts the layout can check the file by its name.

    Parameters
    ----------
    layout
        The layout.
    key
        From `read_key`.

    Returns
    -------
    bytes
        For `Component.inline`.
    """
    return seal(write_layout(layout), key, _MAGIC_OF_LAYOUT)


def _unseal(content: memoryview, key: bytes, path: Path, magic: bytes = MAGIC) -> memoryview:
    start = _HEADER.size + _MAC_BYTES
    if len(content) < start or content[: len(magic)] != magic:
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


def open_layout(part: Component, folder: Path, key: bytes) -> Layout | None:
    """Give the layout of a component's file once it is found to be ours.

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
    Layout or None
        None where the component is one signed pickle, in the manifest or in a file.

    Raises
    ------
    CorruptObjectError
        It was not written with this key, or was changed.
    """
    if not part.file or not part.inline:
        return None
    path = find_file(folder, part.file)
    layout = read_layout(_unseal(memoryview(part.inline), key, path, _MAGIC_OF_LAYOUT))
    if layout.file != part.file:
        raise CorruptObjectError(path, part.file, "is not the file that was signed")
    return layout


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
        The signed pickle, or all bytes of the file where the manifest has its layout.

    Raises
    ------
    CorruptObjectError
        It is gone, was not written with this key, or was changed.
    """
    if not part.file:
        return _unseal(memoryview(part.inline), key, folder)
    layout = open_layout(part, folder, key)
    path = find_file(folder, part.file)
    try:
        with path.open("rb") as file:
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:  # ValueError: it is empty
        raise CorruptObjectError(path, part.file, f"cannot be read ({error})") from error
    if layout is None:  # one pickle behind its signature, as earlier versions wrote it
        return _unseal(content, key, path)
    found = blake3.blake3(content, max_threads=blake3.blake3.AUTO).hexdigest()
    if found != layout.file.partition(".")[0]:
        raise CorruptObjectError(path, part.file, "has been changed since it was written")
    return content


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

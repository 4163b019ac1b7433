"""Packs: immutable files of many blobs, each with a footer that tells what is in it."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from mlops_nb.errors import CorruptObjectError
from mlops_nb.store.files import sync_folder

MAGIC = b"MNBPACK1"
PACK_BYTES = 64 * 1024 * 1024
RECORD = struct.Struct("<32sQIIBB2x")
TRAILER = struct.Struct("<I32s8s")
RAW, ZSTD = 0, 1
# Bits of a record's kind: the blob lists the chunks of a larger object; the object names others;
# there is no blob, and the digest is a random number.
RECIPE, DOCUMENT, SALT = 1, 2, 4
_PACK_FILE = re.compile(r"([0-9a-f]{64})\.pack")
_RECIPE_HEAD, _RECIPE_ENTRY = struct.Struct("<32sQ"), struct.Struct("<32sI")
_OPEN_FILES = 16


class Record(NamedTuple):
    """Where a blob lies in its pack, and how it is kept.

    Attributes
    ----------
    digest
        BLAKE3 of the object: for a recipe that of the whole content, else that of the blob's bytes.
    offset, stored_bytes, raw_bytes
        Place in the pack, length there, and length once unpacked.
    codec
        `RAW` or `ZSTD`.
    kind
        Bits `RECIPE` and `DOCUMENT`.
    """

    digest: bytes
    offset: int
    stored_bytes: int
    raw_bytes: int
    codec: int
    kind: int


def hash_bytes(data: bytes | memoryview) -> bytes:
    """Give the BLAKE3 digest of bytes as 32 bytes."""
    from blake3 import blake3

    return blake3(data).digest()


def pack_recipe(size_bytes: int, chunks: Iterable[tuple[bytes, int]]) -> bytes:
    """Write the recipe of an object: its size, and digest and length of each chunk in order."""
    entries = b"".join(_RECIPE_ENTRY.pack(*chunk) for chunk in chunks)
    rest = _RECIPE_HEAD.pack(b"", size_bytes)[32:] + entries
    return hash_bytes(rest) + rest


def unpack_recipe(blob: bytes) -> tuple[int, list[tuple[bytes, int]]] | None:
    """Read a recipe; None where it is not what was written."""
    if len(blob) < _RECIPE_HEAD.size or (len(blob) - _RECIPE_HEAD.size) % _RECIPE_ENTRY.size:
        return None
    digest, size_bytes = _RECIPE_HEAD.unpack_from(blob)
    if hash_bytes(memoryview(blob)[32:]) != digest:
        return None
    return size_bytes, list(_RECIPE_ENTRY.iter_unpack(memoryview(blob)[_RECIPE_HEAD.size :]))


def decode_blob(record: Record, blob: bytes) -> bytes | None:
    """Unpack and verify what a record names.

    Parameters
    ----------
    record
        The entry of the footer.
    blob
        The bytes at its place.

    Returns
    -------
    bytes or None
        None where they are not the bytes that were written.
    """
    if len(blob) != record.stored_bytes:
        return None
    data = blob
    if record.codec == ZSTD:
        import zstandard

        try:
            # The frame's own claim is checked first: a flipped bit must not ask for terabytes.
            if zstandard.frame_content_size(blob) != record.raw_bytes:
                return None
            data = zstandard.ZstdDecompressor().decompress(blob)
        except zstandard.ZstdError:
            return None
    elif record.codec != RAW:
        return None
    if len(data) != record.raw_bytes:
        return None
    if record.kind & RECIPE:
        return data if unpack_recipe(data) is not None else None
    return data if hash_bytes(data) == record.digest else None


def read_footer(path: Path) -> list[Record]:
    """Read what a pack holds from its end.

    Parameters
    ----------
    path
        The pack.

    Returns
    -------
    list of Record
        In the order of the blobs, without the salt.

    Raises
    ------
    CorruptObjectError
        The file is no whole pack, or not the one that its name promises.
    FileNotFoundError
        There is none.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size < len(MAGIC) + TRAILER.size:
            raise CorruptObjectError(path, path.stem, "is a pack that was cut short")
        file.seek(size - TRAILER.size)
        count, digest, magic = TRAILER.unpack(file.read(TRAILER.size))
        start = size - TRAILER.size - count * RECORD.size
        if magic != MAGIC or start < len(MAGIC):
            raise CorruptObjectError(path, path.stem, "is a pack without a footer")
        file.seek(start)
        body = file.read(count * RECORD.size)
    if hash_bytes(body) != digest or digest.hex() != path.stem:
        raise CorruptObjectError(path, path.stem, "is a pack with a damaged footer")
    records = [Record(*fields) for fields in RECORD.iter_unpack(body)]
    if any(record.offset + record.stored_bytes > start for record in records):
        raise CorruptObjectError(path, path.stem, "is a pack whose footer does not fit it")
    return [record for record in records if not record.kind & SALT]


class PackWriter:
    """Writes one pack, unseen by readers until it is sealed.

    Parameters
    ----------
    packs
        The folder that takes it.
    """

    def __init__(self, packs: PackFolder) -> None:
        import zstandard

        self.packs, self.pid = packs, os.getpid()
        self.records: dict[bytes, Record] = {}
        self.size_bytes = len(MAGIC)
        self.is_broken = False
        self._compressor = zstandard.ZstdCompressor(level=1)
        packs.tmp.mkdir(parents=True, exist_ok=True)
        self._path = packs.tmp / f"{self.pid}-{secrets.token_hex(8)}.part"
        self._file = self._path.open("xb")
        self._write(MAGIC)

    def _write(self, data: bytes | memoryview) -> None:
        try:
            self._file.write(data)
        except BaseException:
            self.is_broken = True
            self.abandon()
            raise

    def has_room(self, size_bytes: int) -> bool:
        """Tell whether a blob of that size still fits; the first always does."""
        footer = (len(self.records) + 2) * RECORD.size + TRAILER.size
        return not self.records or self.size_bytes + size_bytes + footer <= PACK_BYTES

    def add(self, digest: bytes, data: bytes | memoryview, kind: int = 0) -> None:
        """Add a blob, compressed where that saves a twentieth."""
        packed = self._compressor.compress(data)
        codec, kept = (ZSTD, packed) if len(packed) <= 0.95 * len(data) else (RAW, data)
        record = Record(digest, self.size_bytes, len(kept), len(data), codec, kind)
        self._write(kept)
        self.size_bytes += len(kept)
        self.records[digest] = record

    def seal(self) -> str:
        """Make the pack durable and visible.

        Returns
        -------
        str
            Its name.
        """
        # Salt makes every name new. The same objects put again after their pack was marked must not
        # come to lie under the name that a collector is about to delete.
        salt = Record(secrets.token_bytes(32), 0, 0, 0, RAW, SALT)
        body = b"".join(RECORD.pack(*record) for record in [*self.records.values(), salt])
        digest = hash_bytes(body)
        self._write(body + TRAILER.pack(len(self.records) + 1, digest, MAGIC))
        target = self.packs.locate(digest.hex())
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            is_new = not target.parent.is_dir()
            target.parent.mkdir(parents=True, exist_ok=True)
            self._path.replace(target)
            sync_folder(target.parent)
            if is_new:
                sync_folder(self.packs.root)
        except BaseException:
            self.is_broken = True
            self.abandon()
            raise
        self.size_bytes += len(body) + TRAILER.size
        return digest.hex()

    def abandon(self) -> None:
        """Drop what was written; readers never saw it."""
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._path.unlink()


class _OpenFile:
    """A file descriptor that closes with its last user, whichever thread that is."""

    __slots__ = ("fd",)

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDONLY)

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            os.close(self.fd)


class PackFolder:
    """The folder of the packs: ``packs/ab/<name>.pack``.

    Parameters
    ----------
    root
        Folder of the sealed packs.
    tmp
        Folder of those that are being written; on the same file system.
    """

    def __init__(self, root: Path, tmp: Path) -> None:
        self.root, self.tmp = root, tmp
        self._open: dict[str, _OpenFile] = {}

    def locate(self, name: str) -> Path:
        """Give the place of a pack."""
        return self.root / name[:2] / f"{name}.pack"

    def names(self) -> set[str]:
        """List the packs that are there now."""
        return set(self._list())

    def _list(self) -> Iterator[str]:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            for folder in os.scandir(self.root):
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    for name in os.listdir(folder):  # noqa: PTH208  (twice as fast, and often called)
                        match = _PACK_FILE.fullmatch(name)
                        if match:
                            yield match[1]

    def read(self, name: str, record: Record) -> bytes:
        """Read the bytes at a record's place; fewer where the pack was cut short."""
        if not hasattr(os, "pread"):  # Windows, where an open file could not be deleted either
            with self.locate(name).open("rb") as file:
                file.seek(record.offset)
                return file.read(record.stored_bytes)
        held = self._open.get(name)
        if held is None:
            # Without a lock, which a forked child could inherit locked; a race opens a file twice.
            held = self._open[name] = _OpenFile(self.locate(name))
            if len(self._open) > _OPEN_FILES:
                self._open.pop(next(iter(tuple(self._open))), None)
        return os.pread(held.fd, record.stored_bytes, record.offset)

    def forget(self, names: Iterable[str]) -> None:
        """Close packs that are gone."""
        for name in names:
            self._open.pop(name, None)

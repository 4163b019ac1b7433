"""Content-addressed bytes: an object's name is the BLAKE3 digest of what it holds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from mlops_nb.errors import CorruptObjectError, InvalidValueError, NotFoundError
from mlops_nb.store.files import write_whole

DIGEST = re.compile(r"[0-9a-f]{64}")
_RAW, _ZSTD = b"\x00", b"\x01"


def digest_bytes(data: bytes) -> str:
    """Give the BLAKE3 digest of bytes as 64 hex digits."""
    from blake3 import blake3

    return str(blake3(data).hexdigest())


class ObjectFolder:
    """Objects as write-once files ``objects/ab/<digest>``.

    The first byte of a file tells how the rest is kept: 0 as it is, 1 compressed by zstd. Reading
    verifies the digest before anything else sees the bytes.

    Parameters
    ----------
    root
        The folder of the objects.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def _locate(self, digest: str) -> Path:
        if not DIGEST.fullmatch(digest):
            raise InvalidValueError("digest", digest, "64 hex digits")
        return self.root / digest[:2] / digest

    def has(self, digest: str) -> bool:
        """Tell whether an object is here."""
        return self._locate(digest).is_file()

    def put_bytes(self, data: bytes) -> str:
        """Keep bytes; the same bytes are kept once.

        Parameters
        ----------
        data
            Any bytes.

        Returns
        -------
        str
            Their digest.

        Raises
        ------
        OSError
            The disk is full or the store cannot be written.
        """
        digest = digest_bytes(data)
        path = self._locate(digest)
        if not path.is_file():
            import zstandard

            packed = zstandard.ZstdCompressor(level=1).compress(data)
            kept = _ZSTD + packed if len(packed) < 0.95 * len(data) else _RAW + data
            write_whole(path, kept)
        return digest

    def put_file(self, path: Path) -> tuple[str, int]:
        """Keep a file's bytes.

        Parameters
        ----------
        path
            A file; it is copied, never linked.

        Returns
        -------
        digest : str
            Digest of the bytes.
        size_bytes : int
            Size of the file.
        """
        data = path.read_bytes()
        return self.put_bytes(data), len(data)

    def put_json(self, document: Any) -> str:
        """Keep a document as canonical JSON: sorted keys, no blanks, UTF-8."""
        text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return self.put_bytes(text.encode("utf-8", "surrogatepass"))

    def read_bytes(self, digest: str) -> bytes:
        """Read an object, verified.

        Parameters
        ----------
        digest
            As `put_bytes` gave it.

        Returns
        -------
        bytes
            Exactly the bytes that were put.

        Raises
        ------
        NotFoundError
            No such object is here.
        CorruptObjectError
            The file does not hold the bytes its name promises.
        """
        path = self._locate(digest)
        try:
            kept = path.read_bytes()
        except FileNotFoundError:
            raise NotFoundError("object", digest, (), "It may not have been pulled.") from None
        data = self._unpack(kept, digest)
        if digest_bytes(data) != digest:
            raise CorruptObjectError(self.root, digest, "does not match its digest")
        return data

    def _unpack(self, kept: bytes, digest: str) -> bytes:
        codec, rest = kept[:1], kept[1:]
        if codec == _RAW:
            return rest
        if codec != _ZSTD:
            raise CorruptObjectError(self.root, digest, f"has the unknown codec {codec!r}")
        import zstandard

        try:
            return zstandard.ZstdDecompressor().decompress(rest)
        except zstandard.ZstdError as error:
            raise CorruptObjectError(self.root, digest, f"cannot be unpacked ({error})") from None

    def read_json(self, digest: str) -> Any:
        """Read a document that `put_json` kept."""
        return json.loads(self.read_bytes(digest).decode("utf-8", "surrogatepass"))

    def copy_to(self, digest: str, path: Path) -> None:
        """Write an object, verified, to a file; a file that is there is replaced as a whole."""
        write_whole(path, self.read_bytes(digest), replace=True, sync=False)

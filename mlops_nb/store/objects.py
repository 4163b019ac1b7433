"""Content-addressed bytes: an object's name is the BLAKE3 digest of what it holds."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops_nb.errors import InvalidValueError
from mlops_nb.store.chunking import CutSizes
from mlops_nb.store.marks import MarkFolder
from mlops_nb.store.objectreader import ObjectReader
from mlops_nb.store.packindex import PackIndex, StatKey
from mlops_nb.store.packs import (
    DOCUMENT,
    RECIPE,
    PackFolder,
    PackWriter,
    decode_blob,
    hash_bytes,
    pack_recipe,
    unpack_recipe,
)

DIGEST = re.compile(r"[0-9a-f]{64}")
# How long a look at marks and packs of other processes holds; far below any sensible grace time.
_LOOK_S = 0.5
# A file that changed this recently may change again within one tick of the file system's clock.
_SETTLED_NS = 2_000_000_000


def digest_bytes(data: bytes) -> str:
    """Give the BLAKE3 digest of bytes as 64 hex digits."""
    return hash_bytes(data).hex()


def read_key(status: os.stat_result) -> StatKey:
    """Give what tells whether a file has changed."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


class _Batch:
    """Puts of one thread that share packs."""

    __slots__ = ("error", "pid", "stats", "writer")

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.writer: PackWriter | None = None
        self.stats: list[tuple[bytes, StatKey, bytes]] = []
        self.error: BaseException | None = None


class ObjectFolder:
    """Objects in packs; see ``docs/reference/store-format.md`` for every byte.

    Parameters
    ----------
    root
        The store's folder; packs lie in ``packs``, unfinished ones in ``tmp``.
    index
        File of the index, on a local disk.
    cut
        How large chunks are.
    """

    def __init__(self, root: Path, index: Path, cut: CutSizes | None = None) -> None:
        self.root, self.cut = root, cut or CutSizes()
        self.packs = PackFolder(root / "packs", root / "tmp")
        self.index = PackIndex(index, self.packs)
        self.marks = MarkFolder(root / "gc")
        self._reader = ObjectReader(root, self.packs, self.index)
        self.marked: frozenset[str] = frozenset()
        self._present: set[str] = set()
        self._looked_at = self._refreshed_at = float("-inf")
        self._refresh_every_s = _LOOK_S
        self._local = threading.local()

    # ------------------------------------------------------------------ what is here
    def look(self, *, now: bool = False) -> None:
        """See what other processes marked, wrote and deleted, unless just done.

        Parameters
        ----------
        now
            Do it in any case.
        """
        moment = time.monotonic()
        if not now and moment - self._looked_at < _LOOK_S:
            return
        self.marked = frozenset().union(*(mark.packs for mark in self.marks.read()))
        self._present = set()
        self._looked_at = moment
        if now or moment - self._refreshed_at >= self._refresh_every_s:
            self.index.refresh()
            self._refreshed_at = time.monotonic()
            # A very large folder is listed less often: never more than a fiftieth of the time.
            self._refresh_every_s = max(_LOOK_S, 50 * (self._refreshed_at - moment))

    def _is_present(self, name: str) -> bool:
        # The index may be behind: nothing new may build on a pack that somebody deleted.
        if name not in self._present and self.packs.locate(name).is_file():
            self._present.add(name)
        return name in self._present

    def is_kept(self, digest: bytes, kind: int = 0) -> bool:
        """Tell whether an object needs no writing: all of it is here, in packs that stay.

        Parameters
        ----------
        digest
            Its digest.
        kind
            Bits that its record must have.
        """
        self.look()
        batch = self._batch()
        if batch is not None and batch.writer is not None:
            pending = batch.writer.records.get(digest)
            if pending is not None and pending.kind & kind == kind:
                return True
        for name, record in self.index.find(digest):
            if name in self.marked or record.kind & kind != kind or not self._is_present(name):
                continue
            if not record.kind & RECIPE:
                return True
            with contextlib.suppress(OSError):
                recipe = decode_blob(record, self.packs.read(name, record))
                found = unpack_recipe(recipe) if recipe is not None else None
                if found is not None and all(self.is_kept(chunk) for chunk, _ in found[1]):
                    return True
        return False

    def has(self, digest: str) -> bool:
        """Tell whether an object is here."""
        name = _check(digest)
        self._settle(name)
        if not self.index.find(name):
            self.index.refresh()
        return bool(self.index.find(name))

    # ------------------------------------------------------------------ writing
    def _batch(self) -> _Batch | None:
        batch: _Batch | None = self._local.__dict__.get("batch")
        # A batch that came through a fork is the parent's.
        return batch if batch is not None and batch.pid == os.getpid() else None

    @contextlib.contextmanager
    def batch(self) -> Iterator[None]:
        """Let all puts of this thread inside a ``with`` share packs.

        What is put is durable, and seen by others, when the block is left. Inside another batch
        this does nothing.

        Raises
        ------
        OSError
            A pack could not be written; of what was put since the last whole pack nothing is kept.
        """
        if self._batch() is not None:
            yield
            return
        batch = self._local.batch = _Batch()
        try:
            yield
        finally:
            try:
                if batch.error is not None:
                    raise batch.error
                self._seal(batch)
                if batch.stats:
                    self.index.keep_stats(batch.stats)
            finally:
                self._local.batch = None

    def _seal(self, batch: _Batch) -> None:
        writer, batch.writer = batch.writer, None
        if writer is not None:
            try:
                name = writer.seal()
            except BaseException as error:
                batch.error = error
                raise
            self.index.add(name, writer.records.values())

    def _settle(self, digest: bytes) -> None:
        """Finish the pack of this thread's batch where it holds what is asked for."""
        batch = self._batch()
        if batch is not None and batch.writer is not None and digest in batch.writer.records:
            self._seal(batch)

    def add_blob(self, digest: bytes, data: bytes | memoryview, kind: int = 0) -> None:
        """Write a blob into this thread's batch, whether or not it is here already."""
        batch = self._batch()
        assert batch is not None, "blobs are added inside a batch"
        if batch.error is not None:
            raise batch.error
        if batch.writer is not None and not batch.writer.has_room(len(data)):
            self._seal(batch)
        try:
            if batch.writer is None:
                batch.writer = PackWriter(self.packs)
            batch.writer.add(digest, data, kind)
        except BaseException as error:
            if batch.writer is not None:
                batch.writer.abandon()
            batch.writer, batch.error = None, error
            raise

    def put_bytes(self, data: bytes, *, kind: int = 0) -> str:
        """Keep bytes; the same bytes are kept once.

        Parameters
        ----------
        data
            Any bytes.
        kind
            `packs.DOCUMENT` for a text that may name other objects.

        Returns
        -------
        str
            Their digest.

        Raises
        ------
        OSError
            The disk is full or the store cannot be written.
        """
        digest = hash_bytes(data)
        if not self.is_kept(digest, kind):
            with self.batch():
                if len(data) <= self.cut.average_bytes:
                    self.add_blob(digest, data, kind)
                else:
                    self._put_cut(io.BytesIO(data), kind)
        return digest.hex()

    def _put_cut(self, stream: io.FileIO | io.BytesIO, kind: int) -> tuple[bytes, int]:
        from blake3 import blake3

        whole, chunks, size = blake3(), [], 0
        for chunk in self.cut.cut(stream):
            digest = hash_bytes(chunk)
            whole.update(chunk)
            size += len(chunk)
            chunks.append((digest, len(chunk)))
            if not self.is_kept(digest):
                self.add_blob(digest, chunk)
        digest = whole.digest()
        if len(chunks) == 1 and kind and not self.is_kept(digest, kind):
            stream.seek(0)
            self.add_blob(digest, stream.read(), kind)
        elif len(chunks) > 1 and not self.is_kept(digest, kind | RECIPE):
            self.add_blob(digest, pack_recipe(size, chunks), kind | RECIPE)
        return digest, size

    def put_file(self, path: Path) -> tuple[str, int]:
        """Keep a file's bytes; one that has not changed since it was last put is not read again.

        Parameters
        ----------
        path
            A file of any size; it is copied, never linked.

        Returns
        -------
        digest : str
            Digest of the bytes.
        size_bytes : int
            Size of the file.
        """
        name = os.fsencode(os.path.abspath(path))  # noqa: PTH100  (links stay as they are named)
        return self.put_named(name, self.index.find_stat(name))

    def put_named(self, name: bytes, known: tuple[StatKey, bytes] | None) -> tuple[str, int]:
        """Keep a file as `put_file` does, where it has been looked up already.

        Parameters
        ----------
        name
            Absolute path as the system has it.
        known
            What the index knows of it.
        """
        with self.batch(), open(name, "rb", buffering=0) as file:  # noqa: PTH123
            before = read_key(os.fstat(file.fileno()))
            if known is not None and known[0] == before and self.is_kept(known[1]):
                return known[1].hex(), before[0]
            moment = time.time_ns()
            digest, size = self._put_open(file, before[0])
            is_same = read_key(os.fstat(file.fileno())) == before and size == before[0]
            batch = self._batch()
            if is_same and moment - max(before[1:3]) > _SETTLED_NS and batch is not None:
                batch.stats.append((name, before, digest))
        return digest.hex(), size

    def _put_open(self, file: io.FileIO, expected_bytes: int) -> tuple[bytes, int]:
        if expected_bytes <= self.cut.average_bytes:
            data = file.read(self.cut.average_bytes + 1)
            if len(data) <= self.cut.average_bytes:
                digest = hash_bytes(data)
                if not self.is_kept(digest):
                    self.add_blob(digest, data)
                return digest, len(data)
            file.seek(0)
        return self._put_cut(file, 0)

    def put_json(self, document: Any) -> str:
        """Keep a document as canonical JSON: sorted keys, no blanks, UTF-8."""
        text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return self.put_bytes(text.encode("utf-8", "surrogatepass"), kind=DOCUMENT)

    # ------------------------------------------------------------------ reading
    def pieces(self, digest: str) -> Iterator[bytes]:
        """Read an object piece by piece, each verified; the last check is of the whole.

        Raises
        ------
        NotFoundError, CorruptObjectError
            As `read_bytes` does; possibly after some pieces.
        """
        self._settle(_check(digest))
        return self._reader.pieces(digest)

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
            The packs do not hold the bytes its name promises.
        """
        return b"".join(self.pieces(digest))

    def read_json(self, digest: str) -> Any:
        """Read a document that `put_json` kept."""
        return json.loads(self.read_bytes(digest).decode("utf-8", "surrogatepass"))

    def copy_to(self, digest: str, path: Path) -> None:
        """Write an object, verified, to a file; a file that is there is replaced as a whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.parent / f".{path.name[:40]}.{secrets.token_hex(6)}.part"
        try:
            with part.open("xb") as file:
                for piece in self.pieces(digest):
                    file.write(piece)
            part.replace(path)
        finally:
            with contextlib.suppress(OSError):
                part.unlink()


def _check(digest: str) -> bytes:
    if not DIGEST.fullmatch(digest):
        raise InvalidValueError("digest", digest, "64 hex digits")
    return bytes.fromhex(digest)

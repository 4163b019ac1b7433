"""What the store still needs: digests named anywhere in it, and what those objects name in turn."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from mlops_nb.errors import CorruptObjectError
from mlops_nb.store.objects import ObjectFolder
from mlops_nb.store.packs import DOCUMENT, RECIPE, Record, decode_blob, unpack_recipe

# Folders that name no objects: those of the objects themselves, what can be rebuilt, and keys.
_WITHOUT_ROOTS = {"packs", "tmp", "gc", "cache", "keys"}
_DIGITS = re.compile(rb"[0-9a-f]{64,}")
_BLOCK_BYTES = 16 * 1024 * 1024

Where = dict[bytes, list[tuple[str, Record]]]


def find_named(data: bytes, known: Collection[bytes]) -> set[bytes]:
    """Find the objects that a text names.

    Parameters
    ----------
    data
        Any text. Every 64 hex digits in a row count, whatever they stand for.
    known
        Digests of the objects that exist.

    Returns
    -------
    set of bytes
        Those of them that are named.
    """
    found = set()
    for match in _DIGITS.finditer(data):
        digits = match[0].decode()
        for start in range(len(digits) - 63):
            digest = bytes.fromhex(digits[start : start + 64])
            if digest in known:
                found.add(digest)
    return found


def _scan_file(path: Path, known: Collection[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    rest = b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            found |= find_named(rest + block, known)
            rest = (rest + block)[-63:]
    return found


def _list_files(root: Path) -> Iterator[Path]:
    for folder, inside, names in os.walk(root, onerror=_fail):
        if Path(folder) == root:
            inside[:] = [name for name in inside if name not in _WITHOUT_ROOTS]
        for name in names:
            # Metric records are numbers; everything else may name an object, now or later.
            if not (name.startswith("metrics") and name.endswith((".bin", ".col"))):
                yield Path(folder) / name


def _fail(error: OSError) -> None:
    # A folder that cannot be listed may name anything: better no collection than a wrong one.
    if not isinstance(error, FileNotFoundError):
        raise error


def find_roots(root: Path, known: Collection[bytes]) -> set[bytes]:
    """Find every object that a run, session, model, audit record or anything else names.

    Parameters
    ----------
    root
        The store's folder.
    known
        Digests of the objects that exist.

    Returns
    -------
    set of bytes
        More than needed rather than less: text that only looks like a digest counts too.
    """
    found: set[bytes] = set()
    for path in _list_files(root):
        try:
            found |= _scan_file(path, known)
        except FileNotFoundError:
            continue  # a part of a write that is done
    return found


def find_live(objects: ObjectFolder, roots: set[bytes], where: Where) -> set[bytes]:
    """Follow objects to what they are made of and what they name.

    Parameters
    ----------
    objects
        The objects.
    roots
        Where to begin.
    where
        Every copy of every blob.

    Returns
    -------
    set of bytes
        Digests of all blobs that are needed, the roots included.

    Raises
    ------
    CorruptObjectError
        An object that may name others is damaged, so what it names is not known.
    """
    live: set[bytes] = set()
    waiting = list(roots)
    while waiting:
        digest = waiting.pop()
        if digest in live or digest not in where:
            continue
        live.add(digest)
        kinds = 0
        for _, record in where[digest]:
            kinds |= record.kind
        if kinds & RECIPE:
            waiting += _read_chunks(objects, digest, where)
        if kinds & DOCUMENT:
            waiting += find_named(objects.read_bytes(digest.hex()), where.keys())
    return live


def _read_chunks(objects: ObjectFolder, digest: bytes, where: Where) -> list[bytes]:
    for name, record in where[digest]:
        if record.kind & RECIPE:
            try:
                data = decode_blob(record, objects.packs.read(name, record))
            except FileNotFoundError:
                continue
            recipe = unpack_recipe(data) if data is not None else None
            if recipe is not None:
                return [chunk for chunk, _ in recipe[1]]
    raise CorruptObjectError(objects.root, digest.hex(), "has no recipe that can be read")

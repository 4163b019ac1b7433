"""Folders as objects: a tree names the files of a folder by path, mode, size and digest."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple

from mlops_nb.errors import CorruptObjectError, InvalidValueError
from mlops_nb.store.objects import DIGEST, ObjectFolder, read_key
from mlops_nb.store.packs import RECIPE

_FORMAT = "tree/1"
FILE, LINK, FOLDER = "file", "link", "folder"


class Entry(NamedTuple):
    """One name in a tree.

    Attributes
    ----------
    path
        Below the folder, parts divided by ``/``.
    kind
        `FILE`, `LINK` or, only where it is empty, `FOLDER`.
    mode
        Permission bits; 0 for a link.
    size_bytes
        Size of a file, else 0.
    content
        Digest of a file, target of a link, else empty.
    """

    path: str
    kind: str
    mode: int
    size_bytes: int
    content: str


def put_tree(objects: ObjectFolder, folder: Path) -> str:
    """Keep a folder.

    Parameters
    ----------
    objects
        Where to.
    folder
        A folder. Links inside are kept as links and never followed.

    Returns
    -------
    str
        Digest of the tree; the same for folders with the same names, modes and bytes.

    Raises
    ------
    InvalidValueError
        There is something that is no file, link or folder, such as a socket.
    """
    root = os.fsencode(os.path.abspath(folder))  # noqa: PTH100  (links stay as they are named)
    objects.look(now=True)
    top = os.path.join(root, b"")  # noqa: PTH118  (names are bytes here)
    known = objects.index.find_stats(top, objects.marked)
    entries: list[Entry] = []
    with objects.batch():
        for path, status in _walk(root):
            name = os.fsdecode(path[len(top) :])
            name = name if os.sep == "/" else name.replace(os.sep, "/")
            mode = stat.S_IMODE(status.st_mode) & 0o777
            if stat.S_ISLNK(status.st_mode):
                entries.append(Entry(name, LINK, 0, 0, os.fsdecode(os.readlink(path))))  # noqa: PTH115
            elif stat.S_ISDIR(status.st_mode):
                entries.append(Entry(name, FOLDER, mode, 0, ""))
            elif stat.S_ISREG(status.st_mode):
                digest, size = _put(objects, path, status, known.get(path))
                entries.append(Entry(name, FILE, mode, size, digest))
            else:
                raise InvalidValueError("tree", os.fsdecode(path), "files, links and folders only")
        document = {"format": _FORMAT, "entries": sorted(entries)}
        return objects.put_json(document)


def _put(objects: ObjectFolder, path: bytes, status: os.stat_result, known: Any) -> tuple[str, int]:
    if known is not None and known[0] == read_key(status):
        digest, kind = known[1:]
        if not kind & RECIPE or objects.is_kept(digest):
            return digest.hex(), status.st_size
    return objects.put_named(path, None)


def _walk(folder: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
    with os.scandir(folder) as found:
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                inside = _walk(entry.path)
                first = next(inside, None)
                if first is None:
                    yield entry.path, entry.stat(follow_symlinks=False)
                    continue
                yield first
                yield from inside
            else:
                yield entry.path, entry.stat(follow_symlinks=False)


def read_tree(objects: ObjectFolder, digest: str) -> list[Entry]:
    """Read a tree and check every name in it.

    Parameters
    ----------
    objects
        Where from.
    digest
        As `put_tree` gave it.

    Returns
    -------
    list of Entry
        By path.

    Raises
    ------
    InvalidValueError
        The object is no tree, or one that would write outside its folder.
    NotFoundError, CorruptObjectError
        It is not here, or damaged.
    """
    try:
        document = objects.read_json(digest)
        is_tree = document["format"] == _FORMAT
        entries = [Entry(*entry) for entry in document["entries"]]
    except (ValueError, TypeError, KeyError):
        is_tree, entries = False, []
    if not is_tree:
        raise InvalidValueError("tree", digest, "the digest of a folder that was kept")
    leaves = {entry.path for entry in entries}
    for entry in entries:
        _check_entry(entry)
        if any(str(parent) in leaves for parent in PurePosixPath(entry.path).parents):
            raise InvalidValueError("path in tree", entry.path, "no file or link on the way to it")
    if len(leaves) != len(entries):
        raise InvalidValueError("tree", digest, "each path once")
    return entries


def _check_entry(entry: Entry) -> None:
    texts = (entry.path, entry.kind, entry.content)
    fits = all(isinstance(text, str) and "\0" not in text for text in texts)
    parts = entry.path.split("/") if fits else [".."]
    if not fits or any(part in ("", ".", "..") for part in parts):
        raise InvalidValueError("path in tree", entry.path, "a relative path that stays inside")
    windows = PureWindowsPath(entry.path)
    if os.name == "nt" and (windows.drive or "\\" in entry.path or ":" in entry.path):
        raise InvalidValueError("path in tree", entry.path, "a relative path that stays inside")
    numbers = type(entry.mode) is int and type(entry.size_bytes) is int
    named = entry.kind != FILE or DIGEST.fullmatch(entry.content)
    if not numbers or entry.kind not in (FILE, LINK, FOLDER) or not named:
        raise InvalidValueError("entry of tree", list(entry), "path, kind, mode, size and content")


def restore_tree(objects: ObjectFolder, digest: str, target: Path) -> int:
    """Write a kept folder; all of it or nothing.

    Parameters
    ----------
    objects
        Where from.
    digest
        As `put_tree` gave it.
    target
        A folder that is empty or not there yet.

    Returns
    -------
    int
        How many entries were written.

    Raises
    ------
    InvalidValueError
        The target holds something, or the tree would write outside it.
    NotFoundError, CorruptObjectError
        A file of the tree is not here, or damaged; nothing was written.
    """
    if os.path.lexists(target) and not (target.is_dir() and not any(target.iterdir())):
        raise InvalidValueError("target", str(target), "an empty folder, or one not there yet")
    entries = read_tree(objects, digest)
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.parent / f".{target.name[:40]}.{secrets.token_hex(6)}.part"
    part.mkdir()
    try:
        _write_entries(objects, entries, part)
        if target.is_dir() and not target.is_symlink():
            target.rmdir()  # Windows renames onto nothing
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return len(entries)


def _write_entries(objects: ObjectFolder, entries: list[Entry], root: Path) -> None:
    made = {root.as_posix()}
    top = root.as_posix()
    # Links come last: nothing is ever written through one.
    for entry in sorted(entries, key=lambda entry: entry.kind == LINK):
        path = f"{top}/{entry.path}"
        folder = path if entry.kind == FOLDER else path.rpartition("/")[0]
        if folder not in made:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103  (ten thousand times)
            made.add(folder)
        if entry.kind == FILE:
            _write_file(objects, entry, path)
        elif entry.kind == LINK:
            os.symlink(entry.content, path)  # noqa: PTH211
    for entry in entries:
        if entry.kind == FOLDER:
            with contextlib.suppress(OSError):
                os.chmod(f"{top}/{entry.path}", entry.mode & 0o777)  # noqa: PTH101


def _write_file(objects: ObjectFolder, entry: Entry, path: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    size = 0
    with open(os.open(path, flags, 0o600), "wb", buffering=0) as file:  # noqa: PTH123
        for piece in objects.pieces(entry.content):
            view = memoryview(piece)
            while view:
                view = view[file.write(view) :]
            size += len(piece)
        if hasattr(os, "fchmod"):
            os.fchmod(file.fileno(), entry.mode & 0o777)
    if size != entry.size_bytes:
        raise CorruptObjectError(objects.root, entry.content, f"is not the file {entry.path!r}")

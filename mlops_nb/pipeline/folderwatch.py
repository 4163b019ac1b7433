"""Sees which files of a folder are opened, whoever opens them: libraries go past Python's own open.

polars, pyarrow or h5py open a file in code that no audit event tells of. Linux tells of it all the
same (inotify), of this process and of others: a file that somebody else has read meanwhile costs an
execution too many at worst. Where the system has nothing like it, the texts that a step's variables
hold are asked for paths.
"""

from __future__ import annotations

import ast
import contextlib
import ctypes
import functools
import os
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

_MODIFY, _CLOSE_WRITE, _OPEN, _MOVED_TO, _CREATE = 0x2, 0x8, 0x20, 0x80, 0x100
_ONLY_FOLDERS, _IS_FOLDER, _OVERFLOW, _GONE = 0x01000000, 0x40000000, 0x4000, 0x8000
_MASK = _MODIFY | _CLOSE_WRITE | _OPEN | _MOVED_TO | _CREATE | _ONLY_FOLDERS
_HEADER = struct.Struct("iIII")
_MOST_FOLDERS, _BYTES = 2_000, 1 << 16
# Modules are conditions by themselves, and others open the notebook while it runs.
_NOT_DATA = (".py", ".pyc", ".pyi", ".so", ".ipynb")
_LONGEST_PATH, _MOST_TEXTS = 1_000, 1_000


@functools.cache
def _load_library() -> Any:
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL(None, use_errno=True)
        return library if hasattr(library, "inotify_init1") else None
    except OSError:
        return None


class FolderWatch:
    """Watches a folder and what is below it, hidden folders left out.

    Parameters
    ----------
    top
        The folder; None watches nothing.
    left_out
        Folders that do not count, each with a separator at its end.
    """

    def __init__(self, top: str | None, left_out: tuple[str, ...]) -> None:
        self._left_out = left_out
        self._folders: dict[int, str] = {}
        self._opened: dict[str, None] = {}
        self._written: set[str] = set()
        self.has_missed = False
        library = _load_library() if top is not None else None
        self._handle = (
            -1 if library is None else library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        )
        self._owner = os.getpid()
        if top is not None and self._handle >= 0:
            self._add(top)

    def _add(self, top: str) -> None:
        for folder in _walk(top, self._left_out):
            if len(self._folders) >= _MOST_FOLDERS:
                return
            number = _load_library().inotify_add_watch(self._handle, os.fsencode(folder), _MASK)
            if number >= 0:
                self._folders[number] = folder

    def drain(self) -> None:
        """Take what the system has told so far; it keeps some thousand events only."""
        if self._handle < 0 or os.getpid() != self._owner:
            return  # a forked child's events are the parent's to read
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._handle, _BYTES):
                self._read(data)

    def _read(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            number, mask, _, size = _HEADER.unpack_from(data, at)
            name = data[at + _HEADER.size : at + _HEADER.size + size].rstrip(b"\0")
            at += _HEADER.size + size
            if mask & _OVERFLOW:
                self.has_missed = True
            if number not in self._folders or not name or mask & _GONE:
                continue
            path = os.path.join(self._folders[number], os.fsdecode(name))  # noqa: PTH118 - often
            if mask & _IS_FOLDER:
                if mask & (_CREATE | _MOVED_TO):
                    self._add(path)
            elif mask & _OPEN:
                self._opened.setdefault(path)
            else:
                self._written.add(path)

    def close(self) -> list[str]:
        """End the watch.

        Returns
        -------
        list of str
            Files that were opened and not written, in that order.
        """
        self.drain()
        if self._handle >= 0 and os.getpid() == self._owner:
            os.close(self._handle)
        self._handle = -1
        return [
            path
            for path in self._opened
            if path not in self._written and not path.endswith(_NOT_DATA)
        ]


def _walk(top: str, left_out: tuple[str, ...]) -> Iterator[str]:
    waiting = [top]
    while waiting:
        folder = waiting.pop(0)
        try:
            with os.scandir(folder) as entries:
                found = [e for e in entries if e.is_dir(follow_symlinks=False)]
        except OSError:
            continue
        if folder != top and os.path.exists(os.path.join(folder, "pyvenv.cfg")):  # noqa: PTH110, PTH118
            continue  # a virtual environment in the project
        yield folder
        waiting += [
            entry.path
            for entry in sorted(found, key=lambda entry: entry.name)
            if not entry.name.startswith((".", "__pycache__", "node_modules"))
            and not f"{entry.path}{os.sep}".startswith(left_out)
        ]


def find_named_files(namespace: Mapping[str, Any], texts: Iterable[str]) -> list[str]:
    """Find files whose paths a step mentions.

    Parameters
    ----------
    namespace
        Variables: texts and paths among them, also in short lists and dicts.
    texts
        Further texts, those of the code.

    Returns
    -------
    list of str
        Absolute paths of files that are there.
    """
    found: dict[str, None] = {}
    for text in [*_list_texts(namespace.values(), 2), *texts][:_MOST_TEXTS]:
        if not 0 < len(text) <= _LONGEST_PATH or "\n" in text or "\0" in text:
            continue
        path = os.path.abspath(os.path.expanduser(text))  # noqa: PTH100, PTH111 - a thousand times
        if os.path.isfile(path) and not path.endswith(_NOT_DATA):  # noqa: PTH113 - as above
            found.setdefault(path)
    return list(found)


def list_texts(cells: Iterable[str]) -> Iterator[str]:
    """Give the texts that stand in code; of code that is no Python none."""
    for cell in cells:
        try:
            tree = ast.parse(cell)
        except (SyntaxError, ValueError, RecursionError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and type(node.value) is str:
                yield node.value


def _list_texts(values: Iterable[Any], depth: int) -> Iterator[str]:
    for value in list(values):
        if type(value) is str:
            yield value
        elif isinstance(value, Path):
            yield str(value)
        elif depth and type(value) in (list, tuple, dict) and len(value) <= 100:
            yield from _list_texts(value.values() if type(value) is dict else value, depth - 1)

"""Lets rounds of a loop be taken back: keeps what files held, and stops what cannot be undone."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mlops_nb.pipeline.digests_text import digest_text
from mlops_nb.pipeline.locking import lock_file

_JOURNAL = "journal"
_MOST_FILES = 20_000
_NEVER_LOOKED_AT = frozenset([".mlops", ".git", ".ipynb_checkpoints", "__pycache__"])


class UnprovenError(BaseException):
    """Rounds cannot be shown to be independent; no ``except Exception`` of a notebook stops it."""


class Journal:
    """What rounds do to files, written down before they do it.

    Parameters
    ----------
    folder
        For the journal of one process.
    shared
        For what files held before any process changed them.
    """

    def __init__(self, folder: Path, shared: Path) -> None:
        self.folder, self.shared = folder, shared
        self.reason = ""
        self._known: set[str] = set()

    def watch(self, path: str) -> None:
        """Keep what a path holds, before it is changed for the first time.

        Parameters
        ----------
        path
            Absolute.
        """
        if path in self._known:
            return
        self._known.add(path)
        name = digest_text(path)
        # Nobody writes before he has been here, so the first one finds the file as it was.
        with lock_file(self.shared / "lock"):
            entry: dict[str, Any] = {"path": path, "kind": "absent"}
            if os.path.islink(path):  # noqa: PTH114 - os.path throughout here
                entry |= {"kind": "link", "target": os.readlink(path)}  # noqa: PTH115
            elif os.path.isdir(path):  # noqa: PTH112
                entry["kind"] = "folder"
            elif os.path.exists(path):  # noqa: PTH110
                entry |= {"kind": "file", "kept": name}
            _add(self.folder, entry)
            seen = self.shared / f"{name}.seen"
            if not seen.exists():
                if entry["kind"] == "file":
                    shutil.copy2(path, self.shared / name)
                _add(self.shared, entry)
                seen.touch()  # last: a process that is killed before has kept nothing

    def stop(self, reason: str) -> None:
        """Keep a round from doing what cannot be taken back.

        Parameters
        ----------
        reason
            What it is about to do.

        Raises
        ------
        UnprovenError
            Always.
        """
        self.reason = self.reason or reason
        raise UnprovenError(reason)


def read_changed(folder: Path) -> list[str]:
    """List what rounds have changed.

    Parameters
    ----------
    folder
        Of a journal.

    Returns
    -------
    list of str
        Absolute paths, without folders that were there before and still are.
    """
    return [
        entry["path"]
        for entry in _read(folder)
        if entry["kind"] != "folder" or not Path(entry["path"]).is_dir()
    ]


def _add(folder: Path, entry: dict[str, Any]) -> None:
    with (folder / _JOURNAL).open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


def _read(folder: Path) -> list[dict[str, Any]]:
    try:
        lines = (folder / _JOURNAL).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        with contextlib.suppress(ValueError):  # the last line of a process that was killed
            found.append(json.loads(line))
    return found


def undo(folder: Path) -> None:
    """Put back what files held before any round.

    Parameters
    ----------
    folder
        What the journals share; the processes that wrote them have ended.

    Raises
    ------
    OSError
        A file cannot be put back.
    """
    for entry in reversed(_read(folder)):
        path = Path(entry["path"])
        if entry["kind"] == "folder":
            path.mkdir(parents=True, exist_ok=True)
            continue
        if path.is_dir() and not path.is_symlink():
            with contextlib.suppress(OSError):  # something that is not of the rounds lies in it
                path.rmdir()
            continue
        if entry["kind"] == "file":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            shutil.copy2(folder / entry["kept"], path)
            continue
        path.unlink(missing_ok=True)
        if entry["kind"] == "link":
            path.symlink_to(entry["target"])


def read_folder(folder: Path, left_out: Iterable[str] = ()) -> dict[str, tuple[int, int]] | None:
    """Note size and time of every file in a folder, to find what was written unseen.

    Parameters
    ----------
    folder
        The working folder.
    left_out
        Folders whose files are our own.

    Returns
    -------
    dict or None
        By path; None where there are too many files to look at.
    """
    found: dict[str, tuple[int, int]] = {}
    for path, entry in _walk(str(folder), frozenset(left_out)):
        if len(found) >= _MOST_FILES:
            return None
        with contextlib.suppress(OSError):
            stat = entry.stat(follow_symlinks=False)
            found[path] = (stat.st_size, stat.st_mtime_ns)
    return found


def _walk(folder: str, left_out: frozenset[str]) -> Iterator[tuple[str, os.DirEntry[str]]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.name in _NEVER_LOOKED_AT or entry.path in left_out:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, left_out)
        else:
            yield entry.path, entry

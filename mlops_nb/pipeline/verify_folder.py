"""Copies the folder of a notebook, so that the reference run works on files of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from mlops_nb.config import find_root
from mlops_nb.pipeline.filestate import Stamp, read_stamp

_LARGEST_FILE_BYTES = 64 * 2**20
_MOST_BYTES = 512 * 2**20
_MOST_FILES = 5_000
_MOST_SIBLINGS = 500
_LEAST_LEVELS = 2  # for paths such as ../data where nothing marks a project
_LINKED = frozenset([".git", ".venv", "venv", "env", ".tox", "node_modules", "__pycache__"])
_LEFT_OUT = frozenset([".ipynb_checkpoints", ".mlops"])


@dataclass(slots=True)
class Mirror:
    """A copy of a notebook's folder.

    Attributes
    ----------
    real
        The notebook's folder.
    folder
        Its copy. Files beside it and above it, up to the project's root, can be reached by the
        same relative paths.
    linked
        Large files and folders, which were not copied, with their stamps.
    """

    real: Path
    folder: Path
    linked: dict[str, Stamp | None] = field(default_factory=dict)
    files: int = 0
    size_bytes: int = 0

    def find_changed(self) -> list[str]:
        """List what was not copied and has changed since.

        Returns
        -------
        list of str
            Paths.
        """
        return [path for path, stamp in self.linked.items() if read_stamp(path) != stamp]

    def leads_out(self, path: str) -> bool:
        """Tell whether whoever writes a file in the copy would write the notebook's own.

        Parameters
        ----------
        path
            In the notebook's folder.

        Returns
        -------
        bool
            It, or a folder that it lies in, is a link in the copy too.
        """
        copy = os.path.join(self.folder, os.path.relpath(path, self.real))  # noqa: PTH118
        inside = os.path.realpath(self.folder) + os.sep
        return not os.path.realpath(copy).startswith(inside)

    def clone(self, folder: Path) -> Mirror:
        """Copy the copy.

        Parameters
        ----------
        folder
            Where; it must not be there yet.

        Returns
        -------
        Mirror
            With the notebook's folder at the same place in it.
        """
        top = _find_top(self.folder, self.real)
        shutil.copytree(top, folder, symlinks=True)
        return Mirror(self.real, folder / self.folder.relative_to(top), dict(self.linked))

    def to_real(self, path: str) -> str:
        """Give the place in the notebook's folder that a path in the copy stands for.

        Parameters
        ----------
        path
            Absolute.

        Returns
        -------
        str
            The same where it does not lie in the copy.
        """
        inside = path == str(self.folder) or path.startswith(f"{self.folder}{os.sep}")
        return str(self.real) + path[len(str(self.folder)) :] if inside else path


def _count_levels(real: Path) -> int:
    """Give how many folders above the notebook's can be reached by relative paths."""
    inside = len(real.relative_to(find_root(real)).parts)
    return max(inside, min(_LEAST_LEVELS, len(real.parts) - 1))


def _find_top(folder: Path, real: Path) -> Path:
    levels = _count_levels(real)
    return folder if levels == 0 else folder.parents[levels - 1]


def make_mirror(real: Path, target: Path, left_out: Collection[Path] = ()) -> Mirror:
    """Copy a notebook's folder, and link what lies around it in the project.

    Parameters
    ----------
    real
        The notebook's folder.
    target
        Where the copies come; it must not be there yet.
    left_out
        Folders of our own.

    Returns
    -------
    Mirror
        Large files and virtual environments are linked and not copied.
    """
    real = real.absolute()
    top = _find_top(real, real)
    hidden = {path.absolute() for path in left_out}
    copy, above = target, top
    for part in real.relative_to(top).parts:
        copy.mkdir(parents=True, mode=0o700, exist_ok=True)
        with contextlib.suppress(OSError):  # not every folder may be read
            _link_siblings(above, copy, {above / part, *hidden})
        copy, above = copy / part, above / part
    mirror = Mirror(real, copy)
    _copy_folder(real, copy, mirror, hidden)
    return mirror


def _link_siblings(folder: Path, target: Path, left_out: Collection[Path]) -> None:
    for entry in sorted(folder.iterdir())[:_MOST_SIBLINGS]:
        if entry not in left_out and entry.name not in _LEFT_OUT:
            (target / entry.name).symlink_to(entry)
        elif entry.is_dir():
            (target / entry.name).mkdir(mode=0o700)


def _copy_folder(source: Path, target: Path, mirror: Mirror, hidden: set[Path]) -> None:
    target.mkdir(parents=True, mode=0o700, exist_ok=True)
    for entry in sorted(os.scandir(source), key=lambda one: (one.is_dir(), one.name)):
        path, copy = Path(entry.path), target / entry.name
        if path in hidden or entry.name in _LEFT_OUT:
            if entry.is_dir():
                copy.mkdir(mode=0o700)  # whoever lists the folder sees it
            continue
        if entry.is_symlink():
            copy.symlink_to(path.readlink() if not path.readlink().is_absolute() else path)
        elif entry.is_dir():
            full = mirror.files >= _MOST_FILES or mirror.size_bytes >= _MOST_BYTES
            if full or entry.name in _LINKED:
                copy.symlink_to(path)
            else:
                _copy_folder(path, copy, mirror, hidden)
        elif entry.is_file():
            _copy_file(path, copy, entry.stat().st_size, mirror)


def _copy_file(path: Path, copy: Path, size_bytes: int, mirror: Mirror) -> None:
    mirror.files += 1
    if size_bytes > _LARGEST_FILE_BYTES or mirror.size_bytes + size_bytes > _MOST_BYTES:
        mirror.linked[str(path)] = read_stamp(str(path))
        copy.symlink_to(path)
    else:
        mirror.size_bytes += size_bytes
        shutil.copy2(path, copy)

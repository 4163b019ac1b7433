"""What a reproduction that was killed has left in the folder for temporary files."""

from __future__ import annotations

import contextlib
import filecmp
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mlops_nb.store.writer import describe_writer, is_writer_alive

PREFIX = "mlops-nb-reproduce-"
_OWNER = "owner.json"
KEPT = "kept"
_ORIGINALS = "originals.json"


def make_root() -> Path:
    """Make the folder of a reproduction, and note in it whose it is.

    Returns
    -------
    Path
        Without links in it: where they are followed, names below it would no longer be below it.
    """
    root = Path(os.path.realpath(tempfile.mkdtemp(prefix=PREFIX)))
    with contextlib.suppress(OSError):  # what follows says that the disk is full
        (root / _OWNER).write_text(json.dumps(describe_writer()), encoding="utf-8")
    return root


def note_originals(kept: Path, originals: Mapping[str, Path]) -> None:
    """Note of which files there are copies, for whoever sweeps after this process.

    Parameters
    ----------
    kept
        The folder of the copies.
    originals
        Path of each copy by that of the file.
    """
    names = {copy.name: path for path, copy in originals.items()}
    (kept / _ORIGINALS).write_text(json.dumps(names), encoding="utf-8")


def sweep_reproductions() -> None:
    """Remove what reproductions have left whose process was killed.

    A copy of a file of the user's stays, where that file is no longer what it was: nobody was left
    to put it back.
    """
    for root in sorted(Path(os.path.realpath(tempfile.gettempdir())).glob(PREFIX + "*")):
        if _is_abandoned(root):
            _remove(root)


def _is_abandoned(root: Path) -> bool:
    """Tell whether a folder is this user's, and its process is known to be gone."""
    try:
        found = root.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != (root / _OWNER).lstat().st_uid:
            return False
        if hasattr(os, "getuid") and found.st_uid != os.getuid():
            return False
        writer = json.loads((root / _OWNER).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # begun this moment, or by an older version: whose is not known
        return False
    return isinstance(writer, dict) and is_writer_alive(writer) is False


def _remove(root: Path) -> None:
    if not _is_needed(root / KEPT):
        shutil.rmtree(root, ignore_errors=True)
        return
    for entry in list(root.iterdir()):
        if entry.name in {KEPT, _OWNER}:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def _is_needed(kept: Path) -> bool:
    """Tell whether a copy may be all that is left of what a file was."""
    note = kept / _ORIGINALS
    if not note.is_file():  # nothing of the user's has run by then
        return False
    try:
        names = json.loads(note.read_text(encoding="utf-8"))
        return any(not filecmp.cmp(kept / copy, names[copy], shallow=False) for copy in names)
    except (OSError, ValueError, TypeError):  # gone, or no folder of ours any more
        return True

"""Durable files: written whole or not at all, never half."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut, where the platform lets folders be synced."""
    if os.name == "nt":
        return  # Windows has no handle for folders; NTFS journals the rename itself
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(
    path: Path, data: bytes, *, replace: bool = False, sync: bool = True, mode: int = 0o666
) -> bool:
    """Write a file so that readers see all of it or none.

    Parameters
    ----------
    path
        Where the file goes; its folder is made when missing.
    data
        The bytes.
    replace
        Replace a file that is there. Otherwise the call creates: an existing file is left alone.
    sync
        Wait until the bytes are on the disk.
    mode
        Who may read and write it, less what the umask forbids.

    Returns
    -------
    bool
        Whether this call wrote the file; False when it was there and `replace` is off.

    Raises
    ------
    OSError
        The disk is full or the folder cannot be written; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.parent / f".{path.name[:40]}.{secrets.token_hex(6)}.part"
    try:
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(data)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        if replace:
            part.replace(path)
        else:
            try:
                os.link(part, path)  # fails when the name exists: an atomic create-if-absent
            except FileExistsError:
                return False
            except OSError:  # a file system without hard links
                if path.exists():
                    return False
                part.rename(path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    if sync:
        sync_folder(path.parent)
    return True

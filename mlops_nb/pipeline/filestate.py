"""The state of files, folders and random generators, as small values that can be compared."""

from __future__ import annotations

import contextlib
import importlib.machinery
import os
import random
import stat
import sys
from pathlib import Path
from typing import Any

import blake3

MODULES = tuple(importlib.machinery.all_suffixes())
_INSTALLED = (".dist-info", ".egg-info", ".egg")
Stamp = tuple[int, int, int]  # size, modification and change time in ns


def read_stamp(path: str) -> Stamp | None:
    """Read what tells cheaply that a file was not touched.

    Parameters
    ----------
    path
        Of the file.

    Returns
    -------
    tuple of int or None
        Size in bytes, times of the last change of content and of inode in ns; None where there is
        no such file.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - on the path of every open
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def read_file(path: str) -> dict[str, Any] | None:
    """Read the state of a file.

    Parameters
    ----------
    path
        Of the file.

    Returns
    -------
    dict or None
        ``stamp`` and ``digest``; None where there is nothing that can be read as a file.
    """
    stamp = read_stamp(path)
    try:
        if stamp is None or not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
            return None
        hasher = blake3.blake3(max_threads=blake3.blake3.AUTO)
        hasher.update_mmap(path)
    except OSError:
        return None
    return {"stamp": list(stamp), "digest": hasher.hexdigest()}


def read_written(path: str) -> dict[str, Any] | None:
    """Read the state of what a step has made or removed.

    Parameters
    ----------
    path
        Of a file or a folder.

    Returns
    -------
    dict or None
        As `read_file`; of a folder ``is_folder`` is true, and it has no digest.
    """
    if os.path.isdir(path):  # noqa: PTH112 - as of files
        return {"stamp": [0, 0, 0], "digest": None, "is_folder": True}
    return read_file(path)


def read_folder(path: str) -> str | None:
    """Take the digest of the names in a folder.

    Parameters
    ----------
    path
        Of the folder.

    Returns
    -------
    str or None
        None where it cannot be listed.
    """
    try:
        names = sorted(os.listdir(path))  # noqa: PTH208 - the names alone
    except OSError:
        return None
    hidden = {".mlops", ".ipynb_checkpoints", "__pycache__"}
    kept = [name for name in names if name not in hidden and not name.endswith("-run")]
    return str(blake3.blake3("\0".join(kept).encode("utf-8", "surrogateescape")).hexdigest())


def read_modules(path: str) -> str:
    """Take the digest of the names in a folder that an import, or who asks for packages, may find.

    Parameters
    ----------
    path
        Of the folder.

    Returns
    -------
    str
        Of the files of modules, the folders that hold any, and what tells of installed packages.
    """
    found = []
    with contextlib.suppress(OSError), os.scandir(path) as entries:
        for entry in entries:
            if entry.name.endswith((*MODULES, *_INSTALLED)):
                found.append(entry.name)
            elif entry.is_dir() and not entry.name.startswith(".") and _holds_modules(entry.path):
                found.append(f"{entry.name}{os.sep}")
    text = "\0".join(sorted(found))
    return str(blake3.blake3(text.encode("utf-8", "surrogateescape")).hexdigest())


def _holds_modules(folder: str) -> bool:
    with contextlib.suppress(OSError):
        return any(name.endswith(MODULES) for name in os.listdir(folder))  # noqa: PTH208
    return False


def is_unchanged(path: str, known: dict[str, Any] | None) -> bool:
    """Tell whether a file is as it was.

    Parameters
    ----------
    path
        Of the file.
    known
        From `read_file`, maybe long ago.

    Returns
    -------
    bool
        Decided by content where the stamp differs.
    """
    stamp = read_stamp(path)
    if known is None or stamp is None:
        return (known is None or known.get("digest") is None) and not Path(path).is_file()
    if list(stamp) == known["stamp"]:
        return True
    if stamp[0] != known["stamp"][0]:
        return False
    found = read_file(path)
    return found is not None and found["digest"] == known["digest"]


def digest_seeds() -> str:
    """Take the digest of the states of the global random generators.

    Returns
    -------
    str
        Of those of ``random``, numpy and torch that are loaded.
    """
    hasher = blake3.blake3(repr(random.getstate()).encode())
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        state = numpy.random.get_state(legacy=False)  # numpy loads it when it is asked for
        hasher.update(repr((state["has_gauss"], state["gauss"], state["state"]["pos"])).encode())
        hasher.update(state["state"]["key"].tobytes())
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        hasher.update(torch.get_rng_state().numpy().tobytes())
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            for state in torch.cuda.get_rng_state_all():
                hasher.update(state.numpy().tobytes())
    return str(hasher.hexdigest())

"""A lock between processes that its holder's death opens."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_POLL_S = 0.1


@contextlib.contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """Hold a lock on a file while the block runs.

    Parameters
    ----------
    path
        The file; it is made, and stays.

    Yields
    ------
    None
        Once nobody else holds it, in this process or another.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(handle)
        yield
    finally:
        os.close(handle)  # which opens the lock


def is_locked(path: Path) -> bool:
    """Tell whether somebody holds the lock on a file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    bool
        False where there is no such file.
    """
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _try_lock(handle)
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    while not _try_lock(handle):
        time.sleep(_POLL_S)  # not one waiting call: a signal shall reach the main thread


def _try_lock(handle: int) -> bool:
    if sys.platform == "win32":
        import msvcrt

        with contextlib.suppress(OSError):
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            return True
        return False
    import fcntl

    with contextlib.suppress(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False

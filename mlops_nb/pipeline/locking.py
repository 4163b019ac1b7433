"""A lock between processes that its holder's death opens."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

_POLL_S = 0.1
_MOST_LOOKS = 20


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


class Claim:
    """A lock that is had or not at once, and says who has it.

    Parameters
    ----------
    path
        The file; it is made with its folder, and stays.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._close: weakref.finalize[..., Claim] | None = None

    def take(self, holder: str) -> bool:
        """Take it.

        Parameters
        ----------
        holder
            What others are told of whoever has it.

        Returns
        -------
        bool
            False where another process, or another part of this one, has it.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _try_lock(handle):
            os.close(handle)
            return False
        # Behind the first byte, which is the one that Windows lets nobody else read.
        os.ftruncate(handle, 0)
        os.write(handle, f" {holder}".encode())
        self._close = weakref.finalize(self, os.close, handle)
        return True

    def read_holder(self) -> str:
        """Say who has it, or had it last.

        Returns
        -------
        str
            Empty where that cannot be read.
        """
        for _ in range(_MOST_LOOKS):
            with contextlib.suppress(OSError), self.path.open("rb") as file:
                file.seek(1)
                holder = file.read().decode(errors="replace")
                if holder:
                    return holder
            time.sleep(_POLL_S)  # it was taken a moment ago, and the name comes next
        return ""

    def release(self) -> None:
        """Give it back; nothing happens where it was not taken."""
        if self._close is not None:
            self._close()


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

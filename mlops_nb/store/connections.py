"""Connections to SQLite that close with the thread that used them."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path


class Connection(sqlite3.Connection):
    """A connection that closes itself; a forked child leaves its parent's alone."""

    pid = 0

    def __del__(self) -> None:
        """Close, for Python 3.13 warns of a connection that nobody closed."""
        if self.pid == os.getpid():
            with contextlib.suppress(sqlite3.Error):
                self.close()


def open_connection(path: Path | str, timeout_s: float) -> Connection:
    """Open a database in autocommit mode.

    Parameters
    ----------
    path
        The file, or ``:memory:``.
    timeout_s
        Seconds to wait for others.

    Returns
    -------
    Connection
        To be used by one thread; another one may only be the one that closes it.
    """
    connection = sqlite3.connect(
        path,
        isolation_level=None,
        timeout=timeout_s,
        check_same_thread=False,
        factory=Connection,
    )
    connection.pid = os.getpid()
    return connection

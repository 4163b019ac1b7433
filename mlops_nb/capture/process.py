"""The running process: who runs it, where, since when."""

from __future__ import annotations

import getpass
import os
import platform
import sys
from pathlib import Path
from typing import Any


def _read_text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _read_start_ticks() -> int | None:
    # The command name may hold spaces and brackets; the fields begin after the last bracket.
    fields = _read_text("/proc/self/stat").rpartition(")")[2].split()
    return int(fields[19]) if len(fields) > 19 else None


def _read_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""  # containers run with a user id that has no name


def capture_process() -> dict[str, Any]:
    """Read what tells this process from every other, on this machine and over restarts.

    Returns
    -------
    dict
        ``pid``, ``start_ticks`` and ``boot_id`` (both None where the platform does not tell),
        ``host``, ``user``, ``executable``.
    """
    return {
        "pid": os.getpid(),
        "start_ticks": _read_start_ticks(),
        "boot_id": _read_text("/proc/sys/kernel/random/boot_id") or None,
        "host": platform.node(),
        "user": _read_user(),
        "executable": sys.executable,
    }

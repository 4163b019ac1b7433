"""Who writes a log, and whether that process still lives."""

from __future__ import annotations

import getpass
import os
import platform
from functools import cache
from pathlib import Path
from typing import Any

_described: dict[str, Any] = {}


@cache
def read_boot_id() -> str:
    """Give a name of this boot of this machine, empty where the platform has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


@cache
def read_pid_space() -> str:
    """Give a name of the space that process numbers count in, empty where there is only one."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def read_start_time(pid: int) -> int | None:
    """Give the start of a process in clock ticks since boot.

    Parameters
    ----------
    pid
        Process number.

    Returns
    -------
    int or None
        Field 22 of ``/proc/PID/stat``; None where there is no such process or no such file.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        # The command's name may hold spaces and brackets, so count from the last bracket.
        fields = text[text.rindex(")") + 2 :].split()
    except (OSError, ValueError):
        return None
    if fields[0] in ("Z", "X"):
        return None  # a zombie writes nothing any more
    return int(fields[19])


@cache
def find_user() -> str:
    """Give the name of who runs this process, ``unknown`` where the system has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def describe_writer() -> dict[str, Any]:
    """Describe this process so that a later reader can tell whether it lives.

    Returns
    -------
    dict
        ``pid``, ``host``, ``boot_id``, ``start_time`` (clock ticks since boot, or None) and
        ``pid_space`` (whose numbers the pid is one of, or empty).
    """
    pid = os.getpid()
    if _described.get("pid") != pid:  # nothing of it changes but by a fork
        _described.update(
            pid=pid,
            host=platform.node(),
            boot_id=read_boot_id(),
            start_time=read_start_time(pid),
            pid_space=read_pid_space(),
        )
    return dict(_described)


def name_writer(writer: dict[str, Any]) -> str:
    """Name a process for people.

    Parameters
    ----------
    writer
        What `describe_writer` gave.

    Returns
    -------
    str
        Its number and its machine.
    """
    return f"process {writer.get('pid')} on {writer.get('host')}"


def is_writer_alive(writer: dict[str, Any]) -> bool | None:
    """Tell whether the process that started a log can still write to it.

    Parameters
    ----------
    writer
        What `describe_writer` gave when the log was started.

    Returns
    -------
    bool or None
        None when it cannot be told from here: the writer is on another machine or in a container.
    """
    if writer.get("host") != platform.node():
        return None
    if writer.get("boot_id") != read_boot_id():
        return False
    if writer.get("pid_space", read_pid_space()) != read_pid_space():
        return None  # the same machine, but a container that counts its processes by itself
    pid = writer.get("pid")
    if not isinstance(pid, int):
        return False
    if writer.get("start_time") is not None:
        # The same number with another start is another process: numbers are used again.
        return bool(read_start_time(pid) == writer["start_time"])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True

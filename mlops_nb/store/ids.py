"""Names of runs: UUIDv7, so that names sort by the time they were made."""

from __future__ import annotations

import os
import re
import threading
import time

RUN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

_lock = threading.Lock()
_last: list[int] = [0]
_random: list[str] = []  # ends drawn ahead: asking the system takes longer than all else here
_AHEAD = 64


def new_run_id() -> str:
    """Make a UUIDv7 that is later than every one this process made before.

    Returns
    -------
    str
        36 characters: 48 bits of milliseconds, 12 bits that count within them, 62 random bits
        (RFC 9562, section 5.7, method 3 for the counter).
    """
    with _lock:
        # Time in units of 1/4096 ms: the 12 sub-millisecond bits keep order when two runs start at
        # once, and a clock set back never makes a name that sorts before an earlier one.
        milliseconds, rest = divmod(time.time_ns(), 1_000_000)
        tick = milliseconds << 12 | rest * 4096 // 1_000_000
        if tick <= _last[0]:
            tick = _last[0] + 1
        _last[0] = tick
        if not _random:
            _draw()
        end = _random.pop()
    return f"{tick >> 28 & 0xFFFFFFFF:08x}-{tick >> 12 & 0xFFFF:04x}-7{tick & 0xFFF:03x}-{end}"


def _draw() -> None:
    drawn = os.urandom(8 * _AHEAD)
    for at in range(0, len(drawn), 8):
        low = int.from_bytes(drawn[at : at + 8]) & (1 << 62) - 1 | (0b10 << 62)
        text = f"{low:016x}"
        _random.append(f"{text[:4]}-{text[4:]}")


def reset_after_fork() -> None:
    """Give a forked child its own lock and its own numbers; the parent's lock may be held."""
    global _lock
    _lock = threading.Lock()
    _random.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=reset_after_fork)

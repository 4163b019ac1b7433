"""Durations as people say them."""

from __future__ import annotations


def format_duration(seconds: float | None) -> str:
    """Write a duration the way people say it.

    Parameters
    ----------
    seconds
        The duration, None where there is none yet.

    Returns
    -------
    str
        For example ``34 ms``, ``3.1 s``, ``2 min 05 s``.
    """
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"

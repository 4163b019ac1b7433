"""Reads variables of a function that runs in another thread, and leaves no trace of it."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from itertools import compress
from types import FrameType
from typing import Any

MISSING: Any = object()

# Who asks for a copy of the variables by these, before Python 3.12, would see that we did.
_ASKED = frozenset({"locals", "vars", "dir", "eval", "exec"})
# What Python tells a tracer or profiler of.
_TOLD = frozenset({"frame", "event"})
# References to a frame's copy that nobody else holds: the frame's, ours, those of the pass over it.
_UNSHARED = 4

Reader = Callable[[FrameType, str], Any]


def _open_reader() -> Reader | None:
    """Give the interpreter's own function for one variable, which Python 3.12 brought."""
    if sys.version_info >= (3, 12):
        import ctypes

        kind = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.py_object)
        return kind(("PyFrame_GetVar", ctypes.pythonapi))
    return None


_readers: list[Reader | None] = []


def read_variable(frame: FrameType, name: str, callee: FrameType | None) -> Any:
    """Read a variable of a function.

    Parameters
    ----------
    frame
        Of the function, which another thread runs.
    name
        Of the variable.
    callee
        The function that this one has called and waits for.

    Returns
    -------
    object
        `MISSING` where there is no such variable, or none that may be looked at now.
    """
    if not _readers:
        _readers.append(_open_reader())
    if _readers[0] is None:
        return MISSING if _is_delicate(frame, callee) else _read_copy(frame, name)
    try:
        return _readers[0](frame, name)
    except NameError:
        return MISSING


def _is_delicate(frame: FrameType, callee: FrameType | None) -> bool:
    """Say whether a function's copy of its variables may be in use.

    The function may have asked for it; and while a tracer or profiler of the user's is told of the
    frame, what is in the copy will be written back to the variables.
    """
    if frame.f_trace is not None or not _ASKED.isdisjoint(frame.f_code.co_names):
        return True
    if callee is None:
        return False
    code = callee.f_code
    return not _TOLD.isdisjoint(code.co_varnames[: code.co_argcount])


def _read_copy(frame: FrameType, name: str) -> Any:
    """Read from the copy of all variables that Python 3.11 makes, and empty it at once.

    Notes
    -----
    The frame would keep the copy, and with it what the function deletes later. Threads take turns
    only at calls and at the ends of loops: there is none between the making of the copy and the
    last line but one, which is one call that empties it unless somebody else holds it.
    """
    held: list[Any] = [None]
    is_ours = map(_UNSHARED.__ge__, map(sys.getrefcount, held))
    emptied = map(dict.clear, compress(held, is_ours))
    held[0] = frame.f_locals
    found = held[0][name] if name in held[0] else MISSING  # noqa: SIM401 - that is a call
    deque(emptied, 0)
    return found

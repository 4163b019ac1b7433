"""Frames: which are the library's, and how ours stays out of the user's sight."""

from __future__ import annotations

import sys
import threading
from types import FrameType
from typing import Any, TypeVar

F = TypeVar("F")

# Python passes over frames of the import system when it looks for the place a warning is about; a
# frame of ours between a library and its user must be passed over in the same way.
_HIDDEN_FILE = "<mlops_nb importlib _bootstrap>"


class _Busy(threading.local):
    """Whether this thread is inside something that is recorded, or inside a worker of it."""

    value = False
    fit: Any = None


BUSY = _Busy()


def get_caller() -> FrameType:
    """Give the frame that called the function that asks."""
    return sys._getframe(2)  # noqa: SLF001 - the one way there is


def is_library_frame(frame: FrameType) -> bool:
    """Tell whether a frame runs code of scikit-learn or joblib."""
    name = frame.f_globals.get("__name__")
    return isinstance(name, str) and name.startswith(("sklearn.", "joblib."))


def hide_frame(function: F) -> F:
    """Let warnings pass over a function's frame, so that they name the same place as without us.

    Parameters
    ----------
    function
        A Python function.

    Returns
    -------
    function
        The same one.
    """
    code = function.__code__  # type: ignore[attr-defined]
    function.__code__ = code.replace(co_filename=_HIDDEN_FILE)  # type: ignore[attr-defined]
    return function

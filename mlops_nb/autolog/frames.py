"""Frames: which are the library's, and how ours stays out of the user's sight."""

from __future__ import annotations

import inspect
import os
import sys
import threading
import weakref
from types import FrameType
from typing import Any, TypeVar

from mlops_nb.capture.kinds import identify

F = TypeVar("F")

# Python passes over frames of the import system when it looks for the place a warning is about; a
# frame of ours between a library and its user must be passed over in the same way.
# The same beginning tells torch.compile to leave such a frame alone.
_HIDDEN_FILE = "<frozen importlib mlops_nb _bootstrap>"


# References to a dict of values that nobody else holds: the frame's, ours, the counting call's.
_UNSHARED = 3
_DEEPEST_TIMED = 6
# Where IPython's ``%timeit`` and Python's ``timeit`` run what they repeat.
TIMED_FILES = ("<magic-timeit>", "<timeit-src>")


class _Busy:
    """Whether this thread is inside something that is recorded, or inside a worker of it.

    Attributes
    ----------
    fits
        What is recorded there, by the identity of each such thread. The paths of every fit, task
        and metric ask here: between the kernels of a library, which leave little of the caches, a
        thread's own storage takes ten times as long.
    """

    __slots__ = ("fits",)

    def __init__(self) -> None:
        self.fits: dict[int, Any] = {}

    @property
    def value(self) -> bool:
        """Whether this thread is."""
        return threading.get_ident() in self.fits

    @value.setter
    def value(self, is_busy: bool) -> None:
        if is_busy:
            self.fits.setdefault(threading.get_ident(), None)
        else:
            self.fits.pop(threading.get_ident(), None)

    @property
    def fit(self) -> Any:
        """What is recorded; None also where this thread is not inside of anything."""
        return self.fits.get(threading.get_ident())

    @fit.setter
    def fit(self, fit: Any) -> None:
        if threading.get_ident() in self.fits:
            self.fits[threading.get_ident()] = fit

    def keep_own(self) -> None:
        """Forget the other threads, which a forked child does not have."""
        own = threading.get_ident()
        for ident in [each for each in self.fits if each != own]:
            del self.fits[ident]


BUSY = _Busy()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=BUSY.keep_own)


def get_caller() -> FrameType:
    """Give the frame that called the function that asks."""
    return sys._getframe(2)  # noqa: SLF001 - the one way there is


def read_locals(frame: FrameType) -> dict[str, Any]:
    """Read the variables of a frame and leave no trace of having done so.

    Parameters
    ----------
    frame
        Any running frame.

    Returns
    -------
    dict
        Values by name: for a function a copy, for a cell or module its namespace itself.

    Notes
    -----
    Before Python 3.13 a function's frame keeps the dict that ``f_locals`` makes, and with it every
    value, even one that the function deletes afterwards. It is emptied again, unless the user
    holds it, having asked for it by ``locals()``.
    """
    if not frame.f_code.co_flags & inspect.CO_OPTIMIZED:
        return frame.f_locals
    return read_function(frame)


def read_function(frame: FrameType) -> dict[str, Any]:
    """Read the variables of a frame that is known to run a function; see `read_locals`."""
    if sys.version_info >= (3, 13):
        return dict(frame.f_locals)
    values = frame.f_locals
    found = dict(values)
    if sys.getrefcount(values) <= _UNSHARED:
        values.clear()
    return found


def read_fields(value: Any) -> dict[str, Any]:
    """Read the attributes of an object without running code of its class; empty without any."""
    try:
        fields = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return fields if type(fields) is dict else {}


class Spot:
    """One call that is being executed; made once, because each look at a frame's code is audited.

    Parameters
    ----------
    frame
        The frame that calls.

    Attributes
    ----------
    code, at
        What it runs, and which instruction of that calls.
    key
        Both, to look something up by; a number of code that is gone may be another's.
    """

    __slots__ = ("at", "code", "frame", "key")

    def __init__(self, frame: FrameType) -> None:
        self.frame, self.code, self.at = frame, frame.f_code, frame.f_lasti
        self.key = identify(self.code), self.at


class _Mark:
    """Lives as long as the frame that holds it."""

    __slots__ = ("__weakref__",)

    def __call__(self, *event: object) -> None:
        """Trace nothing, should a debugger be switched on while the frame runs."""


class FrameMark:
    """Tells whether a frame is still the one it was made for; keeps nothing of it alive.

    Parameters
    ----------
    frame
        A running frame of a function.

    Notes
    -----
    The number of a frame is given to the next call as soon as it has returned, and frames have no
    weak references. What is put where a tracer would stand, which is looked at only while one is
    switched on, goes with the frame. Beside a tracer frames are told apart by their number alone.
    """

    __slots__ = ("_mark", "_number")

    def __init__(self, frame: FrameType) -> None:
        self._number = id(frame)
        self._mark: weakref.ref[_Mark] | None = None
        if frame.f_trace is None and sys.gettrace() is None:
            frame.f_trace = mark = _Mark()
            self._mark = weakref.ref(mark)

    def is_on(self, frame: FrameType) -> bool:
        """Tell whether a frame is the one that was marked."""
        if self._mark is None:
            return id(frame) == self._number
        return frame.f_trace is not None and frame.f_trace is self._mark()


def is_library_frame(frame: FrameType) -> bool:
    """Tell whether a frame runs code of scikit-learn or joblib."""
    name = frame.f_globals.get("__name__")
    return isinstance(name, str) and name.startswith(("sklearn.", "joblib."))


def is_measured(frame: FrameType | None) -> bool:
    """Tell whether Hugging Face's Trainer asks for what is computed: its results are known."""
    seen = 0
    while frame is not None and seen < _DEEPEST_TIMED:
        if frame.f_globals.get("__name__") == "transformers.trainer":
            return True
        frame, seen = frame.f_back, seen + 1
    return False


def is_timed(frame: FrameType | None) -> bool:
    """Tell whether ``%timeit``, or ``timeit``, is at work: such fits are no experiments."""
    seen = 0
    while frame is not None and seen < _DEEPEST_TIMED:
        if frame.f_code.co_filename in TIMED_FILES:
            return True
        frame, seen = frame.f_back, seen + 1
    return False


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

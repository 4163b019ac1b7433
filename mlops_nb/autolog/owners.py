"""Estimators of the user's own around those of a library, whose fit is part of theirs."""

from __future__ import annotations

from dataclasses import dataclass
from types import FrameType
from typing import Any

from mlops_nb.autolog.frames import TIMED_FILES, FrameMark, is_library_frame, read_locals

_DEEPEST = 8
# Frames within that of a method; before Python 3.12 comprehensions have their own.
_WITHIN = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>", "<lambda>"})
_FIT_METHODS = frozenset({"fit", "partial_fit", "fit_transform", "fit_predict"})


class Timed:
    """Says that ``%timeit``, or ``timeit``, is at work: such fits are no experiments."""


@dataclass(slots=True)
class Owner:
    """A fit of an estimator of the user's own, known by the library's fits inside it."""

    frame: FrameMark
    cell: int | None
    begun: float


def find_owner(frame: FrameType | None) -> tuple[Any, FrameType] | type[Timed] | None:
    """Find the user's own estimator, and the frame of its ``fit``, in which the library fits.

    Parameters
    ----------
    frame
        The user's frame that has called the library.

    Returns
    -------
    tuple, Timed or None
        The outermost one; None where there is none.
    """
    found = None
    seen = 0
    while frame is not None and seen < _DEEPEST:
        code = frame.f_code  # each look is audited
        name = code.co_name
        if name == "<module>" or (name.startswith("<") and name not in _WITHIN):
            break  # a cell or module
        if code.co_filename in TIMED_FILES:
            return Timed
        if name in _FIT_METHODS:
            owner = read_locals(frame).get("self")
            if hasattr(type(owner), "get_params"):
                found = (owner, frame)
        frame, seen = frame.f_back, seen + 1
    return found


def read_given(frame: FrameType) -> dict[str, Any]:
    """Give the data that such a ``fit`` was given, by role."""
    values = read_locals(frame)
    return {role: values[role] for role in ("X", "y") if values.get(role) is not None}


def find_caller(frame: FrameType, estimator: Any) -> FrameType | None:
    """Give the user's frame; None where a function of the library fits for itself.

    Parameters
    ----------
    frame
        Of a fit, or of a wrapper around it.
    estimator
        What is fitted.
    """
    above = frame.f_back
    while above is not None and is_library_frame(above):
        # A task of the library's own loops is marked as such: what joblib calls here is the user's.
        if above.f_globals["__name__"].startswith("joblib."):
            if above.f_back is None or not is_library_frame(above.f_back):
                return above.f_back or above
            above = above.f_back
            continue
        if not _is_call_on(above, estimator):
            return None
        above = above.f_back
    return above


def _is_call_on(frame: FrameType, estimator: Any) -> bool:
    """Tell whether a frame of the library runs a method of an estimator, or wraps one."""
    values = read_locals(frame)
    # Before 1.7 some methods stood in a wrapper that warns of positional arguments.
    first = values.get("args", ())[:1] if frame.f_code.co_name == "inner_f" else ()
    return any(each is estimator for each in (values.get("self"), values.get("estimator"), *first))

"""Estimators of the user's own around those of a library, whose fit is part of theirs."""

from __future__ import annotations

from dataclasses import dataclass
from types import FrameType
from typing import Any

from mlops_nb.autolog.frames import TIMING_FILE, FrameMark, read_locals

_DEEPEST = 8
# Frames within that of a method; before Python 3.12 comprehensions have their own.
_WITHIN = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>", "<lambda>"})
_FIT_METHODS = frozenset({"fit", "partial_fit", "fit_transform", "fit_predict"})


class Timed:
    """Says that ``%timeit`` is at work: its hundreds of fits are no experiments."""


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
        if code.co_filename == TIMING_FILE:
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

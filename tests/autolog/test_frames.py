"""Frames are told apart also where a number is given to another one."""

from __future__ import annotations

import gc
import sys
import weakref
from types import FrameType
from typing import Any

import pytest

from mlops_nb.autolog.frames import FrameMark


class _Kept:
    """Stands for data of the user's."""


def _mark() -> tuple[FrameMark, bool]:
    frame = sys._getframe()
    mark = FrameMark(frame)
    return mark, mark.is_on(frame)


def _ask(mark: FrameMark) -> bool:
    return mark.is_on(sys._getframe())


@pytest.mark.skipif(sys.gettrace() is not None, reason="coverage traces on Python 3.11")
def test_a_later_call_is_another_frame() -> None:
    """Of a hundred calls that follow none is taken for the marked one, whatever their number."""
    mark, was_on = _mark()
    assert was_on
    assert not any(_ask(mark) for _ in range(100))
    assert not any(mark.is_on(_frame()) for _ in range(100))


def _frame() -> FrameType:
    return sys._getframe()


@pytest.mark.skipif(sys.gettrace() is not None, reason="coverage traces on Python 3.11")
def test_a_mark_keeps_nothing_alive() -> None:
    """What the frame held goes when its function returns."""

    def function() -> tuple[FrameMark, weakref.ref[_Kept]]:
        kept = _Kept()
        return FrameMark(sys._getframe()), weakref.ref(kept)

    mark, kept = function()
    gc.collect()
    assert kept() is None
    assert not _ask(mark)


def test_a_tracer_is_left_alone() -> None:
    """Beside a debugger nothing of its is replaced; one that is switched on later hears all."""
    heard: list[str] = []

    def tracer(frame: FrameType, event: str, argument: Any) -> Any:
        heard.append(event)
        return tracer

    def traced() -> Any:
        frame = sys._getframe()
        before = frame.f_trace
        mark = FrameMark(frame)
        assert mark.is_on(frame)
        return before is frame.f_trace

    def marked() -> None:
        mark = FrameMark(sys._getframe())
        sys.settrace(tracer)
        assert mark is not None
        sys.settrace(before)

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        assert traced()
    finally:
        sys.settrace(before)
    assert "line" in heard
    marked()
    assert sys.gettrace() is before

"""A run is ended from another thread, whenever its kernels come and go."""

from __future__ import annotations

import threading

import pytest

from mlops_nb.pipeline import cancelling
from mlops_nb.pipeline.cancelling import cancel_run, dismiss, enlist, forget_run, is_cancelled


class Kernel:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def interrupt(self) -> None:
        """Be interrupted, which a cell may ignore."""
        self.told.append("interrupt")

    def kill(self) -> None:
        """Be killed."""
        self.told.append("kill")


def test_only_the_run_is_cancelled() -> None:
    """Its kernels are interrupted, those of others and those that ended before are not."""
    mine, other, ended = Kernel(), Kernel(), Kernel()
    for run_id, kernel in (("a", mine), ("b", other), ("a", ended)):
        enlist(run_id, kernel)
    dismiss("a", ended)
    dismiss("a", ended)
    cancel_run("a")
    assert is_cancelled("a")
    assert not is_cancelled("b")
    assert (mine.told, other.told, ended.told) == (["interrupt"], [], [])
    dismiss("a", mine)
    dismiss("b", other)
    forget_run("a")
    assert not is_cancelled("a")


def test_a_kernel_that_comes_too_late_is_killed() -> None:
    """Between two steps there is no kernel; the next one does not get to work."""
    cancel_run("a")
    late = Kernel()
    enlist("a", late)
    assert late.told == ["kill"]
    dismiss("a", late)
    forget_run("a")


def test_a_kernel_that_goes_on_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that catches the interrupt is ended all the same, a moment later."""
    monkeypatch.setattr(cancelling, "_GRACE_S", 0.0)
    deaf = Kernel()
    enlist("a", deaf)
    cancel_run("a")
    for timer in threading.enumerate():
        if isinstance(timer, threading.Timer):
            timer.join(30)
    assert deaf.told == ["interrupt", "kill"]
    dismiss("a", deaf)
    forget_run("a")

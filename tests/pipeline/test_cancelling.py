"""A run is ended from another thread, whenever its kernels come and go."""

from __future__ import annotations

import concurrent.futures
import queue
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from mlops_nb.pipeline import cancelling, schedule
from mlops_nb.pipeline.cancelling import (
    cancel_run,
    dismiss,
    enlist,
    forget_run,
    is_cancelled,
    kill_run,
)


class Kernel:
    """Notes what it is told; a cell in it may catch the interrupt."""

    def __init__(self, *, has_started: bool = True) -> None:
        self.has_started = has_started
        self.told: list[str] = []

    def interrupt(self) -> None:
        """Be interrupted."""
        self.told.append("interrupt")

    def kill(self) -> None:
        """Be killed, where there is a process to kill."""
        if self.has_started:
            self.told.append("kill")

    def wait_for_kill(self) -> None:
        """Wait until somebody kills it."""
        for _ in range(2400):
            if "kill" in self.told:
                return
            time.sleep(0.05)
        raise AssertionError("nobody killed it")


@pytest.fixture
def run_id() -> Iterator[str]:
    """Give a run of its own, forgotten at the end."""
    made = str(uuid.uuid4())
    yield made
    forget_run(made)


def test_only_the_run_is_cancelled(run_id: str) -> None:
    """Its kernels are interrupted, those of others and those that ended before are not."""
    mine, other, ended = Kernel(), Kernel(), Kernel()
    for place, kernel in ((run_id, mine), ("b", other), (run_id, ended)):
        enlist(place, kernel)
    dismiss(run_id, ended)
    dismiss(run_id, ended)
    cancel_run(run_id)
    assert is_cancelled(run_id)
    assert not is_cancelled("b")
    assert (mine.told, other.told, ended.told) == (["interrupt"], [], [])
    dismiss(run_id, mine)
    dismiss("b", other)
    forget_run(run_id)
    assert not is_cancelled(run_id)


def test_a_kernel_that_comes_too_late_is_killed(run_id: str) -> None:
    """Between two steps there is no kernel; the next one does not get to work."""
    cancel_run(run_id)
    late = Kernel()
    enlist(run_id, late)
    late.wait_for_kill()
    dismiss(run_id, late)


def test_a_kernel_that_is_starting_is_killed(run_id: str) -> None:
    """A kill before there is a process is lost; it is sent again when there is one."""
    starting = Kernel(has_started=False)
    cancel_run(run_id)
    enlist(run_id, starting)
    time.sleep(2 * cancelling._POLL_S)
    assert starting.told == []
    starting.has_started = True
    starting.wait_for_kill()
    dismiss(run_id, starting)


def test_a_kernel_that_goes_on_is_killed(monkeypatch: pytest.MonkeyPatch, run_id: str) -> None:
    """A cell that catches the interrupt is ended all the same, a moment later."""
    monkeypatch.setattr(cancelling, "_GRACE_S", 0.3)
    deaf = Kernel()
    enlist(run_id, deaf)
    cancel_run(run_id)
    cancel_run(run_id)
    deaf.wait_for_kill()
    assert deaf.told[0] == "interrupt"
    dismiss(run_id, deaf)


def test_a_run_that_is_killed_gets_no_grace() -> None:
    """Nothing is left to the cell that runs."""
    kernel = Kernel()
    enlist("killed", kernel)
    kill_run("killed")
    assert kernel.told[:2] == ["interrupt", "kill"]
    dismiss("killed", kernel)
    forget_run("killed")


def test_waiting_for_steps_takes_none_of_their_locks() -> None:
    """An interrupt may come while the main thread waits: a lock left behind would stop the step."""
    waiting = object.__new__(schedule.Schedule)
    future: concurrent.futures.Future[Any] = concurrent.futures.Future()
    waiting.running, waiting.ended = {0: future}, queue.SimpleQueue()
    with future._condition:  # the thread that waits must not want it
        thread = threading.Thread(target=waiting._wait)
        thread.start()
        thread.join(120)
        assert not thread.is_alive()
    assert waiting.running == {0: future}

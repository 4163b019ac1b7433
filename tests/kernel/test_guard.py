"""The guard between a recorder and the user's cell."""

from __future__ import annotations

import errno
import os
import time

import pytest

from mlops_nb.kernel.guard import Guard, describe_failure, say


def raise_error(error: BaseException) -> None:
    """Raise what is given."""
    raise error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("broken"), "RuntimeError: broken"),
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (SystemExit(3), "SystemExit: 3"),
        (MemoryError(), "MemoryError"),
        (RuntimeError("two\nlines"), "two lines"),
    ],
)
def test_failure_is_told_once_and_stops_the_recorder(
    error: BaseException, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A recorder that raises says one line, never raises out, and is not asked again."""
    stopped: list[str] = []
    guard = Guard("cells", on_stop=lambda: stopped.append("x"))
    assert guard.call(raise_error, error) is None
    assert guard.call(raise_error, error) is None
    assert guard.call(lambda: 3) is None
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]
    assert "recording of cells stopped" in lines[0]
    assert stopped == ["x"]
    assert not guard.enabled


def test_result_passes_through() -> None:
    """A recorder that works gives its result, and its time is counted."""
    guard = Guard("cells")
    assert guard.call(divmod, 7, 4) == (1, 3)
    assert guard.enabled
    assert 0 <= guard.spent_s < 1


def test_slow_recorder_is_switched_off(capfd: pytest.CaptureFixture[str]) -> None:
    """A recorder that takes more than its time gives its last result and is then off."""
    guard = Guard("figures", grace_s=0.005)

    def dawdle() -> int:
        time.sleep(0.05)
        return 7

    assert guard.call(dawdle) == 7
    assert not guard.enabled
    assert "s of your time" in capfd.readouterr().err


@pytest.mark.parametrize(("load", "at"), [(0.1, 3), (1e9, 11)])
def test_where_all_wait_a_recorder_may_wait_too(
    monkeypatch: pytest.MonkeyPatch, load: float, at: int
) -> None:
    """A machine that is full when a class begins costs nobody the recording, yet not for ever."""
    clock = [0.0]
    monkeypatch.setattr("mlops_nb.kernel.guard.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0), raising=False)
    guard = Guard("cells")

    def wait() -> None:
        clock[0] += 1.0

    for second in range(1, at):
        guard.call(wait)
        assert guard.enabled, second
    guard.call(wait)
    assert not guard.enabled


def test_long_sessions_earn_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand cells at a normal cost never use a recorder's time up."""
    clock = [0.0]
    monkeypatch.setattr("mlops_nb.kernel.guard.time.monotonic", lambda: clock[0])
    guard = Guard("cells")

    def record() -> None:
        clock[0] += 0.001

    for _ in range(10_000):
        guard.call(record)
        clock[0] += 0.5
    assert guard.spent_s == pytest.approx(10)
    assert guard.enabled


def test_interrupt_does_not_stop_recording() -> None:
    """An interrupt that arrives inside a hook was meant for the cell: the recorder goes on."""
    guard = Guard("cells")
    assert guard.call(raise_error, KeyboardInterrupt()) is None
    assert guard.enabled


def test_failing_stop_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    """What a recorder does when it is stopped cannot raise either."""
    guard = Guard("cells", on_stop=lambda: raise_error(RuntimeError("again")))
    guard.stop("reason")
    assert len(capfd.readouterr().err.splitlines()) == 1


def test_saying_survives_a_closed_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed stderr is no reason to raise."""

    class Closed:
        def write(self, text: str) -> None:
            raise ValueError(text)

    monkeypatch.setattr("sys.stderr", Closed())
    say("anything")


def test_failure_with_a_broken_message_is_named() -> None:
    """An exception whose own text raises is named by its class."""

    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    assert describe_failure(MuteError()) == "MuteError"
    assert len(describe_failure(ValueError("x" * 1000))) <= 200

"""``with mlops.paused():`` keeps what happens within to itself."""

from __future__ import annotations

import threading

import pytest

import mlops_nb as mlops
from mlops_nb import api
from mlops_nb.tracking import current_session


def is_paused() -> bool:
    """Say whether the session pauses."""
    session = current_session()
    return session is not None and session.is_paused


def test_blocks_lie_within_one_another() -> None:
    """Recording goes on when the outermost block ends, also after an error."""
    api.open_session()
    with mlops.paused():
        with pytest.raises(ZeroDivisionError), mlops.paused():
            _ = 1 / 0
        assert is_paused()
        assert mlops.get_status()["recording"] is False
    assert not is_paused()
    assert mlops.get_status()["recording"] is True


def test_what_is_logged_by_hand_is_recorded() -> None:
    """A pause is of what happens unasked."""
    api.open_session()
    with mlops.paused(), mlops.start_run("asked"):
        mlops.log_metric("acc", 1.0)
    assert mlops.get_run("asked").metrics == {"acc": 1.0}


def test_without_a_session_there_is_nothing_to_pause() -> None:
    """In a process that records nothing the block does nothing."""
    with mlops.paused():
        pass


def test_two_threads_pause_as_one() -> None:
    """While one thread is still within its block, nothing is recorded."""
    api.open_session()
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with mlops.paused():
            inside.set()
            leave.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(30)
    with mlops.paused():
        pass
    assert is_paused()
    leave.set()
    thread.join(30)
    assert not is_paused()

"""What a kernel executes, watched from another process, and the switch of recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_nb import api
from mlops_nb.api.watching import find_watched
from mlops_nb.config import load_settings
from mlops_nb.errors import StoreError
from mlops_nb.store import Store
from mlops_nb.store.livesession import find_session
from mlops_nb.tracking import Session, close_session, open_session

KERNEL = "0f8fad5b-d9cb-469f-a165-70867728950e"


def begin(store: Store, kernel_id: str = KERNEL) -> Session:
    """Open the session of a kernel."""
    return open_session(store, load_settings(), "/books/a.ipynb", kernel_id)


def read_pause(session: Session) -> bool:
    """Tell whether a session pauses; the type checker must not remember."""
    return session.is_paused


def test_only_what_is_new_is_given(store: Store) -> None:
    """Each look gives executions from a place on; one that was running is given with its end."""
    session = begin(store)
    session.end_cell(session.begin_cell("x = 1", "a", (), 1))
    running = session.begin_cell("y = x", "b", (), 2)
    found, executions, count = api.watch_session(KERNEL)
    assert found is not None
    assert (found.notebook, found.is_live, found.is_recording) == ("/books/a.ipynb", True, True)
    assert [(each.cell.status, each.writes) for each in executions] == [
        ("ok", ("x",)),
        ("running", ("y",)),
    ]
    session.end_cell(running, "error", "NameError: no")
    _, executions, count = api.watch_session(KERNEL, since=1)
    assert count == 2
    assert [(each.cell.status, each.reads) for each in executions] == [("error", ("x",))]
    assert [each.cell.index for each in api.watch_session(KERNEL, since=0, limit=1)[1]] == [0]


def test_last_session_of_the_kernel_counts(store: Store) -> None:
    """After a restart the kernel has a new session, and other kernels have theirs."""
    assert api.watch_session(KERNEL) == (None, [], 0)
    first = begin(store)
    first.end_cell(first.begin_cell("x = 1"))
    close_session()
    ended, executions, _ = api.watch_session(KERNEL)
    assert ended is not None
    assert (ended.is_live, ended.is_recording, len(executions)) == (False, False, 1)
    second = begin(store)
    begin(store, "other")
    found, executions, _ = api.watch_session(KERNEL)
    assert found is not None
    assert (found.session_id, executions) == (second.session_id, [])


def test_switch_is_seen_from_outside_and_outlives_pauses(store: Store) -> None:
    """Switched off, a block that pauses does not switch on again; by hand all is recorded."""
    session = begin(store)
    api.switch_recording(False)
    with api.paused():
        pass
    assert read_pause(session)
    api.log_metric("by_hand", 1.0)
    found, _, _ = api.watch_session(KERNEL)
    assert found is not None
    assert (found.is_live, found.is_recording) == (True, False)
    with api.paused():
        api.switch_recording(True)
        assert read_pause(session)
    assert not read_pause(session)
    found, _, _ = api.watch_session(KERNEL)
    assert found is not None
    assert found.is_recording
    assert [run.metrics for run in api.list_runs()] == [{"by_hand": 1.0}]


def test_nothing_to_switch_is_said() -> None:
    """Without a session the error says where to look."""
    with pytest.raises(StoreError, match="nothing is recorded here"):
        api.switch_recording(True)


def test_sessions_that_nobody_asks_for_are_forgotten(store: Store, tmp_path: Path) -> None:
    """However many notebooks are looked at, few are kept."""
    begin(store)
    folder = find_session(store.root, KERNEL)
    assert folder is not None
    first = find_watched(folder)
    assert find_watched(folder) is first
    for number in range(20):
        find_watched(tmp_path / str(number))
    assert find_watched(folder) is not first

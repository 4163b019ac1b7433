"""Several threads of one process write one run."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from mlops_nb.store import Store
from mlops_nb.store.frames import unpack_frames


def test_one_thread_ends_a_run_while_another_adds_to_it(store: Store, tmp_path: Path) -> None:
    """What one thread writes never lands in a file that another opened meanwhile."""
    log = store.start_run({"name": "r", "experiment": "default"})
    path = tmp_path / "of-somebody-else.txt"
    stop = threading.Event()

    def close_often() -> None:
        while not stop.is_set():
            log.close_events()
            with path.open("a"):  # takes the number that has just become free
                pass

    closing = threading.Thread(target=close_often)
    closing.start()
    try:
        for number in range(2000):
            log.append({"type": "tags", "tags": {"n": str(number)}})
    finally:
        stop.set()
        closing.join()
    assert path.read_bytes() == b""
    events, _, dropped = unpack_frames((log.folder / "events.log").read_bytes())
    assert (len(events), dropped) == (2000, 0)
    assert store.read_run(log.run_id).tags == {"n": "1999"}


def test_a_fork_does_not_wait_for_a_lock_of_its_parent(store: Store) -> None:
    """A child that was forked while another thread wrote can write and end all the same."""
    log = store.start_run({"name": "r", "experiment": "default"})
    log.append({"type": "tags", "tags": {"a": "1"}})
    holds, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with log._lock:
            holds.set()
            may_go.wait(30)

    holding = threading.Thread(target=hold)
    holding.start()
    holds.wait(30)
    child = os.fork()
    if child == 0:
        log.close()
        log.append({"type": "tags", "tags": {"b": "2"}})
        os._exit(0)
    may_go.set()
    holding.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.read_run(log.run_id).tags == {"a": "1", "b": "2"}

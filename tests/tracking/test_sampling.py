"""A thread looks at open runs: what they use and how far they are, and nothing else changes."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mlops_nb.capture.bars import Sighting
from mlops_nb.config import load_settings
from mlops_nb.records import ProgressRecord, RunRecord
from mlops_nb.store import Store
from mlops_nb.tracking import Session, close_session, open_session, pausing
from mlops_nb.tracking.sampling import _spans, _Watched

WAIT_S = 120.0
MEMORY = "system/process_memory_usage_megabytes"


def open_quick(store: Store) -> Session:
    """Open a session whose thread looks ten times a second."""
    return open_session(store, load_settings(resources=0.1))


def wait_for(what: Callable[[], bool]) -> None:
    """Wait until something has come true."""
    until = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


def find_threads() -> list[threading.Thread]:
    """List the threads that sample."""
    return [each for each in threading.enumerate() if each.name == "mlops_nb-sampler"]


def test_open_run_gets_a_series_of_what_is_used(store: Store) -> None:
    """What the process and the machine use is a series of the run, in MLflow's names."""
    session = open_quick(store)
    with session.start_run("long") as run:
        wait_for(lambda: len(read(store, run.run_id).metrics) >= 5)
        run.log_metric("acc", 0.5)
    close_session()
    found = read(store, run.run_id)
    assert set(found.metrics) >= {
        "acc", MEMORY, "system/cpu_utilization_percentage",
        "system/process_cpu_utilization_percentage", "system/system_memory_usage_megabytes",
        "system/system_memory_usage_percentage",
    }  # fmt: skip
    points = store.read_metric_history(run.run_id, MEMORY)
    assert [point.step for point in points] == list(range(len(points)))
    assert found.dropped_records == 0
    assert (found.status, found.progress) == ("finished", None)


def read(store: Store, run_id: str) -> RunRecord:
    """Read a run back."""
    return store.read_run(run_id)


def test_short_runs_and_closed_sessions_leave_no_trace(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is over at once gets no files of the thread, which ends with its session."""
    monkeypatch.setattr("mlops_nb.tracking.sampling.TICK_S", 60.0)
    session = open_session(store, load_settings(resources=3600))
    assert session.sampler is not None
    runs = [session.start_run(f"r{i}", is_active=False) for i in range(20)]
    for run in runs:
        run.end()
    assert len(find_threads()) == 1
    assert session.sampler._tick() is False
    close_session()
    wait_for(lambda: find_threads() == [])
    names = {path.name for run in runs for path in (store.root / "runs" / run.run_id).iterdir()}
    assert names <= {"run.json", "events.log"}


def test_no_thread_without_a_run_and_none_where_it_is_not_wanted(store: Store) -> None:
    """The thread begins with the first run; with both settings off there is none."""
    session = open_quick(store)
    assert find_threads() == []
    close_session()
    session = open_session(store, load_settings(resources="off", live=False))
    session.start_run("r")
    assert find_threads() == []


def test_thread_sleeps_while_no_run_is_open(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while without a run the thread wakes for nothing but the next run."""
    monkeypatch.setattr("mlops_nb.tracking.sampling._ASLEEP_AFTER", 1)
    session = open_quick(store)
    assert session.sampler is not None
    session.start_run("first").end()
    wait_for(lambda: session.sampler is not None and session.sampler._is_asleep)
    run = session.start_run("second")
    wait_for(lambda: MEMORY in read(store, run.run_id).metrics)


def test_progress_of_a_bar_is_the_runs(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """A run says how far the bar of its cell is while it goes on, and where it was interrupted."""
    from tqdm import tqdm

    session = open_quick(store)
    told: list[float | None] = []
    assert session.sampler is not None
    session.sampler.listener = lambda run, seen: told.append(None if seen is None else seen.n)
    index = session.begin_cell("for i in tqdm(range(5)): ...")
    with tqdm(total=50, desc="fold") as bar:
        run = session.start_run("folds")
        bar.update(20)
        wait_for(lambda: bool(told))
        bar.update(3)
        # Where this thread had to wait, the 20 were noted first.
        wait_for(lambda: getattr(read(store, run.run_id).progress, "n", None) == 23)
        wait_for(lambda: told[-1] == 23)
        found = read(store, run.run_id).progress
    assert found is not None
    assert (found.n, found.total, found.description) == (23, 50, "fold")
    assert found.share == pytest.approx(0.46)
    run.end("interrupted")
    session.end_cell(index, "interrupted")
    close_session()
    assert read(store, run.run_id).progress == found
    assert store.search("attributes.status = 'interrupted'")[0].progress == found


def test_progress_of_many_runs_is_not_that_of_one(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where each round of a loop is a run, no run takes the loop's progress for its own."""
    from tqdm import tqdm

    session = open_quick(store)
    index = session.begin_cell("...")
    with tqdm(total=3) as bar:
        run = session.start_run("one of three")
        wait_for(lambda: MEMORY in read(store, run.run_id).metrics)
        run.end()
        bar.update()
    session.end_cell(index)
    close_session()
    assert b"progress" not in b"".join(
        path.read_bytes() for path in (store.root / "runs" / run.run_id).glob("events*")
    )


def test_what_is_done_is_no_longer_sampled(store: Store) -> None:
    """A fit that has returned gets nothing of what its cell does afterwards."""
    session = open_quick(store)
    session.begin_cell("fit(); long()")
    with pausing():  # else a machine that stalls here lets the thread in
        fit = session.start_run("fit", is_active=False)
        session.adopt(fit, time.time())
    other = session.start_run("other")
    wait_for(lambda: MEMORY in read(store, other.run_id).metrics)
    assert read(store, fit.run_id).metrics == {}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_fork_has_no_such_thread(store: Store) -> None:
    """Around a fork the thread is not there; afterwards it goes on here and not in the child."""
    session = open_quick(store)
    run = session.start_run("parent")
    wait_for(lambda: MEMORY in read(store, run.run_id).metrics)
    before = store.read_metric_history(run.run_id, MEMORY)
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os._exit(len(find_threads()))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    wait_for(lambda: len(store.read_metric_history(run.run_id, MEMORY)) > len(before))


def test_a_store_that_fails_stops_the_thread_only(store: Store, tmp_path: Path) -> None:
    """Where the files cannot be made the thread ends, says why when asked, and the run goes on."""
    (store.root / "late").write_text("not a folder")
    session = open_quick(store)
    assert session.sampler is not None
    run = session.start_run("r")
    wait_for(lambda: session.sampler is not None and bool(session.sampler.reason))
    run.log_metric("acc", 1.0)
    run.end()
    assert read(store, run.run_id).metrics == {"acc": 1.0}
    wait_for(lambda: find_threads() == [])


def test_status_says_how_far_a_run_is() -> None:
    """Lists show the share that is done of a run that goes on; of others only their status."""
    run = RunRecord("r", "fit", "default", "running", 0.0, progress=ProgressRecord(23, 50))
    assert run.told_status == "running, 46%"
    assert run.to_json()["progress"]["total"] == 50
    assert replace(run, progress=ProgressRecord(23)).told_status == "running"
    assert replace(run, status="finished", progress=None).told_status == "finished"


def test_a_loop_that_is_begun_anew_is_none_of_the_run(store: Store) -> None:
    """A loop that a run goes through again and again does not say how far the run is."""
    session = open_quick(store)
    run = session.start_run("folds")
    watched = _Watched(run, store.reopen_run(run.run_id))

    def see(done: float) -> bool:
        return _spans(watched, Sighting("loop", ProgressRecord(done, 5, None, "i")))

    assert [see(done) for done in (0, 1, 4, 0, 2, 4)] == [False, True, True, False, False, False]
    watched.log.close()


def test_of_a_loop_and_a_bar_the_outer_one_tells(store: Store) -> None:
    """A bar that is begun anew in each round is inside the loop; one that stays is around it."""
    sampler = open_quick(store).sampler
    assert sampler is not None

    def see(bar: str, done: float, of: float = 9) -> object:
        loop = Sighting("loop", ProgressRecord(done, 5, None, "i"))
        found = sampler._choose(loop, Sighting(bar, ProgressRecord(3, of, None, "")))
        return None if found is None else found.key

    assert [see("a", 0), see("a", 0), see("b", 1), see("c", 2)] == ["loop"] * 4
    assert [see("d", 0), see("d", 1), see("d", 0), see("d", 0)] == ["loop", "d", "d", "d"]
    assert see("d", 1, of=3) == "loop"

"""Deferred logs: written a moment later, and never later than somebody needs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_nb.config import load_settings
from mlops_nb.store import Store, open_store
from mlops_nb.store import deferred as deferred_module
from mlops_nb.store import runlog as runlog_module
from mlops_nb.store.deferred import DeferredLog
from mlops_nb.store.frames import unpack_frames
from mlops_nb.tracking import start_run

META = {"name": "fit", "experiment": "e"}


def _begin(store: Store) -> DeferredLog:
    log = store.start_run(META, is_deferred=True)
    assert isinstance(log, DeferredLog)
    return log


@pytest.fixture
def is_slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the thread that writes wait until the test is over."""
    monkeypatch.setattr(deferred_module, "_DELAY_S", 3600.0)
    monkeypatch.setattr(deferred_module, "_writer", deferred_module._Writer())
    yield
    deferred_module._writer.close()


@pytest.mark.usefixtures("is_slow")
def test_everything_logged_is_read_back(store: Store) -> None:
    """A reader in this process finds all calls in their order, before and after the first write."""
    log = _begin(store)
    log.append({"type": "params", "params": {"C": 1}})
    log.log_metric("loss", 3.0, 0)
    assert not (store.root / "runs").exists()
    assert store.read_run(log.run_id).params == {"C": 1}
    log.log_metrics({"loss": 2.0, "acc": 0.5}, 1)
    log.log_points("loss", [(2, 1.0, time.time_ns())])
    log.do_later(lambda: [{"type": "tags", "tags": {"a": "b"}}])
    log.end("finished")
    (found,) = store.search()
    assert (found.metrics, found.tags) == ({"loss": 1.0, "acc": 0.5}, {"a": "b"})
    assert (found.status, found.params) == ("finished", {"C": 1})
    assert [point.value for point in store.read_metric_history(log.run_id, "loss")] == [3, 2, 1]


def test_it_is_written_without_being_asked(store: Store) -> None:
    """A run that goes on for a while is on the disk for other processes."""
    log = _begin(store)
    end = time.monotonic() + 120
    while not (store.root / "runs" / log.run_id / "run.json").exists():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.usefixtures("is_slow")
def test_times_are_those_of_the_calls(store: Store) -> None:
    """Writing later changes no time of a value, an event or the end."""
    log = _begin(store)
    log.log_metric("loss", 3.0, 0)
    log.end("finished")
    after = time.time()
    time.sleep(0.05)
    (point,) = store.read_metric_history(log.run_id, "loss")
    assert point.timestamp <= after * 1000
    assert (store.read_run(log.run_id).ended_at or after + 1) <= after


@pytest.mark.usefixtures("is_slow")
def test_a_store_that_fails_is_told_once(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the run cannot be written one line says so, and nothing is raised."""
    run = start_run(store, load_settings(tmp_path), "fit", is_active=False, is_deferred=True)
    (store.root / "runs").write_text("in the way")
    run.write()
    run.log_metric("loss", 1.0)
    run.end()
    assert capsys.readouterr().err.count("no longer recorded") == 1


@pytest.mark.usefixtures("is_slow")
def test_an_interrupt_loses_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted while the folder is made, or between two events, the rest is written later."""
    log = _begin(store)
    log.append({"type": "params", "params": {"C": 1}})
    interrupts = [KeyboardInterrupt, KeyboardInterrupt]

    def make() -> list[dict[str, object]]:
        if interrupts:
            raise interrupts.pop()
        return [{"type": "tags", "tags": {"a": "b"}}]

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    log.do_later(make)
    log.end("finished")
    with monkeypatch.context() as patch:
        patch.setattr("mlops_nb.store.runlog._write_meta", stop)
        with pytest.raises(KeyboardInterrupt):
            log.write()
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            log.write()
    found = store.read_run(log.run_id)
    assert (found.params, found.tags, found.status) == ({"C": 1}, {"a": "b"}, "finished")


@pytest.mark.usefixtures("is_slow")
def test_events_of_one_moment_are_one_write(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """All events that wait go to the disk together, in their order and with their times."""
    log = _begin(store)
    log.append({"type": "tags", "tags": {"turn": "1"}})
    log.do_later(lambda: [{"type": "tags", "tags": {"turn": "2"}}])
    log.append({"type": "tags", "tags": {"turn": "3"}})
    appended = time.time()
    time.sleep(0.05)
    written: list[bytes] = []
    original = runlog_module._write_all

    def count(handle: int, data: bytes) -> None:
        written.append(data)
        original(handle, data)

    monkeypatch.setattr(runlog_module, "_write_all", count)
    log.write()
    meta, frames = written
    assert json.loads(meta)["name"] == "fit"
    events, _, dropped = unpack_frames(frames)
    assert [event["tags"]["turn"] for event in events] == ["1", "2", "3"]
    assert dropped == 0
    assert events[0]["at"] < appended + 0.04 < events[1]["at"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.usefixtures("is_slow")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # xdist has threads
def test_a_forked_child_adds_to_the_run(store: Store) -> None:
    """The parent writes the run and ends its thread before it forks; the child adds its own."""
    log = _begin(store)
    log.log_metric("loss", 1.0, 0)
    thread = deferred_module._writer._thread
    assert thread is not None
    pid = os.fork()
    if not pid:
        log.log_metric("child", 2.0, 0)
        deferred_module.write_deferred()
        os._exit(0)
    assert not thread.is_alive()
    assert os.waitpid(pid, 0)[1] == 0
    assert store.read_run(log.run_id).metrics == {"loss": 1.0, "child": 2.0}


KILLED = """
import os, signal, sys
from pathlib import Path
from mlops_nb.store import deferred, open_store
deferred._DELAY_S = 3600.0
root = Path(sys.argv[1])
store = open_store(root / "s", cache=root / "c")
for number in range(3):
    log = store.start_run({"name": f"fit {number}", "experiment": "e"}, is_deferred=True)
    log.append({"type": "params", "params": {"C": number}})
    log.note()
    if number == 0:
        log.write()
        log.log_metric("loss", 1.0, 0)
        log.write()
os.kill(os.getpid(), getattr(signal, sys.argv[2]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals of POSIX")
def test_runs_of_a_killed_process_are_found(tmp_path: Path) -> None:
    """What was noted when a process was killed is a run, whether its folder was made or not."""
    command = [sys.executable, "-c", KILLED, str(tmp_path), "SIGKILL"]
    done = subprocess.run(command, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == -signal.SIGKILL
    store = open_store(tmp_path / "s", cache=tmp_path / "c")
    found = sorted(store.search(), key=lambda run: run.run_id)
    assert [(run.name, run.params["C"]) for run in found] == [(f"fit {n}", n) for n in range(3)]
    assert {run.status for run in found} == {"interrupted"}
    assert found[0].metrics == {"loss": 1.0}
    assert list((store.root / "pending").iterdir()) == []


def test_a_process_that_ends_leaves_no_notes(tmp_path: Path) -> None:
    """A process that ends in order has written its runs and removed what it noted."""
    program = KILLED.rsplit("os.kill", 1)[0]
    command = [sys.executable, "-c", program, str(tmp_path)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
    assert list((tmp_path / "s" / "pending").iterdir()) == []
    assert len(list((tmp_path / "s" / "runs").iterdir())) == 3


@pytest.mark.usefixtures("is_slow")
def test_notes_of_a_living_process_are_left_alone(store: Store) -> None:
    """A reader does not write the runs that another process is about to write."""
    from mlops_nb.store.pending import recover_runs

    log = _begin(store)
    log.note()
    recover_runs(store.root)
    assert not (store.root / "runs").exists()
    assert len(list((store.root / "pending").iterdir())) == 1
    log.write()
    assert store.read_run(log.run_id).name == "fit"

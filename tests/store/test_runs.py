"""Runs are logged, read back, and survive what happens to their writer."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_nb.errors import InvalidValueError, NotFoundError, RunNotFoundError
from mlops_nb.store import Store, open_store
from mlops_nb.store import ids as ids_module
from mlops_nb.store.frames import pack_frame, unpack_frames
from mlops_nb.store.ids import RUN_ID, new_run_id

META = {"name": "first", "experiment": "e"}


def test_run_reads_back_what_was_logged(store: Store) -> None:
    """Parameters keep their types, metrics their last value, tags and end their words."""
    log = store.start_run({**META, "tags": {"a": "b"}})
    log.append({"type": "params", "params": {"C": 0.1, "name": "rf", "on": True, "none": None}})
    log.log_metrics({"loss": 2.0, "acc": 0.5}, 0)
    log.log_metrics({"loss": 1.0}, 1)
    log.append({"type": "tags", "tags": {"c": "d"}})
    log.end("finished")
    run = store.read_run(log.run_id)
    assert run.params == {"C": 0.1, "name": "rf", "on": True, "none": None}
    assert run.metrics == {"loss": 1.0, "acc": 0.5}
    assert run.tags == {"a": "b", "c": "d"}
    assert run.status == "finished"
    assert run.duration_s is not None
    assert run.dropped_records == 0
    json.dumps(run.to_json())


def test_history_has_every_point(store: Store) -> None:
    """Every value of a metric is kept with its step, also NaN and infinities."""
    log = store.start_run(META)
    values = [1.5, math.nan, math.inf, -math.inf, 1e-300]
    for step, value in enumerate(values):
        log.log_metrics({"m": value}, step - 2)
    points = store.read_metric_history(log.run_id, "m")
    assert [point.step for point in points] == [-2, -1, 0, 1, 2]
    assert str([point.value for point in points]) == str(values)
    assert all(abs(point.timestamp / 1000 - time.time()) < 60 for point in points)


def test_unknown_metric_is_named_with_near_misses(store: Store) -> None:
    """Asking for a metric that a run has not says which it has."""
    log = store.start_run(META)
    log.log_metrics({"accuracy": 1.0}, 0)
    with pytest.raises(NotFoundError, match="Did you mean 'accuracy'"):
        store.read_metric_history(log.run_id, "acuracy")


def test_last_value_is_that_of_the_last_step(store: Store) -> None:
    """A value logged late for an early step does not become the metric's last."""
    log = store.start_run(META)
    log.log_metrics({"m": 10.0}, 10)
    log.log_metrics({"m": 1.0}, 1)
    assert store.read_run(log.run_id).metrics == {"m": 10.0}


@pytest.mark.parametrize("cut", range(1, 33))
def test_a_torn_tail_loses_only_the_torn_record(store: Store, cut: int) -> None:
    """Whatever is cut from the last metric record, all records before it are read."""
    log = store.start_run(META)
    for step in range(5):
        log.log_metrics({"m": float(step)}, step)
    path = log.folder / "metrics.bin"
    os.truncate(path, path.stat().st_size - cut)
    points = store.read_metric_history(log.run_id, "m")
    assert [point.value for point in points] == [0.0, 1.0, 2.0, 3.0]
    assert store.read_run(log.run_id).dropped_records == (cut < 32)


def test_a_flipped_bit_loses_only_its_record(store: Store) -> None:
    """A damaged record is dropped and counted; its neighbours are read."""
    log = store.start_run(META)
    for step in range(3):
        log.log_metrics({"m": float(step)}, step)
    path = log.folder / "metrics.bin"
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    run = store.read_run(log.run_id)
    assert [point.value for point in store.read_metric_history(log.run_id, "m")] == [0.0, 2.0]
    assert run.dropped_records == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.text(), json_values, max_size=4), max_size=6),
    st.integers(0, 10_000),
)
@settings(max_examples=60, deadline=None)
def test_frames_survive_any_cut(events: list[dict[str, Any]], cut: int) -> None:
    """From a log cut anywhere, exactly the whole frames before the cut are read."""
    frames = [pack_frame(event) for event in events]
    data = b"".join(frames)[: max(0, sum(map(len, frames)) - cut % (sum(map(len, frames)) + 1))]
    whole, size = 0, 0
    while whole < len(frames) and size + len(frames[whole]) <= len(data):
        size += len(frames[whole])
        whole += 1
    read, end, dropped = unpack_frames(data)
    assert read == events[:whole]
    assert end == size
    assert dropped == (size < len(data))


WRITER = """
import sys, time
from pathlib import Path
from mlops_nb.store import open_store
store = open_store(Path(sys.argv[1]))
log = store.start_run({"name": "killed", "experiment": "e"})
step = 0
while True:
    log.log_metrics({"m": float(step)}, step)
    print(step, flush=True)
    step += 1
"""


def test_nothing_that_returned_is_lost_by_sigkill(tmp_path: Path) -> None:
    """After SIGKILL every value whose call returned is there, and the run is interrupted."""
    root = tmp_path / "killed"
    command = [sys.executable, "-c", WRITER, str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as process:
        assert process.stdout is not None
        for _ in range(200):
            process.stdout.readline()
        store = open_store(root, cache=tmp_path / "cache2")
        (alive,) = store.search()
        assert alive.status == "running"
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
    acknowledged = int(rest[-1]) if rest else 199
    (run,) = store.search()
    points = store.read_metric_history(run.run_id, "m")
    assert [point.value for point in points[: acknowledged + 1]] == [
        float(step) for step in range(acknowledged + 1)
    ]
    assert run.status == "interrupted"
    assert run.ended_at is not None
    assert run.ended_at >= points[-1].timestamp / 1000


PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
def test_a_forked_child_logs_beside_its_parent(store: Store) -> None:
    """Parent and child may name new metrics at once; neither garbles the other."""
    log = store.start_run(META)
    log.log_metrics({"shared": 1.0}, 0)
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom mlops_nb.store import open_store\n"
        "log = open_store(Path(sys.argv[1])).start_run({'name': 'f', 'experiment': 'e'})\n"
        "log.log_metrics({'shared': 1.0}, 0)\n"
        "pid = os.fork()\n"
        "log.log_metrics({'child' if pid == 0 else 'parent': 2.0, 'shared': 3.0}, 1)\n"
        "log.append({'type': 'params', 'params': {'child' if pid == 0 else 'parent': 1}})\n"
        "os._exit(0) if pid == 0 else os.waitpid(pid, 0)\n"
        "print(log.run_id)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(store.root)],
        capture_output=True,
        text=True,
        check=True,
        cwd=PROJECT,
    )
    run = store.read_run(done.stdout.strip())
    assert run.metrics == {"shared": 3.0, "child": 2.0, "parent": 2.0}
    assert run.params == {"child": 1, "parent": 1}


def test_ids_sort_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids are UUIDv7 and strictly rising within a process."""
    monkeypatch.setattr(
        ids_module, "_last", [0]
    )  # a test with a clock set ahead may have run before
    ids = [new_run_id() for _ in range(2000)]
    assert ids == sorted(set(ids))
    assert all(RUN_ID.fullmatch(run_id) for run_id in ids)
    assert abs(int(ids[-1].replace("-", "")[:12], 16) / 1000 - time.time()) < 60


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # xdist has threads
def test_a_forked_child_draws_ids_of_its_own() -> None:
    """Random numbers that the parent has drawn ahead are not used by its child as well."""
    new_run_id()
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(writer, new_run_id()[-16:].encode())
        os._exit(0)
    os.waitpid(pid, 0)
    child = os.read(reader, 16).decode()
    os.close(reader)
    os.close(writer)
    assert child not in {new_run_id()[-16:] for _ in range(ids_module._AHEAD)}


def test_find_run_by_id_beginning_end_name_and_latest(store: Store) -> None:
    """A person names a run by what is at hand; what fits two is refused, naming both."""
    first, second = store.start_run(META), store.start_run({**META, "name": "second"})
    assert store.find_run(first.run_id) == first.run_id
    assert store.find_run("second") == second.run_id
    assert store.find_run("latest") == second.run_id
    assert store.find_run(first.run_id[-8:]) == first.run_id
    with pytest.raises(InvalidValueError, match="2 fit"):
        store.find_run(first.run_id[:6])
    with pytest.raises(RunNotFoundError, match="Did you mean 'second'"):
        store.find_run("secnd")


def test_a_run_folder_without_a_start_is_passed_over(store: Store) -> None:
    """A process killed while making the folder leaves nothing that breaks a reader."""
    store.start_run(META)
    (store.root / "runs" / new_run_id()).mkdir()
    assert [run.name for run in store.search()] == ["first"]


def test_events_of_later_versions_are_passed_over(store: Store) -> None:
    """A log written by a later version is read as far as it is understood."""
    log = store.start_run(META)
    log.append({"type": "hologram", "x": 1})
    log.append({"type": "params", "params": "broken"})
    log.append({"type": "params", "params": {"a": 1}})
    run = store.read_run(log.run_id)
    assert run.params == {"a": 1}
    assert run.dropped_records == 1


@pytest.mark.parametrize("is_single", [True, False])
def test_a_full_disk_leaves_whole_records(store: Store, is_single: bool) -> None:
    """A write that the disk refuses raises and leaves no half record behind."""
    import resource

    log = store.start_run(META)
    log.log_metrics({"m": 0.0}, 0)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5 * 32 + 7, limit[1]))
        for step in range(1, 5):
            log.log_metrics({"m": float(step)}, step)
        one_more = (
            partial(log.log_metric, "m") if is_single else partial(log.log_metrics, {"m": 5.0})
        )
        with pytest.raises(OSError, match="too large"):
            one_more(*((5.0, 5) if is_single else (5,)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    log.log_metrics({"m": 99.0}, 99)
    values = [point.value for point in store.read_metric_history(log.run_id, "m")]
    assert values == [0.0, 1.0, 2.0, 3.0, 4.0, 99.0]

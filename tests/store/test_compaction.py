"""Logs become files of chunks only when nobody can write to them, and lose nothing by it."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mlops_nb.records import MetricPoint
from mlops_nb.store import RunLog, Store, compaction, open_store
from mlops_nb.store.compaction import compact_run
from mlops_nb.store.late import read_announced
from mlops_nb.store.writer import describe_writer, is_writer_alive
from tests.store.apart import PROJECT, WRITER, read_all, write_apart

META = {"name": "r", "experiment": "e"}


def list_names(folder: Path) -> list[str]:
    """Name the metric files of a run."""
    return sorted(path.name for path in folder.glob("metrics*"))


def test_a_run_at_rest_is_compacted(store: Store) -> None:
    """The logs of a dead writer become one file that reads the same and is smaller."""
    run_id = write_apart(store, 3000)
    folder = store.root / "runs" / run_id
    points, run = read_all(store, run_id), store.read_run(run_id)
    report = store.compact()
    assert (report.runs, list_names(folder)) == (1, ["metrics.1.col"])
    assert report.after_bytes < report.before_bytes / 4
    assert not (folder / "keys.log").exists()
    assert read_all(store, run_id) == points
    found = store.read_run(run_id)
    assert (repr(found.metrics), found.dropped_records) == (repr(run.metrics), 0)
    assert (found.status, found.ended_at) == (run.status, run.ended_at)
    assert repr(store.search()[0].metrics) == repr(run.metrics)
    assert store.compact().runs == 0


def test_a_living_writer_is_left_alone(store: Store) -> None:
    """While the process that started a run lives, its log stays, even after the end."""
    log = store.start_run(META)
    for step in range(1000):
        log.log_metric("m", 1.0, step)
    log.end("finished")
    assert store.compact().runs == 0
    log.log_metric("m", 2.0, 1000)
    assert store.read_run(log.run_id).metrics == {"m": 2.0}


def test_a_living_late_writer_is_waited_for(store: Store) -> None:
    """A process that added to a run keeps all of it from being compacted until it ends."""
    run_id = write_apart(store, 1000)
    command = [sys.executable, "-c", WRITER, str(store.root), run_id, "1000", "wait"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert store.compact().runs == 0
        process.communicate("\n")
    points = read_all(store, run_id)
    assert len(points) == 4000
    assert store.compact().runs == 1
    assert read_all(store, run_id) == points


@pytest.mark.parametrize("change", [{"host": "elsewhere"}, {}])
def test_what_cannot_be_told_counts_as_alive(store: Store, change: dict[str, str]) -> None:
    """A writer of another machine, or one that was never described, is not judged dead."""
    run_id = write_apart(store, 1000)
    path = store.root / "runs" / run_id / "run.json"
    meta = json.loads(path.read_text())
    meta["writer"] = {**meta["writer"], **change} if change else describe_writer()
    path.write_text(json.dumps(meta))
    assert store.compact().runs == 0


def test_points_added_after_compaction_are_kept(store: Store) -> None:
    """A later process adds logs beside the file of chunks; both are read and compacted again."""
    run_id = write_apart(store, 1000)
    store.compact()
    write_apart(store, run_id, 1500)
    points = read_all(store, run_id)
    assert len(points) == 2 * 2500
    assert store.search()[0].metrics["a"] == 1499 / 7
    assert store.compact().runs == 1
    assert list_names(store.root / "runs" / run_id) == ["metrics.1.col", "metrics.2.col"]
    assert read_all(store, run_id) == points


def test_killed_between_write_and_remove(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs that a file of chunks already holds are not read twice, and go at the next chance."""
    run_id = write_apart(store, 1000)
    points = read_all(store, run_id)
    with monkeypatch.context() as patched:
        patched.setattr(compaction, "_remove_log", lambda path: None)
        store.compact()
    folder = store.root / "runs" / run_id
    assert list_names(folder) == ["metrics.1.col", "metrics.bin"]
    assert read_all(store, run_id) == points
    assert store.read_run(run_id).dropped_records == 0
    store.compact()
    assert list_names(folder) == ["metrics.1.col"]
    assert read_all(store, run_id) == points


def test_a_bad_copy_is_not_believed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where what was written does not read back equal, the log stays and the copy goes."""
    run_id = write_apart(store, 1000)
    points = read_all(store, run_id)
    monkeypatch.setattr(compaction, "same_points", lambda whole, pieces: False)
    assert store.compact().runs == 0
    assert list_names(store.root / "runs" / run_id) == ["metrics.bin"]
    assert read_all(store, run_id) == points


def test_damage_in_a_log_stays_counted(store: Store) -> None:
    """Records that were lost before compaction are still counted after it."""
    run_id = write_apart(store, 1000)
    path = store.root / "runs" / run_id / "metrics.bin"
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data + b"torn")
    points = read_all(store, run_id)
    assert store.read_run(run_id).dropped_records == 2
    store.compact()
    assert store.read_run(run_id).dropped_records == 2
    assert read_all(store, run_id) == points


def test_compactors_and_readers_at_once(store: Store) -> None:
    """Two compactions and readers of the same runs disturb one another in nothing."""
    ids = [write_apart(store, 1000) for _ in range(3)]
    expected = [read_all(store, run_id) for run_id in ids]
    wrong: list[object] = []
    is_done = threading.Event()

    def read() -> None:
        while not is_done.is_set():
            for run_id, points in zip(ids, expected, strict=True):
                if read_all(store, run_id) != points:
                    wrong.append(run_id)

    def compact() -> None:
        try:
            store.compact()
        except BaseException as error:  # noqa: BLE001 - any failure of a thread fails the test
            wrong.append(error)

    reader = threading.Thread(target=read)
    others = [threading.Thread(target=compact) for _ in range(2)]
    reader.start()
    for thread in others:
        thread.start()
    for thread in others:
        thread.join()
    is_done.set()
    reader.join()
    assert wrong == []
    assert all(list_names(store.root / "runs" / run_id) == ["metrics.1.col"] for run_id in ids)


def test_long_runs_are_compacted_by_readers(store: Store, tmp_path: Path) -> None:
    """Who searches compacts a long run that has come to rest, and the answer is the same."""
    run_id = write_apart(store, 40_000)
    folder = store.root / "runs" / run_id
    first = store.read_series(run_id, "a")
    assert store.search()[0].metrics["a"] == 39_999 / 7
    assert list_names(folder) == ["metrics.1.col"]
    assert store.read_series(run_id, "a").values.tobytes() == first.values.tobytes()
    other = open_store(store.root, cache=tmp_path / "other")
    assert repr(other.search()) == repr(store.search())


def test_a_container_of_the_same_machine_is_not_judged() -> None:
    """A process number of another space tells nothing of the process that has it here."""
    writer = describe_writer()
    assert is_writer_alive(writer) is True
    assert is_writer_alive({**writer, "pid_space": "pid:[1]"}) in (None, True)
    if writer["pid_space"]:
        assert is_writer_alive({**writer, "pid_space": "pid:[1]"}) is None


def test_announcements_go_when_nobody_needs_them(store: Store) -> None:
    """An announcement of a dead writer is kept for a month, and while its log lies there."""
    run_id = write_apart(store, 1000)
    write_apart(store, run_id, 3)
    (path,) = (store.root / "late").glob("*.json")
    assert read_announced(store.root, path.name).is_alive is False
    long_ago = path.stat().st_mtime - 31 * 86400
    store.compact()
    assert path.exists()
    os.utime(path, (long_ago, long_ago))
    store.compact()
    assert not path.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
def test_nothing_that_returned_is_lost_at_any_moment(store: Store) -> None:
    """After SIGKILL at 120 moments of writing, opening and starting, every point is there."""
    for moment in range(120):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _write_until_killed(store, writing)
        os.close(writing)
        lines = b""
        # The moment is counted in answers, then in time: a different point of the loop each time.
        while lines.count(b"\n") < 3 + moment % 7:
            lines += os.read(reading, 4096)
        for _ in range(moment * 37 % 1000):
            math.sqrt(moment)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        while data := os.read(reading, 65536):
            lines += data
        os.close(reading)
        acknowledged: dict[str, int] = {}
        for line in lines.decode().splitlines(keepends=True):
            if line.endswith("\n"):
                run_id, answer = line.split()
                acknowledged[run_id] = int(answer)
        for run_id, step in acknowledged.items():
            values = {point.value for point in store.read_metric_history(run_id, "a")}
            assert values >= {number / 2 for number in range(2 * step + 2)}
            assert store.read_run(run_id).dropped_records <= 1
    statuses = {run.status for run in store.search(None, None, 10_000)}
    assert statuses == {"interrupted"}


def _write_until_killed(store: Store, writing: int) -> None:
    log: RunLog | None = None
    step = 0
    while True:
        if log is None or step == 20:
            log, step = store.start_run(META), 0
        elif step % 3 == 0:
            log = store.reopen_run(log.run_id)
        log.log_metrics({"a": float(step), "b": -0.0}, step)
        log.log_metric("a", step + 0.5, step)
        os.write(writing, f"{log.run_id} {step}\n".encode())
        step += 1


def test_eight_writers_at_once(store: Store) -> None:
    """Eight processes that add to one run and write runs of their own lose nothing."""
    run_id = write_apart(store, 500)
    command = [sys.executable, "-c", WRITER, str(store.root)]
    running = [
        subprocess.Popen(
            [*command, *(["2000"] if number % 2 else [run_id, "2000"])],
            stdout=subprocess.PIPE, text=True, cwd=PROJECT,
        )
        for number in range(8)
    ]  # fmt: skip
    found = [process.communicate()[0].strip() for process in running]
    assert len(store.read_metric_history(run_id, "a")) == 500 + 4 * 2000
    assert all(len(store.read_metric_history(found[n], "b")) == 2000 for n in (1, 3, 5, 7))
    assert all(run.dropped_records == 0 for run in store.search())
    points: list[MetricPoint] = store.read_metric_history(run_id, "a")
    assert store.compact().runs == 5
    assert store.read_metric_history(run_id, "a") == points


def test_compaction_of_a_deleted_run(store: Store) -> None:
    """A run that vanishes while it is looked at is passed over."""
    run_id = write_apart(store, 1000)
    shutil.rmtree(store.root / "runs" / run_id)
    assert compact_run(store.root / "runs" / run_id) is None
    assert store.compact().runs == 0

"""Pushes and pulls while things happen: kills at any moment, growing runs, vanishing packs."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.store import Store, segments
from mlops_nb.store.audit import AuditLog
from mlops_nb.store.compaction import compact_run
from mlops_nb.store.objects import digest_bytes
from mlops_nb.store.pull import Pull
from mlops_nb.store.push import Push
from mlops_nb.store.remote import Remote
from mlops_nb.store.runreader import PULLED
from tests.store.remoting import add_run, add_version, files_of, fill, make_store, pull, push, tell

ROOT = Path(__file__).parents[2]
CODE = """
import sys
from pathlib import Path
from mlops_nb.store import open_store
from mlops_nb.store.{verb} import {verb}_store
store = open_store(Path(sys.argv[1]))
import obstore.store
print("ready", flush=True)
{verb}_store(store.root, store.store_id, sys.argv[2])
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Give the address of a remote that is not there yet."""
    return (tmp_path / "remote").as_uri()


@pytest.fixture
def other(tmp_path: Path) -> Store:
    """Give a second, empty store."""
    return make_store(tmp_path / "other")


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut files into parts of 1000 bytes."""
    monkeypatch.setattr(segments, "PART_BYTES", 1000)


def kill_after(verb: str, folder: Path, url: str, seconds: float) -> None:
    """Push or pull in a process that is killed after a time."""
    command = [sys.executable, "-c", CODE.format(verb=verb), str(folder), url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(seconds)
        process.kill()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this platform has no SIGKILL")
def test_kills_at_any_moment(store: Store, tmp_path: Path, url: str) -> None:
    """Whenever pushes and pulls are killed, what is visible is whole and the next ones complete it."""
    for number in range(20):
        add_run(store, f"run-{number}", size_bytes=50_000)
    add_version(store)
    other = make_store(tmp_path / "other")
    moments = random.Random(4)
    for _ in range(6):
        kill_after("push", store.root, url, moments.uniform(0, 0.15))
        kill_after("pull", other.root, url, moments.uniform(0, 0.15))
        for run in other.search():
            for artifact in run.artifacts:
                assert other.objects.read_bytes(artifact.digest)
    assert push(store, url).is_clean
    assert pull(other, url).is_clean
    assert tell(other) == tell(store)


@pytest.mark.usefixtures("small_parts")
def test_files_of_many_parts(store: Store, other: Store, tmp_path: Path, url: str) -> None:
    """Large files travel in parts; one that lacks a part is not taken until it is there."""
    fill(store)
    digest = store.objects.put_bytes(os.urandom(5500))
    assert push(store, url).is_clean
    parts = sorted((tmp_path / "remote" / "packs").rglob("000000000002000-*"))
    assert parts
    (lost,) = [one for one in parts if len(list(one.parent.iterdir())) == 6]
    data = lost.read_bytes()
    lost.unlink()
    report = pull(other, url)
    assert report.damaged == (lost.parent.relative_to(tmp_path / "remote").as_posix(),)
    assert not other.objects.has(digest)
    assert push(store, url).size_bytes == len(data)
    assert pull(other, url).is_clean
    assert store.objects.read_bytes(digest) == make_store(other.root).objects.read_bytes(digest)
    assert tell(other) == tell(store)


def test_overlapping_parts(store: Store, other: Store, url: str) -> None:
    """Two pushes that saw a log at different lengths leave parts that overlap; a pull takes them."""
    log = store.start_run({"name": "r", "experiment": "e"})
    log.log_metrics({"acc": 0.0}, 0)
    push(store, url)
    log.log_metrics({"acc": 1.0}, 1)
    path = log.folder / "metrics.bin"
    data = path.read_bytes()
    part = segments.Segment(0, len(data), digest_bytes(data))
    Remote(url).create(f"runs/{log.run_id}/metrics.bin/{part.name}", data)
    push(store, url)
    pull(other, url)
    assert files_of(other.root / "runs" / log.run_id)["metrics.bin"] == data
    log.close()


def test_a_run_is_pushed_while_it_is_written(store: Store, other: Store, url: str) -> None:
    """Pushes and pulls of a run at work never see half a record, and its artifacts are there."""
    stop = threading.Event()
    log = store.start_run({"name": "busy", "experiment": "e"})

    def write() -> None:
        step = 0
        while not stop.is_set():
            digest = store.objects.put_bytes(step.to_bytes(4, "little") * 300)
            artifact = {"path": f"a{step}", "digest": digest, "size_bytes": 1200, "media_type": "x"}
            log.append({"type": "artifact", **artifact})
            log.log_metrics({"acc": float(step)}, step)
            step += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(4):
            assert push(store, url).is_clean
            assert pull(other, url).is_clean
            run = other.read_run(log.run_id)
            assert run.dropped_records == 0
            for artifact in run.artifacts:
                assert other.objects.has(artifact.digest)
    finally:
        stop.set()
        writer.join()
    log.end("finished")
    push(store, url)
    pull(other, url)
    assert other.read_run(log.run_id) == store.read_run(log.run_id)
    log.close()


def test_a_pack_that_vanishes_is_followed(
    store: Store, other: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pack that is replaced while it is pushed takes nothing with it: its successor is sent."""
    fill(store)
    packs = sorted((store.root / "packs").rglob("*.pack"))
    kept = {path: path.read_bytes() for path in packs[:2]}
    packs[1].unlink()  # it comes only when the first is collected
    listed = Push._send_stage

    def collect(self: Push, files: list[Any], known: dict[str, Any]) -> None:
        if not self._seen:
            packs[0].unlink()
            packs[1].write_bytes(kept[packs[1]])
        listed(self, files, known)

    monkeypatch.setattr(Push, "_send_stage", collect)
    assert push(store, url).objects == len(packs) - 1
    monkeypatch.undo()
    packs[0].write_bytes(kept[packs[0]])
    push(store, url)
    assert pull(other, url).is_clean
    assert tell(other) == tell(store)


def test_forked_children_travel(store: Store, other: Store, url: str) -> None:
    """Files that another process added to a run are sent and taken as well."""
    run_id = add_run(store, "r")
    push(store, url)
    pull(other, url)
    assert other.search("metrics.late > 0") == []
    log = store.reopen_run(run_id)
    log.log_metrics({"late": 1.0}, 1)
    log.close()
    push(store, url)
    pull(other, url)
    assert other.read_run(run_id) == store.read_run(run_id)
    assert [run.run_id for run in other.search("metrics.late > 0")] == [run_id]


def test_sessions_travel(store: Store, other: Store, url: str) -> None:
    """The cells of a run are read from the session that travelled with it."""
    session = store.start_session({"name": "s", "experiment": "e"})
    session.append({"type": "cell_begin", "index": 1, "source": "x = 1"})
    session.append({"type": "cell_end", "index": 1, "duration_s": 0.1, "status": "ok"})
    log = store.start_run({"name": "r", "experiment": "e", "session_id": session.run_id})
    log.append({"type": "cell", "index": 1})
    log.end("finished")
    assert push(store, url).sessions == 1
    pull(other, url)
    assert [cell.source for cell in other.read_run(log.run_id).cells] == ["x = 1"]
    session.close()
    log.close()


def test_what_came_from_elsewhere_is_marked(store: Store, other: Store, url: str) -> None:
    """Only folders that a pull made are marked, and the mark does not travel."""
    run_id = add_run(store, "r")
    push(store, url)
    pull(other, url)
    pull(store, url)
    assert (other.root / "runs" / run_id / PULLED).is_file()
    assert not (store.root / "runs" / run_id / PULLED).exists()
    assert push(other, url).size_bytes == 0


def test_a_chain_that_went_two_ways_is_told(store: Store, other: Store, url: str) -> None:
    """A copied store that goes on by itself does not change what the first one told."""
    fill(store)
    push(store, url)
    pull(other, url)
    name = f"audit/{store.store_id}.log"
    path = other.root / name
    copied = AuditLog(path)
    copied.append("alias.set", {"name": "m", "alias": "champion", "version": 1})
    store.models.set_alias("m", "champion", 1)
    push(store, url)
    before = path.read_bytes()
    assert pull(other, url).conflicts == (name,)
    assert push(other, url).conflicts == (name,)
    assert path.read_bytes() == before


def test_leftovers_are_swept(other: Store, store: Store, url: str) -> None:
    """What a killed pull left is removed a day later, not before."""
    push(store, url)
    for name in ("pull-old", "pull-new"):
        (other.root / "tmp" / name).mkdir(parents=True)
    os.utime(other.root / "tmp" / "pull-old", (1, 1))
    Pull(other.root, other.store_id, Remote(url)).run()
    assert [path.name for path in (other.root / "tmp").iterdir()] == ["pull-new"]


RECORD = """
import sys
from pathlib import Path
from mlops_nb.store import open_store
log = open_store(Path(sys.argv[1])).start_run({"name": "gone", "experiment": "e"})
for step in range(600):
    log.log_metrics({"acc": step / 600}, step)
log.end("finished")
print(log.run_id)
"""


@pytest.mark.parametrize("is_pulled_before", [True, False])
def test_compacted_metrics_travel(
    store: Store, other: Store, url: str, is_pulled_before: bool
) -> None:
    """A file of chunks takes the place of the log it was made from, here, there and at home."""
    command = [sys.executable, "-c", RECORD, str(store.root)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    run_id = done.stdout.strip()
    folder = store.root / "runs" / run_id
    push(store, url)
    if is_pulled_before:
        pull(other, url)
    before = store.read_metric_history(run_id, "acc")
    assert compact_run(folder) is not None
    assert not (folder / "metrics.bin").exists()
    push(store, url)
    assert pull(store, url).is_clean
    assert not (folder / "metrics.bin").exists()
    assert pull(other, url).is_clean
    assert (other.root / "runs" / run_id / "metrics.bin").exists() == is_pulled_before
    assert other.read_metric_history(run_id, "acc") == before
    assert other.search("metrics.acc > 0.9") == store.search("metrics.acc > 0.9")

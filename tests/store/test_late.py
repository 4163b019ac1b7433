"""Runs that a living process has ended are at rest, and nothing that it still adds is missed."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mlops_nb.store import Store, late, latejournal, open_store, refresh
from mlops_nb.store.latereader import take_late
from mlops_nb.store.runreader import read_run
from mlops_nb.tracking.run import Run
from tests.store.indexes import open_again
from tests.store.lateness import META, age, list_looks, make_ended, rest_at_once

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(either: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Give an empty store, its index in either database, where ended runs are at rest at once."""
    rest_at_once(monkeypatch)
    return either


def test_an_ended_run_of_a_living_process_is_at_rest(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the run that goes on is looked at; nothing is written into the store for the others."""
    make_ended(store, 5)
    running = store.start_run(META)
    store.search()
    age(store)
    store.search()
    assert list_looks(store, monkeypatch) == [running.run_id]
    assert not (store.root / "late").exists()


def test_the_end_must_be_a_moment_ago(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may be within its last line: a run is followed for a little longer."""
    monkeypatch.setattr(refresh, "_GRACE_S", 60.0)
    (run,) = make_ended(store)
    assert list_looks(store, monkeypatch) == [run.run_id]
    monkeypatch.setattr(refresh, "_GRACE_S", 0.0)
    store.search()
    assert list_looks(store, monkeypatch) == []


@pytest.mark.parametrize("ended_at", [5.0, float("nan"), 4e9])
def test_an_end_that_says_no_moment(
    store: Store, monkeypatch: pytest.MonkeyPatch, ended_at: float
) -> None:
    """An end in the future, as after a clock set back, leaves the run to be looked at."""
    log = store.start_run(META)
    log.append({"type": "end", "status": "finished", "ended_at": ended_at})
    store.search()
    store.search()
    settled = list_looks(store, monkeypatch) == []
    assert settled == (ended_at == 5.0)  # it ends when it began at the earliest
    log.log_metric("m", 1.0, 0)
    assert store.search("metrics.m = 1")


def test_every_kind_of_late_value_is_seen(store: Store) -> None:
    """Values, points, parameters, tags, a name, an artifact: each at the next look."""
    (run,) = make_ended(store)
    run.log_metric("m", 1.5)
    assert store.search()[0].metrics["m"] == 1.5
    run.log_metrics({"a": 2.0, "b": 3.0})
    assert store.search("metrics.a = 2 and metrics.b = 3")
    run.log_points("c", [(1, 7.0, 1), (2, 8.0, 2)])
    assert store.search("metrics.c = 8")
    run.log_param("p", "x")
    assert store.search("params.p = 'x'")
    run.set_tag("t", "y")
    assert store.search("tags.t = 'y'")
    run.rename("another")
    assert store.search("name = 'another'")
    run.log_bytes(b"data", "file.bin")
    assert store.search()[0].artifacts[0].path == "file.bin"


def test_a_forked_child_adds_to_a_run_of_its_parent(store: Store) -> None:
    """The child tells of its own files in a journal of its own."""
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    first, second = make_ended(store, 2)
    first.log_metric("m", 1.0)
    store.search()
    store.index.close()
    child = os.fork()
    if not child:
        code = 1
        try:
            first.log_metric("child", 1.0)
            second.log_metric("child", 2.0)
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert [run.run_id for run in store.search("metrics.child >= 1")] == [
        second.run_id,
        first.run_id,
    ]
    names = late.list_names(store.root)
    assert len(latejournal.list_journals(names)) == 2


def test_a_process_that_is_killed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it wrote before is seen, and its runs are at rest from then on."""
    (run,) = make_ended(store)
    code = (
        "import sys, os, signal; from pathlib import Path; from mlops_nb.store import open_store;"
        "log = open_store(Path(sys.argv[1])).reopen_run(sys.argv[2]);"
        "log.log_metric('m', 9.0, 9); print('x', flush=True); sys.stdin.readline()"
    )
    command = [sys.executable, "-c", code, str(store.root), run.run_id]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert store.search("metrics.m = 9")
        age(store)
        store.search()
        assert list_looks(store, monkeypatch) == [run.run_id]
        process.kill()
        process.wait()
    store.search()
    store.search()
    assert list_looks(store, monkeypatch) == []
    link = store.index.place.connect()
    sql = "SELECT count(*) FROM late WHERE is_open = 1"
    assert link.execute(sql).fetchone() == (0,)


def test_a_store_begun_again_in_the_same_place(tmp_path: Path) -> None:
    """Who deletes a store while its kernel lives sees what that kernel adds to the new one."""
    for _ in range(2):
        store = open_store(tmp_path / "s", cache=tmp_path / "c")
        runs = [Run(store.start_run(META), "r", "e", store) for _ in range(2)]
        for run in runs:
            run.end()
            run.log_metric("m", 1.0)
        assert len(store.search("metrics.m = 1")) == 2
        for run in runs:
            run.log_metric("m", 2.0)
        assert len(store.search("metrics.m = 2")) == 2
        store.index.close()
        shutil.rmtree(tmp_path / "s")


def test_a_run_of_an_older_version_is_looked_at(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that tells nothing may write whenever it lives."""
    log = store.start_run(META)
    path = log.folder / "run.json"
    meta = json.loads(path.read_text())
    assert meta["writer"].pop(late.JOURNALS) is True
    path.write_text(json.dumps(meta))
    log.end("finished")
    store.search()
    age(store)
    store.search()
    assert list_looks(store, monkeypatch) == [log.run_id]


def test_an_announcement_of_an_older_version_is_open(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that says nothing of a journal keeps its run open while its process lives."""
    (run,) = make_ended(store)
    late.announce(store.root / "runs" / run.run_id, f"{os.getpid()}-1")
    store.search()
    age(store)
    store.search()
    assert list_looks(store, monkeypatch) == [run.run_id]


def test_a_reader_that_looked_before_does_not_hide_a_late_value(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who reads first and writes down last cannot say that a run is at rest with an old value."""
    run = Run(store.start_run(META), "r", "e", store)
    run.end()
    others = [Run(store.start_run(META), "r", "e", store) for _ in range(20)]
    for each in others:
        each.end()
    other = open_again(store)
    is_first = [True]

    def interrupted(*arguments: object) -> object:
        record = read_run(*arguments)  # type: ignore[arg-type]
        if record.run_id == run.run_id and is_first:
            is_first.clear()
            run.log_metric("m", 2.0)
            for each in others:  # so many that the run is told to be closed again
                each.log_metric("m", 1.0)
            assert other.search("metrics.m = 2", None, 10, 0)
        return record

    monkeypatch.setattr(refresh, "read_run", interrupted)
    store.search()
    assert not is_first
    assert [found.run_id for found in store.search("metrics.m = 2")] == [run.run_id]
    assert other.search("metrics.m = 2", None, 10, 0)
    other.close()


def test_news_that_another_reader_has_only_noted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between noting that a run has new values and reading them nobody calls the old ones new."""
    run, *others = make_ended(store, 21)

    def add(value: float) -> None:
        run.log_metric("m", value)
        for each in others:  # so many that the run is told to be closed again
            each.log_metric("m", value)
        take_late(store.index.place.connect(), store.root)

    add(1.0)
    is_first = [True]

    def interrupted(*arguments: object) -> object:
        record = read_run(*arguments)  # type: ignore[arg-type]
        if record.run_id == run.run_id and is_first:
            is_first.clear()
            add(2.0)
        return record

    monkeypatch.setattr(refresh, "read_run", interrupted)
    assert len(store.search("metrics.m = 2")) == 21
    assert not is_first


def test_a_run_that_another_reader_calls_at_rest_is_looked_at(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a journal says that a run is open it is looked at, whatever the index says."""
    (run,) = make_ended(store)
    run.log_metric("m", 1.0)
    store.search()
    link = store.index.place.connect()
    with link.transaction():
        link.execute("UPDATE run SET is_settled = 1")
    run.log_metric("m", 2.0)
    assert store.search("metrics.m = 2")


def test_threads_that_add_to_ended_runs(store: Store) -> None:
    """Four threads add to sixty runs while a reader looks: in the end every value is there."""
    runs = make_ended(store, 60)
    shares = [runs[start::4] for start in range(4)]
    logged: dict[str, float] = {}

    def add(share: list[Run], seed: int) -> None:
        chance = random.Random(seed)
        for number in range(300):
            run = chance.choice(share)
            run.log_metric("m", float(number))
            logged[run.run_id] = float(number)

    threads = [threading.Thread(target=add, args=(share, at)) for at, share in enumerate(shares)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        before = dict(logged)
        found = {run.run_id: run.metrics["m"] for run in store.search()}
        assert all(found[run_id] >= 0 for run_id in before)
    for thread in threads:
        thread.join()
    found = {run.run_id: run.metrics["m"] for run in store.search()}
    assert {run_id: found[run_id] for run_id in logged} == logged


def test_a_store_that_cannot_be_written(store: Store) -> None:
    """Where late values cannot be told they are not written either, and the caller hears of it."""
    (run,) = make_ended(store)
    (store.root / "late").write_text("in the way")
    with pytest.raises(OSError, match="late"):
        run._log.log_metric("m", 5.0, 5)  # type: ignore[union-attr]
    assert store.search()[0].metrics == {"m": 0.0}
    (store.root / "late").unlink()
    run.log_metric("m", 6.0)
    assert store.search("metrics.m = 6")

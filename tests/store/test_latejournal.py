"""The journal of a process: what it says, and how few runs it leaves to be looked at."""

from __future__ import annotations

import gc
import json
import os
import time
from pathlib import Path

import pytest

from mlops_nb.store import Store, late, latejournal
from mlops_nb.store.stamp import StoreStamp
from tests.store.lateness import age, list_looks, make_ended, rest_at_once

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(either: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Give an empty store, its index in either database, where ended runs are at rest at once."""
    rest_at_once(monkeypatch)
    return either


def test_only_the_last_runs_stay_open(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that scores a hundred ended runs leaves a few that are looked at, and loses nothing."""
    runs = make_ended(store, 100)
    for number, run in enumerate(runs):
        run.log_metric("score", float(number))
        if number % 7 == 0:
            assert store.search(f"metrics.score = {number}")
    found = {run.run_id: run.metrics["score"] for run in store.search()}
    assert found == {run.run_id: float(number) for number, run in enumerate(runs)}
    store.search()
    age(store)
    store.search()
    looked_at = list_looks(store, monkeypatch)
    assert 0 < len(looked_at) <= latejournal._MOST_OPEN
    # And the first of them once more.
    runs[0].log_metric("score", -1.0)
    assert store.search("metrics.score = -1")


def test_a_run_that_is_held_open_stays_open(store: Store) -> None:
    """However many others come: a loop in a run that was opened again is seen value by value."""
    runs = make_ended(store, 40)
    log = store.reopen_run(runs[0].run_id)
    for number, run in enumerate(runs[1:]):
        log.log_metric("loop", float(number), number)
        run.log_metric("score", 1.0)
        assert store.search(f"metrics.loop = {number}")
    log.close()


def test_a_reopened_run_is_at_rest_once_closed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What samples runs, and closes them, leaves no run that is looked at for ever."""
    runs = make_ended(store, 40)
    for run in runs:
        log = store.reopen_run(run.run_id)
        log.log_metric("cpu", 1.0, 0)
        log.close()
    assert len(store.search("metrics.cpu = 1")) == 40
    age(store)
    store.search()
    assert len(list_looks(store, monkeypatch)) <= latejournal._MOST_OPEN


def test_what_is_written_between_two_looks_is_seen(store: Store) -> None:
    """A run that was told to be open and closed again before anybody looked has new values."""
    runs = make_ended(store, 60)
    for run in runs:
        run.log_metric("score", 1.0)
    assert len(store.search("metrics.score = 1")) == 60
    for run in runs:
        run.log_metric("score", 2.0)
    assert len(store.search("metrics.score = 2")) == 60


HOSTILE = [
    b"",
    b"{}\n",
    b"[1]\n+\n",
    b"\xff\xfe\n\n\n",
    b"x" * 10_000,
    b'{"pid": "x"}\n+not-a-run\n-\n+../../x\n',
    b'{"pid": 1, "host": [], "boot_id": {}}\n' + b"+" * 500,
]


@pytest.mark.parametrize("content", HOSTILE)
def test_a_journal_of_anything_stops_nobody(store: Store, content: bytes) -> None:
    """Whatever stands in one, others are read and searches answer."""
    (run,) = make_ended(store)
    (store.root / "late").mkdir(exist_ok=True)
    (store.root / "late" / "1-abc.log").write_bytes(content)
    (store.root / "late" / "x.log").mkdir()
    (store.root / "late" / "2-def.log").mkdir()
    run.log_metric("m", 3.0)
    assert store.search("metrics.m = 3")
    store.search()
    StoreStamp(store.root).look()


def test_a_line_cut_short_is_read_when_it_is_whole(store: Store, tmp_path: Path) -> None:
    """A reader that comes in the middle of a line begins there the next time."""
    (run,) = make_ended(store)
    run.log_metric("m", 3.0)
    (name,) = latejournal.list_journals(late.list_names(store.root))
    path = store.root / "late" / name
    data = path.read_bytes()
    for cut in range(len(data)):
        path.write_bytes(data[:cut])
        first = latejournal.read_journal(path, 0)
        path.write_bytes(data)
        rest = latejournal.read_journal(path, first.end)
        assert [*first.changes, *rest.changes] == [(run.run_id, True)]
        assert rest.end == len(data)


def test_a_log_collected_within_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log given back while this very thread writes the journal waits for nobody."""
    monkeypatch.setattr(latejournal, "_MOST_OPEN", 16)
    journal = latejournal.Journal(str(tmp_path))
    ids = [f"00000000-0000-7000-8000-{number:012x}" for number in range(40)]
    for run_id in ids:
        journal.hold(run_id)
    with journal._lock:
        for run_id in ids:
            journal.release(run_id)
    journal.hold(ids[0])
    part = latejournal.read_journal(journal.path, 0)
    state = dict(part.changes)
    assert state[ids[0]]
    assert sum(state.values()) == latejournal._MOST_OPEN


def test_logs_thrown_away_give_their_runs_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that nobody closed is closed by the collector, and its run comes to rest."""
    for run in make_ended(store, 40):
        store.reopen_run(run.run_id).log_metric("m", 1.0, 0)
    gc.collect()
    (extra,) = make_ended(store)
    extra.log_metric("m", 2.0)
    assert len(store.search("metrics.m = 1")) == 40
    age(store)
    store.search()
    assert len(list_looks(store, monkeypatch)) <= latejournal._MOST_OPEN


def test_the_stamp_tells_of_a_late_value_of_an_old_run(store: Store) -> None:
    """Who watches a store hears of a value that a kernel adds to a run it ended long ago."""
    runs = make_ended(store, 30)
    runs[1].log_metric("m", 1.0)
    stamp = StoreStamp(store.root)
    stamp.look()
    assert not stamp.look()
    runs[0].log_metric("m", 1.0)
    assert "late" in stamp.look()
    assert not stamp.look()


def test_journals_of_long_ago_are_swept(store: Store) -> None:
    """A collection removes the journal of a process that is gone, and the index forgets it."""
    (run,) = make_ended(store)
    run.log_metric("m", 1.0)
    folder = store.root / "late"
    gone = folder / "1-abc.log"
    gone.write_text(json.dumps({"pid": 1, "boot_id": "before", "host": ""}) + "\n")
    (own,) = set(folder.glob("*.log")) - {gone}
    store.search()
    then = time.time() - 31 * 86400
    for path in (gone, own):
        os.utime(path, (then, then))
    meta = json.loads(own.read_text().splitlines()[0])
    gone.write_text(json.dumps({**meta, "boot_id": "before"}) + "\n")
    os.utime(gone, (then, then))
    store.compact()
    assert own.exists()
    assert not gone.exists()
    store.search()
    run.log_metric("m", 4.0)
    assert store.search("metrics.m = 4")

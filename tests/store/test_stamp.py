"""Whatever is written to a store changes its stamp, and reading changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_nb.store import Store
from mlops_nb.store import stamp as module
from mlops_nb.store.stamp import StoreStamp


def test_each_write_changes_the_stamp(store: Store) -> None:
    """A new run, a value, a parameter, an end, a cell: each is seen, and quiet is quiet."""
    is_news = StoreStamp(store.root).look
    assert not is_news()
    assert not is_news()  # the first that looks at logs
    log = store.start_run({"name": "a", "experiment": "e"})
    log.log_metric("loss", 1.0, 0)
    assert is_news()
    log.log_metric("loss", 0.5, 1)
    assert is_news()
    store.search(None, None, 10, 0)
    assert not is_news()
    log.append({"type": "params", "params": {"C": 1}})
    assert is_news()
    log.end("finished")
    assert is_news() == {"runs"}
    session = store.start_session({"notebook": None})
    session.append({"type": "cell_begin", "index": 0, "source": "x"})
    assert is_news() == {"sessions"}
    assert not is_news()
    log.close()
    session.close()


def test_old_runs_among_many_are_left_out(store: Store) -> None:
    """Only the newest logs are looked at, however many there are."""
    for number in range(30):
        store.start_run({"name": str(number), "experiment": "e"}).end("finished")
    stamp = StoreStamp(store.root)
    assert not stamp.look()
    assert not stamp.look()
    assert stamp._logs is not None
    assert len([name for name in stamp._logs["runs"] if "events" in name]) == 20


def test_no_store_has_a_stamp_too(tmp_path: Path) -> None:
    """What is not there yet has not changed, until it is there."""
    stamp = StoreStamp(tmp_path / "none")
    assert [stamp.look() for _ in range(3)] == [frozenset()] * 3
    (tmp_path / "none" / "runs").mkdir(parents=True)
    assert stamp.look()
    assert not stamp.look()


def test_what_happens_before_the_first_list_is_seen(store: Store) -> None:
    """The first look is short and lists nothing; a run that begins before the second is news."""
    stamp = StoreStamp(store.root)
    stamp.look()
    log = store.start_run({"name": "a", "experiment": "e"})
    assert stamp.look()
    log.log_metric("loss", 1.0, 0)
    assert stamp.look()
    log.close()


def test_a_long_list_is_not_made_at_each_look(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a list takes long, runs that begin are news at once and their logs a little later."""
    stamp = StoreStamp(store.root)
    monkeypatch.setattr(module, "_LONG_S", -1.0)
    monkeypatch.setattr(module, "_SHARE", 1e9)
    stamp.look()
    store.start_run({"name": "first", "experiment": "e"}).close()
    assert stamp.look()
    log = store.start_run({"name": "second", "experiment": "e"})
    assert stamp.look()
    log.log_metric("loss", 1.0, 0)
    assert not stamp.look()
    stamp._due.clear()
    assert stamp.look()
    log.close()

"""Whatever is written to a store changes its stamp, and reading changes nothing."""

from __future__ import annotations

from pathlib import Path

from mlops_nb.store import Store
from mlops_nb.store.stamp import StoreStamp


def test_each_write_changes_the_stamp(store: Store) -> None:
    """A new run, a value, a parameter, an end, a cell: each is seen, and quiet is quiet."""
    stamp = StoreStamp(store.root)
    seen = [stamp.read()]

    def is_news() -> bool:
        seen.append(stamp.read())
        return seen[-1] != seen[-2]

    assert not is_news()
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
    assert is_news()
    session = store.start_session({"notebook": None})
    session.append({"type": "cell_begin", "index": 0, "source": "x"})
    assert is_news()
    assert not is_news()
    log.close()
    session.close()


def test_old_runs_among_many_are_left_out(store: Store) -> None:
    """Only the newest logs are looked at, however many there are."""
    for number in range(30):
        store.start_run({"name": str(number), "experiment": "e"}).end("finished")
    assert len([name for name, _ in StoreStamp(store.root).read() if "events" in name]) == 20


def test_no_store_has_a_stamp_too(tmp_path: Path) -> None:
    """What is not there yet has not changed, until it is there."""
    stamp = StoreStamp(tmp_path / "none")
    before = stamp.read()
    assert stamp.read() == before
    (tmp_path / "none" / "runs").mkdir(parents=True)
    assert stamp.read() != before

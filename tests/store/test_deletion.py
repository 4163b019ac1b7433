"""Deleted runs: out of every list at once, to be had back for a while, gone after it."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from mlops_nb.errors import InvalidValueError, NotFoundError, RunNotFoundError
from mlops_nb.store import Store, deletion
from mlops_nb.store.deletion import delete_run, find_deleted, list_deleted, restore_run
from mlops_nb.store.upkeep import collect_store
from tests.store.remoting import add_run, make_store, pull, push

DAY_S = 86_400.0


def delete(store: Store, run_id: str, reason: str | None = None) -> None:
    """Delete a run of a store."""
    delete_run(store.root, store.audit, run_id, reason)


def names_of(store: Store) -> list[str]:
    """Give the names of the runs that a search finds."""
    return sorted(run.name for run in store.search())


def test_a_deleted_run_is_in_no_list(store: Store) -> None:
    """Search, ids, reading and finding by name know it no more; the others stay."""
    one, two = add_run(store, "one"), add_run(store, "two")
    assert names_of(store) == ["one", "two"]
    delete(store, one, "wrong data")
    assert names_of(store) == ["two"]
    assert store.list_run_ids() == [two]
    for look in (store.read_run, store.find_run):
        with pytest.raises(RunNotFoundError):
            look(one)
    (deleted,) = list_deleted(store.root)
    assert (deleted.run_id, deleted.name, deleted.reason) == (one, "one", "wrong data")
    assert deleted.user
    assert deleted.host
    assert deleted.is_kept


def test_a_restored_run_is_what_it_was(store: Store) -> None:
    """Everything of a restored run is there again, byte for byte."""
    run_id = add_run(store, "one")
    before = store.read_run(run_id)
    folder = store.root / "runs" / run_id
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    delete(store, run_id)
    assert names_of(store) == []
    restore_run(store.root, store.audit, find_deleted(store.root, "one"))
    assert names_of(store) == ["one"]
    assert store.read_run(run_id) == before
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files
    assert list_deleted(store.root) == []
    delete(store, run_id)  # and once more
    assert [run.run_id for run in list_deleted(store.root)] == [run_id]


def test_collections_honour_the_grace_time(store: Store) -> None:
    """Within the grace time a deleted run and its objects stay; after it they go for good."""
    run_id = add_run(store, "one")
    (artifact,) = store.read_run(run_id).artifacts
    delete(store, run_id)
    assert collect_store(store, grace_s=DAY_S).purged_runs == 0
    restore_run(store.root, store.audit, run_id)
    assert store.objects.read_bytes(artifact.digest)
    delete(store, run_id)
    note = store.root / f"deleted/{run_id}.json"
    document = json.loads(note.read_bytes())
    note.write_text(json.dumps(document | {"deleted_at": document["deleted_at"] - 2 * DAY_S}))
    assert collect_store(store, grace_s=DAY_S).purged_runs == 1
    assert not (store.root / "deleted" / run_id).exists()
    collect_store(store, grace_s=0)
    assert not store.objects.has(artifact.digest)
    (deleted,) = list_deleted(store.root)
    assert not deleted.is_kept
    with pytest.raises(NotFoundError, match="deleted run"):
        restore_run(store.root, store.audit, run_id)
    assert [path.name for path in (store.root / "tmp").iterdir()] == []


def test_a_clock_set_back_removes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deletion that seems to lie in the future counts as young."""
    run_id = add_run(store, "one")
    delete(store, run_id)
    real = time.time
    monkeypatch.setattr("time.time", lambda: real() - 10 * DAY_S)
    assert collect_store(store, grace_s=60).purged_runs == 0
    with pytest.raises(InvalidValueError, match="grace_s"):
        collect_store(store, grace_s=float("nan"))
    assert find_deleted(store.root, "one") == run_id


def test_a_running_run_is_not_deleted(store: Store) -> None:
    """A run that is written to is refused, unless somebody insists."""
    log = store.start_run({"name": "one", "experiment": "e"})
    log.log_metric("m", 1.0, 0)
    with pytest.raises(InvalidValueError, match="has ended"):
        delete(store, log.run_id)
    assert names_of(store) == ["one"]
    delete_run(store.root, store.audit, log.run_id, force=True)
    log.log_metric("m", 2.0, 1)  # goes where the run went
    restore_run(store.root, store.audit, log.run_id)
    assert store.read_run(log.run_id).metrics == {"m": 2.0}


def test_a_damaged_run_can_be_deleted(store: Store) -> None:
    """A run whose description cannot be read is put out of the way like any other."""
    run_id = add_run(store, "one")
    (store.root / "runs" / run_id / "run.json").write_bytes(b"{")
    delete(store, run_id)
    assert store.list_run_ids() == []
    assert [run.run_id for run in list_deleted(store.root)] == [run_id]


@pytest.mark.parametrize(
    "name", ["../sessions", "..", "", "x" * 36, "01890000-0000-7000-8000-000000000000"]
)
def test_only_runs_are_deleted(store: Store, name: str) -> None:
    """No path and no unknown id leads out of the folder of the runs."""
    add_run(store, "one")
    before = sorted(store.root.rglob("*"))
    with pytest.raises(RunNotFoundError):
        delete(store, name)
    with pytest.raises(NotFoundError):
        restore_run(store.root, store.audit, name)
    assert sorted(store.root.rglob("*")) == before


def test_a_move_that_fails_leaves_the_run(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the folder cannot be moved the run stays in the lists, and counts as not deleted."""
    run_id = add_run(store, "one")

    def fail(folder: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(deletion, "_move", fail)
        with pytest.raises(PermissionError):
            delete(store, run_id)
    assert names_of(store) == ["one"]
    assert list_deleted(store.root) == []


def test_killed_between_note_and_move(store: Store) -> None:
    """A note of a deletion that was never done hides nothing, and the run is deleted at the next try."""
    run_id = add_run(store, "one")
    delete(store, run_id)
    shutil.copytree(store.root / "deleted" / run_id, store.root / "runs" / run_id)
    shutil.rmtree(store.root / "deleted" / run_id)
    assert names_of(store) == ["one"]
    assert list_deleted(store.root) == []
    assert not deletion.is_deleted(store.root, run_id)
    delete(store, run_id)
    assert names_of(store) == []


def test_what_a_killed_collector_left_goes(store: Store) -> None:
    """The rest of a run whose removal was cut short goes with the next collection."""
    rest = store.root / "tmp/deleted-x-1"
    rest.mkdir(parents=True)
    (rest / "events.log").write_bytes(b"x")
    old = store.root / "tmp/pull-abc"
    old.mkdir()
    (old / "a.pack").write_bytes(b"x")
    long_ago = time.time() - 3 * DAY_S
    os.utime(old, (long_ago, long_ago))
    collect_store(store)
    assert list((store.root / "tmp").iterdir()) == []


def test_a_deleted_run_is_not_pulled_back(store: Store, tmp_path: Path) -> None:
    """A pull brings the other runs of the remote, and the deleted one only once it is restored."""
    one = add_run(store, "one")
    add_run(store, "two")
    url = (tmp_path / "remote").as_uri()
    push(store, url)
    delete(store, one)
    assert pull(store, url).is_clean
    assert names_of(store) == ["two"]
    assert push(store, url).is_clean
    other = make_store(tmp_path / "other")
    pull(other, url)
    assert names_of(other) == ["one", "two"]
    restore_run(store.root, store.audit, one)
    assert names_of(store) == ["one", "two"]

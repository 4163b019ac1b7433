"""The index can be lost, broken or shared at any time; runs are found all the same."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.store import Store, open_store
from tests.store.indexes import lose_index

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(either: Store) -> Store:
    """Give an empty store, its index in either database."""
    return either


def add_runs(store: Store, count: int) -> None:
    """Add runs with a metric each."""
    for number in range(count):
        log = store.start_run({"name": f"run {number}", "experiment": "e"})
        log.log_metrics({"m": float(number)}, 0)
        log.end("finished")


def test_index_is_rebuilt_equal(store: Store) -> None:
    """Deleting the index between two looks changes nothing."""
    add_runs(store, 5)
    before = store.search(None, ["metrics.m"])
    lose_index(store)
    assert store.search(None, ["metrics.m"]) == before
    store.index.rebuild()
    assert store.search(None, ["metrics.m"]) == before


def test_a_broken_index_is_replaced(tmp_path: Path) -> None:
    """An index file that is no database is thrown away, not told to the user."""
    store = open_store(tmp_path / "store", cache=tmp_path / "cache")
    add_runs(store, 2)
    store.search()
    store.index.close()
    for path in store.index.path.parent.iterdir():
        path.unlink()
    store.index.path.write_bytes(b"not a database" * 1000)
    assert len(store.search()) == 2


def test_changes_are_seen(store: Store) -> None:
    """A look after a change shows it: new values, an end, a run deleted by hand."""
    log = store.start_run({"name": "r", "experiment": "e"})
    assert store.search()[0].status == "running"
    log.log_metrics({"m": 1.0}, 0)
    assert store.search("metrics.m = 1")
    log.end("finished")
    assert store.search("status = 'finished'")
    log.log_metrics({"m": 2.0}, 1)
    assert store.search("metrics.m = 2")
    shutil.rmtree(log.folder)
    assert store.search() == []


def test_a_list_that_is_behind_hides_no_run(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another machine has seen a run that this one's list lacks, the run stays."""
    add_runs(store, 2)
    assert len(store.search()) == 2
    listdir = os.listdir
    with monkeypatch.context() as patched:
        patched.setattr(os, "listdir", lambda path: listdir(path)[:1])
        assert len(store.search()) == 2
    shutil.rmtree(store.root / "runs" / store.search()[0].run_id)
    assert len(store.search()) == 1


def test_threads_read_at_once(store: Store) -> None:
    """Several threads may read the index of one store."""
    add_runs(store, 20)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(store.search()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [20] * 8


def test_processes_fill_the_same_index(store: Store, tmp_path: Path, index_url: str) -> None:
    """Several processes that find an empty index fill it together."""
    add_runs(store, 30)
    code = (
        "import sys; from pathlib import Path; from mlops_nb.store import open_store;"
        "print(len(open_store(Path(sys.argv[1]), cache=Path(sys.argv[2]), index=sys.argv[3]).search()))"
    )
    command = [sys.executable, "-c", code, str(store.root), str(tmp_path / "cache"), index_url]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT) for _ in range(4)
    ]
    assert [process.communicate()[0].strip() for process in running] == ["30"] * 4
    link = store.index.place.connect()
    assert link.execute("SELECT count(*), count(DISTINCT run) FROM metric").fetchone() == (30, 30)


def test_copies_of_a_store_have_indexes_of_their_own(
    store: Store, tmp_path: Path, index_url: str
) -> None:
    """A copied store does not show the runs of the one it was copied from."""
    add_runs(store, 1)
    shutil.copytree(store.root, tmp_path / "copy")
    copy = open_store(tmp_path / "copy", cache=tmp_path / "cache", index=index_url)
    add_runs(copy, 1)
    assert (len(store.search()), len(copy.search())) == (1, 2)


@pytest.mark.parametrize("text", ["\ud800 lone", "x" * 100_000, "'; DROP TABLE run; --", "\x00"])
def test_odd_text_is_kept(store: Store, text: str) -> None:
    """Names and values with any characters are found and read back."""
    log = store.start_run({"name": text[:50], "experiment": "e"})
    log.append({"type": "params", "params": {"p": text}})
    assert store.read_run(log.run_id).params == {"p": text}
    assert [run.run_id for run in store.search()] == [log.run_id]
    quoted = text.replace("\\", "\\\\").replace("'", "''")
    assert [run.run_id for run in store.search(f"params.p = '{quoted}'")] == [log.run_id]
    assert store.find_run(text[:50]) == log.run_id


def test_a_log_of_nonsense_hides_no_run(store: Store) -> None:
    """Whatever stands where a time, a name or a notebook should, its run and all others are found."""
    add_runs(store, 1)
    wrong: list[Any] = [["list"], 7, "text", math.nan, -math.inf, 10**400, True]
    for value in wrong:
        log = store.start_run({"name": "odd", "notebook": value, "parent_run_id": value})
        log.append({"type": "name", "name": value})
        log.append({"type": "params", "params": {"p": value, "k" * 5000: value}})
        log.append({"type": "end", "status": value, "ended_at": value})
    assert len(store.search()) == 1 + len(wrong)
    assert len(store.search("params.p IS NOT NULL", ["end_time", "params.p"])) == len(wrong)
    assert len(store.search(f"params.`{'k' * 5000}` IS NOT NULL")) == len(wrong)


def test_an_index_that_cannot_be_written_is_kept_in_memory(tmp_path: Path) -> None:
    """Without a place for the index, runs are found all the same, and later ones too."""
    (tmp_path / "file").touch()
    store = open_store(tmp_path / "store", cache=tmp_path / "file" / "cache")
    add_runs(store, 3)
    assert [run.name for run in store.search("metrics.m > 0")] == ["run 2", "run 1"]
    add_runs(store, 1)
    assert len(store.search()) == 4
    assert store.find_run("run 2")


def test_a_full_disk_leaves_runs_readable(tmp_path: Path) -> None:
    """Where the index cannot grow, what is on the disk is read, without an error of SQLite's."""
    code = (
        "import resource, signal, sys; from pathlib import Path; from mlops_nb.store import open_store\n"
        "store = open_store(Path(sys.argv[1]), cache=Path(sys.argv[2]))\n"
        "for n in range(3):\n"
        "    log = store.start_run({'name': f'run {n}', 'experiment': 'e'}); log.log_metrics({'m': 1.0}, 0)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))\n"
        "print(len(store.search('metrics.m = 1')), len(store.search()))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "s"), str(tmp_path / "c")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
    assert done.stdout.split() == ["3", "3"], done.stderr

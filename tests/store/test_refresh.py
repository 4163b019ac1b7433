"""The index looks only where something can have changed, and still misses nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from mlops_nb.store import RunLog, Store, latejournal, open_store, pages, refresh
from mlops_nb.store.dialect import Link
from mlops_nb.store.runreader import read_run
from tests.store.indexes import lose_index, open_again

PROJECT = Path(__file__).resolve().parents[2]
META = {"name": "r", "experiment": "e"}
APART = """
import sys
from pathlib import Path
from mlops_nb.store import open_store
store = open_store(Path(sys.argv[1]))
if len(sys.argv) > 2:
    log = store.reopen_run(sys.argv[2])
    log.log_metrics({"m": 7.0}, 7)
    log.append({"type": "tags", "tags": {"late": "yes"}})
else:
    log = store.start_run({"name": "r", "experiment": "e"})
    log.log_metrics({"m": 1.0}, 1)
    log.end("finished")
print(log.run_id)
"""


@pytest.fixture
def store(either: Store) -> Store:
    """Give an empty store, its index in either database."""
    return either


def write_apart(store: Store, *words: str) -> str:
    """Write a run, or add to one, in a process that is gone afterwards."""
    command = [sys.executable, "-c", APART, str(store.root), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT)
    return done.stdout.strip()


def count_looks(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Search, and name the runs that were looked at and the folders that were listed."""
    looks: list[str] = []
    look_at, listdir = refresh._look_at, os.listdir

    def count(look: refresh._Look, known: refresh._Known) -> object:
        looks.append(known.run_id)
        return look_at(look, known)

    def list_folder(path: Path) -> list[str]:
        if path == store.root / "runs":
            looks.append("list")
        return listdir(path)

    with monkeypatch.context() as patched:
        patched.setattr(refresh, "_look_at", count)
        patched.setattr(os, "listdir", list_folder)
        store.search()
    return looks


def age(folder: Path, seconds: float = 60) -> None:
    """Make a folder look as if it changed long ago."""
    then = time.time() - seconds
    os.utime(folder, (then, then))


def test_settled_runs_are_not_looked_at(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose writer is gone costs nothing; one of a living writer is looked at."""
    gone = write_apart(store)
    log = store.start_run(META)
    age(store.root / "runs")
    assert set(count_looks(store, monkeypatch)) == {gone, log.run_id, "list"}
    assert count_looks(store, monkeypatch) == [log.run_id]


def test_a_later_writer_is_noticed(store: Store) -> None:
    """A process that adds to a settled run is seen, whatever the clock says."""
    run_id = write_apart(store)
    assert store.search()[0].metrics == {"m": 1.0}
    write_apart(store, run_id)
    (run,) = store.search()
    assert (run.metrics, run.tags) == ({"m": 7.0}, {"late": "yes"})
    write_apart(store, run_id)
    assert store.search("tags.late = 'yes'")


def test_a_later_writer_is_followed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a later process holds a run open its values are seen one by one, and then no more."""
    run_id = write_apart(store)
    store.search()
    log = store.reopen_run(run_id)
    for step in (10, 11):
        log.log_metric("m", float(step), step)
        assert store.search()[0].metrics == {"m": float(step)}
    log.close()
    for path in (store.root / "late").iterdir():
        head, _, rest = path.read_text().partition("\n")
        path.write_text(json.dumps({**json.loads(head), "boot_id": "gone"}) + "\n" + rest)
    age(store.root / "late")
    age(store.root / "runs")
    store.search()
    assert count_looks(store, monkeypatch) == []


def test_values_after_the_end_are_seen(store: Store) -> None:
    """Values that a process adds to a run it has ended are seen one by one."""
    log = store.start_run(META)
    log.end("finished")
    store.search()
    for step in range(3):
        log.log_metric("m", float(step), step)
        assert store.search(f"metrics.m = {step}")


def test_deleted_runs_go(store: Store) -> None:
    """Runs deleted by hand vanish with all their rows, settled or not."""
    ids = [write_apart(store), store.start_run(META).run_id]
    assert len(store.search()) == 2
    for run_id in ids:
        shutil.rmtree(store.root / "runs" / run_id)
    assert store.search() == []
    link = store.index.place.connect()
    for table in ("run", "run_document", "metric", "param", "tag", "started"):
        assert link.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    shutil.rmtree(store.root / "runs")
    assert store.search() == []


def test_a_slow_start_is_seen_later(store: Store) -> None:
    """A folder whose run.json comes after the first look becomes a run then."""
    log = store.start_run(META)
    text = (log.folder / "run.json").read_bytes()
    (log.folder / "run.json").unlink()
    age(store.root / "runs")
    assert store.search() == []
    (log.folder / "run.json").write_bytes(text)
    age(store.root / "runs")
    assert [run.run_id for run in store.search()] == [log.run_id]


@pytest.mark.parametrize("shift", [-7200.0, 7200.0])
def test_a_clock_that_jumps(store: Store, monkeypatch: pytest.MonkeyPatch, shift: float) -> None:
    """Runs, later values and deletions are noticed also when the clock was set back or forth."""
    first = write_apart(store)
    store.search()
    now, now_ns = time.time, time.time_ns
    monkeypatch.setattr(time, "time", lambda: now() + shift)
    monkeypatch.setattr(time, "time_ns", lambda: now_ns() + int(shift * 1e9))
    log = store.start_run(META)
    log.log_metrics({"m": 3.0}, 0)
    assert {run.run_id for run in store.search()} == {first, log.run_id}
    log.log_metrics({"m": 4.0}, 1)
    assert store.search("metrics.m = 4")
    write_apart(store, first)
    assert store.search("tags.late = 'yes'")
    shutil.rmtree(log.folder)
    assert [run.run_id for run in store.search()] == [first]


def test_every_run_is_looked_at_once_a_day(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was changed behind our back is found at the next thorough look, or when asked for."""
    run_id = write_apart(store)
    store.search()
    path = store.root / "runs" / run_id / "metrics.bin"
    path.write_bytes(b"")
    age(store.root / "runs")
    assert store.search()[0].metrics == {"m": 1.0}
    store.index.look_again()
    assert store.search()[0].metrics == {}
    age(store.root / "runs")
    store.search()
    later = time.time_ns() + 25 * 3_600_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: later)
    assert run_id in count_looks(store, monkeypatch)


def test_a_run_of_another_machine_settles_when_it_is_quiet(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no process can be looked for, an ended run is at rest an hour after its last change."""
    run_id = write_apart(store)
    folder = store.root / "runs" / run_id
    meta = json.loads((folder / "run.json").read_text())
    meta["writer"]["host"] = "elsewhere"
    (folder / "run.json").write_text(json.dumps(meta))
    store.search()
    age(store.root / "runs")
    store.search()
    assert count_looks(store, monkeypatch) == [run_id]
    for path in folder.iterdir():
        age(path, 7200)
    store.search()
    assert count_looks(store, monkeypatch) == []


def test_index_deleted_between_refresh_and_question(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index that vanishes in the middle of a search is made anew, and the answer is whole."""
    for _ in range(3):
        store.start_run(META)
    store.search()
    from mlops_nb.store import index

    deletions = iter([True, True, False, False])

    def refresh_and_lose(link: Link, runs: Path) -> None:
        refresh.refresh(link, runs)
        if next(deletions):
            lose_index(store)

    monkeypatch.setattr(index, "refresh", refresh_and_lose)
    assert len(store.search()) == 3


def test_two_processes_refresh_at_once(store: Store, tmp_path: Path, index_url: str) -> None:
    """Readers of one index while runs are written each see all that was there when they asked."""
    code = (
        "import sys; from pathlib import Path; from mlops_nb.store import open_store;"
        "s = open_store(Path(sys.argv[1]), cache=Path(sys.argv[2]), index=sys.argv[3]);\n"
        "for line in sys.stdin:\n"
        "    n = int(line)\n"
        "    print(sum(run.metrics.get('m') == n for run in s.search()), flush=True)"
    )
    command = [sys.executable, "-c", code, str(store.root), str(tmp_path / "cache"), index_url]
    logs = [store.start_run(META) for _ in range(20)]
    readers = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT
        )
        for _ in range(2)
    ]
    for number in range(30):
        for log in logs:
            log.log_metric("m", float(number), number)
        for reader in readers:
            assert reader.stdin is not None
            print(number, file=reader.stdin, flush=True)
        for reader in readers:
            assert reader.stdout is not None
            assert reader.stdout.readline().strip() == "20"
    for reader in readers:
        reader.communicate()


def test_an_older_reader_does_not_overwrite(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read first but written last does not hide what another process read since."""
    log = store.start_run(META)
    log.log_metric("m", 1.0, 1)
    other = open_again(store)
    is_first = [True]

    def interrupted(*arguments: object) -> object:
        record = read_run(*arguments)  # type: ignore[arg-type]
        if is_first.pop() if is_first else False:
            log.log_metric("m", 2.0, 2)
            assert other.search(None, None, 1, 0)[0].metrics == {"m": 2.0}
        return record

    monkeypatch.setattr(refresh, "read_run", interrupted)
    assert store.search()[0].metrics == {"m": 2.0}
    other.close()


class IndexAgainstModel(RuleBasedStateMachine):
    """Runs come, grow, end, are reopened and deleted; the index is a function of the folders."""

    keys = st.sampled_from("ab")
    numbers = st.integers(0, 3)

    url = ""

    @initialize()
    def begin(self) -> None:
        """Begin with an empty store."""
        import tempfile

        self.place = Path(tempfile.mkdtemp())
        self.store = open_store(self.place / "s", cache=self.place / "c", index=self.url)
        self.logs: dict[str, RunLog] = {}
        self.metrics: dict[str, dict[str, float]] = {}
        self.params: dict[str, dict[str, int]] = {}
        self.step = 0

    @rule()
    def start(self) -> None:
        """Start a run."""
        log = self.store.start_run(META)
        self.logs[log.run_id] = log
        self.metrics[log.run_id], self.params[log.run_id] = {}, {}

    @rule(at=numbers, key=keys, value=numbers)
    def log_metric(self, at: int, key: str, value: int) -> None:
        """Log a value to one of the runs."""
        for run_id in list(self.logs)[at : at + 1]:
            self.step += 1
            self.logs[run_id].log_metric(key, float(value), self.step)
            self.metrics[run_id][key] = float(value)

    @rule(at=numbers, key=keys, value=numbers)
    def log_param(self, at: int, key: str, value: int) -> None:
        """Log a parameter to one of the runs."""
        for run_id in list(self.logs)[at : at + 1]:
            self.logs[run_id].append({"type": "params", "params": {key: value}})
            self.params[run_id][key] = value

    @rule(at=numbers)
    def end(self, at: int) -> None:
        """End a run, which may be added to all the same."""
        for run_id in list(self.logs)[at : at + 1]:
            self.logs[run_id].end("finished")

    @rule(at=numbers)
    def reopen(self, at: int) -> None:
        """Go on with a run in files of their own."""
        for run_id in list(self.logs)[at : at + 1]:
            self.logs[run_id].close()
            self.logs[run_id] = self.store.reopen_run(run_id)

    @rule(at=numbers)
    def delete(self, at: int) -> None:
        """Delete a run by hand."""
        for run_id in list(self.logs)[at : at + 1]:
            self.logs.pop(run_id).close()
            shutil.rmtree(self.store.root / "runs" / run_id)
            del self.metrics[run_id], self.params[run_id]

    @rule()
    def lose_index(self) -> None:
        """Delete the index."""
        lose_index(self.store)

    @rule(key=keys, least=numbers, is_descending=st.booleans(), limit=st.integers(1, 4))
    def search(self, key: str, least: int, is_descending: bool, limit: int) -> None:
        """Find a page by a filter and a metric."""
        wanted = [i for i, p in self.params.items() if p.get("a", -1) >= least]
        wanted.sort(reverse=True)
        sign = -1 if is_descending else 1
        wanted.sort(key=lambda i: (key not in self.metrics[i], sign * self.metrics[i].get(key, 0)))
        order = [f"metrics.{key} {'DESC' if is_descending else 'ASC'}"]
        usual = pages.FEW_RUNS
        try:
            for pages.FEW_RUNS in (0, usual):  # along the metric, then from the filter
                found = self.store.search(f"params.a >= {least}", order, limit, 1)
                assert [run.run_id for run in found] == wanted[1 : 1 + limit]
        finally:
            pages.FEW_RUNS = usual

    @invariant()
    def same_runs(self) -> None:
        """Whatever happened, the index shows what the folders hold."""
        if hasattr(self, "store"):
            found = {run.run_id: (run.metrics, run.params) for run in self.store.search()}
            assert found == {i: (self.metrics[i], self.params[i]) for i in self.logs}

    def teardown(self) -> None:
        """Leave nothing behind."""
        if hasattr(self, "store"):
            for log in self.logs.values():
                log.close()
            lose_index(self.store)
            self.store.index.close()
            shutil.rmtree(self.place)


def test_index_against_model(index_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After any steps the index of either database is what the folders are."""
    monkeypatch.setattr(refresh, "_GRACE_S", 0.0)
    monkeypatch.setattr(latejournal, "_MOST_OPEN", 1)
    steps = settings(max_examples=15, stateful_step_count=20, deadline=None)

    class Machine(IndexAgainstModel):
        """The same with a database."""

        url = index_url

    run_state_machine_as_test(Machine, settings=steps)

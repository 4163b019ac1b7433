"""A team's index may be away, broken, shared or foreign: runs are found, and no password is told."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlops_nb.errors import TeamIndexError
from mlops_nb.store import Store, index, open_store, refresh, schema, teamindex
from mlops_nb.store.dialect import Link
from mlops_nb.store.postgresschema import PostgresSchema
from mlops_nb.store.series import LARGE_BYTES
from mlops_nb.store.teamindex import TeamIndex, name_schema
from tests.store.indexes import lose_index, open_again
from tests.store.postgres import Server, find_server, run_server

PROJECT = Path(__file__).resolve().parents[2]
SECRET = "s3cret-word"
Ready = Callable[..., Store]


def add_runs(store: Store, count: int) -> None:
    """Add runs with a metric each."""
    for number in range(count):
        log = store.start_run({"name": f"run {number}", "experiment": "e"})
        log.log_metrics({"m": float(number)}, 0)
        log.close()


def team(store: Store) -> TeamIndex:
    """Give the place of a store's index."""
    place = store.index.place
    assert isinstance(place, TeamIndex)
    return place


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[Ready]:
    """Give what opens a store with an index at an address; its schema goes with the test."""
    opened: list[Store] = []

    def open_it(url: str, name: str = "store") -> Store:
        opened.append(open_store(tmp_path / name, cache=tmp_path / "cache", index=url))
        return opened[-1]

    yield open_it
    for store in opened:
        store.index.close()


@pytest.fixture(scope="module")
def frail() -> Iterator[Server]:
    """Run a server that tests may stop."""
    with run_server() as server:
        yield server


@pytest.fixture
def up(frail: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Give a server that is tried again at once, and runs again after the test."""
    monkeypatch.setattr(teamindex, "REST_S", 0.0)
    yield frail
    if frail.running is None:
        frail.start()


def test_a_server_that_is_away_costs_one_line(
    up: Server, ready: Ready, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reading goes on with the local index, is told once, and returns to the team's index."""
    store = ready(up.url())
    add_runs(store, 2)
    assert len(store.search()) == 2
    up.stop()
    add_runs(store, 1)
    for _ in range(3):
        assert len(store.search("metrics.m >= 0")) == 3
    told = capsys.readouterr().err
    assert told.count("mlops_nb: cannot use the index at 'postgresql://admin@") == 1
    assert "/team'" in told
    up.start()
    add_runs(store, 1)
    assert len(store.search()) == 4
    assert store.index.place.connect() is team(store)._open().connect()
    assert capsys.readouterr().err == ""
    up.stop()
    assert len(store.search()) == 4
    assert capsys.readouterr().err.count("cannot use the index") == 1


def test_a_server_that_failed_is_left_alone(
    up: Server, ready: Ready, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For a while after a failure nobody waits for the server."""
    store = ready(up.url())
    add_runs(store, 1)
    up.stop()
    assert len(store.search()) == 1
    up.start()
    monkeypatch.setattr(teamindex, "REST_S", 1e9)
    assert len(store.search()) == 1
    assert up.run(f"SELECT 1 FROM pg_namespace WHERE nspname = '{team(store).name}'") == []
    monkeypatch.setattr(teamindex, "REST_S", 0.0)
    assert len(store.search()) == 1
    assert up.run(f"SELECT 1 FROM pg_namespace WHERE nspname = '{team(store).name}'") == [(1,)]


@pytest.mark.parametrize("is_gone", [False, True])
def test_connections_that_break_in_the_middle(
    up: Server, ready: Ready, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_gone: bool
) -> None:  # fmt: skip
    """A lost connection is opened again, a lost server replaced; the answer is whole."""
    store = ready(up.url())
    add_runs(store, 3)
    store.search()
    losses = iter([True, True, False, False, False, False])

    def refresh_and_lose(link: Link, runs: Path) -> None:
        refresh.refresh(link, runs)
        if next(losses):
            if is_gone and up.running is not None:
                up.stop()
            elif not is_gone:
                up.run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'team'"
                )

    monkeypatch.setattr(index, "refresh", refresh_and_lose)
    assert len(store.search()) == 3
    assert ("cannot use" in capsys.readouterr().err) == is_gone


def test_long_series_are_read_without_the_server(
    up: Server, ready: Ready, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the server goes away, a long log is read by itself."""
    store = ready(up.url())
    log = store.start_run({"name": "r", "experiment": "e"})
    count = LARGE_BYTES // 32 + 1
    for step in range(count):
        log.log_metric("m", float(step), step)
    assert len(store.read_series(log.run_id, "m").steps) == count
    up.stop()
    assert store.read_series(log.run_id, "m").values[-1] == count - 1
    assert store.preview_series(log.run_id, "m", 10).count == count
    assert store.read_run(log.run_id).metrics == {"m": count - 1.0}


def test_rebuilding_says_what_is_wrong(
    up: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked to rebuild, a server that is away is an error, with the next step and no password."""
    monkeypatch.setenv("MLOPS_NB_INDEX", up.url())
    monkeypatch.setenv("PGPASSWORD", SECRET)
    add_runs(open_store(tmp_path / "store"), 2)
    command = [sys.executable, "-m", "mlops_nb", "store", "rebuild-index", "--json"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, '"runs": 2' in done.stdout) == (0, True), done.stderr
    up.stop()
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"cannot use the index at 'postgresql://admin@{up.folder}/team'" in done.stderr
    assert "PGPASSWORD or ~/.pgpass" in done.stderr
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_a_wrong_password_is_never_told(
    postgres: Server, ready: Ready, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """A refused password is told with user, host and database, and without itself."""
    postgres.run(
        f"DROP ROLE IF EXISTS secretive; CREATE ROLE secretive SUPERUSER LOGIN PASSWORD '{SECRET}'"
    )
    url = postgres.url("secretive")
    monkeypatch.setenv("PGPASSWORD", "wr0ng-word")
    store = ready(url)
    add_runs(store, 1)
    assert len(store.search()) == 1
    with pytest.raises(TeamIndexError) as caught:
        store.index.rebuild()
    told = "".join(capfd.readouterr()) + str(caught.value) + repr(caught.value.__dict__)
    assert "wr0ng-word" not in told
    assert 'password authentication failed for user "secretive"' in told
    assert f"postgresql://secretive@{postgres.folder}/team" in told
    assert caught.value.__cause__ is None
    monkeypatch.setenv("PGPASSWORD", SECRET)
    store.index.rebuild()
    assert SECRET not in "".join(capfd.readouterr())
    lose_index(store)


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        ("COMMENT ON SCHEMA {name} IS 'mine'", "is not an index of mlops_nb"),
        (f"COMMENT ON SCHEMA {{name}} IS 'mlops_nb index, version {schema.VERSION + 1}'", "knows"),
        ("REVOKE ALL ON SCHEMA {name} FROM weak", "permission denied"),
    ],
)
def test_what_is_not_ours_is_left_alone(
    postgres: Server, ready: Ready, capsys: pytest.CaptureFixture[str], spoil: str, found: str
) -> None:
    """A foreign or newer schema, or one without rights, is told, and never dropped."""
    postgres.run("DROP OWNED BY weak; DROP ROLE weak" if has_role(postgres, "weak") else "SELECT 1")
    postgres.run("CREATE ROLE weak LOGIN")
    first = ready(postgres.url())
    add_runs(first, 2)
    assert len(first.search()) == 2
    name = team(first).name
    tables = postgres.run(
        f"SELECT count(*) FROM pg_class WHERE relnamespace = '{name}'::regnamespace"
    )
    postgres.run(spoil.format(name=name))
    store = open_again(first)
    assert isinstance(store.place, TeamIndex)
    if "weak" in spoil:
        store.place.url = postgres.url("weak")
    assert len(store.search(None, None, 9, 0)) == 2
    assert found in capsys.readouterr().err
    with pytest.raises(TeamIndexError, match=found):
        store.rebuild()
    after = postgres.run(
        f"SELECT count(*) FROM pg_class WHERE relnamespace = '{name}'::regnamespace"
    )
    assert after == tables
    store.close()
    lose_index(first)


def has_role(server: Server, name: str) -> bool:
    """Tell whether a role is there."""
    return bool(server.run(f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'"))


def test_an_older_index_is_made_anew(
    postgres: Server, ready: Ready, capsys: pytest.CaptureFixture[str]
) -> None:
    """An index of an earlier version is dropped and filled again, also under open connections."""
    store = ready(postgres.url())
    add_runs(store, 2)
    store.search()
    name = team(store).name
    postgres.run(f'DROP TABLE "{name}".metric')
    postgres.run(f"COMMENT ON SCHEMA {name} IS 'mlops_nb index, version 1'")
    assert len(store.search("metrics.m >= 0")) == 2
    assert capsys.readouterr().err == ""
    lose_index(store)


def test_a_database_of_another_encoding_is_refused(
    postgres: Server, ready: Ready, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database that cannot hold every text is told with how to make one that can."""
    postgres.run("DROP DATABASE IF EXISTS latin")
    postgres.run("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    store = ready(postgres.url(database="latin"))
    add_runs(store, 1)
    assert len(store.search()) == 1
    told = capsys.readouterr().err
    assert "its encoding is LATIN1, expected UTF8" in told
    assert "TEMPLATE template0" in told


def test_stores_share_a_database(postgres: Server, ready: Ready) -> None:
    """Each store has a schema of its own, whatever path it is opened by; one goes without the others."""
    one, two = ready(postgres.url(), "one"), ready(postgres.url(), "two")
    add_runs(one, 1)
    add_runs(two, 2)
    assert (len(one.search()), len(two.search())) == (1, 2)
    again = one.root.with_name("mounted")
    again.symlink_to(one.root)
    assert name_schema(again, one.store_id) == team(one).name != team(two).name
    lose_index(one)
    assert (len(two.search()), len(one.search())) == (2, 1)
    assert team(one).measure() > 0
    for store in (one, two):
        lose_index(store)


def test_readers_while_the_index_is_made_anew(
    postgres: Server, ready: Ready, capsys: pytest.CaptureFixture[str]
) -> None:
    """While one rebuilds again and again, every answer of the others is whole."""
    store = ready(postgres.url())
    add_runs(store, 30)
    found: list[int] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            found.append(len(store.search("metrics.m >= 0", ["metrics.m DESC"])))
        store.index.close()

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        store.index.rebuild()
    stop.set()
    for thread in threads:
        thread.join()
    assert set(found) == {30}
    assert capsys.readouterr().err == ""
    gone = postgres.run(
        f"SELECT nspname FROM pg_namespace WHERE nspname LIKE '{team(store).name}%'"
    )
    assert gone == [(team(store).name,)]
    lose_index(store)


def test_who_reads_waits_while_others_make_the_index_anew(
    postgres: Server, ready: Ready, capsys: pytest.CaptureFixture[str]
) -> None:
    """However often the tables go under a question, it is asked again while the server answers."""
    store = ready(postgres.url())
    add_runs(store, 2)
    assert store.index.count() == 2
    other = PostgresSchema(postgres.url(), "", team(store).name)
    drops = iter(range(8))

    def count(link: Link) -> int:
        if next(drops, None) is not None:
            other.clear()
        return int(link.execute("SELECT count(*) FROM metric").fetchone()[0])

    assert store.index.place.ask(count) == 0
    assert capsys.readouterr().err == ""
    assert store.index.count() == 2
    other.close()
    lose_index(store)


def test_a_missing_server_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no server is installed tests are skipped, but in CI they fail."""
    assert find_server() is not None or not os.environ.get("CI")
    monkeypatch.setattr("tests.store.postgres.find_server", lambda: None)
    for value, outcome in (("true", pytest.fail.Exception), ("", pytest.skip.Exception)):
        monkeypatch.setenv("CI", value)
        with pytest.raises(outcome, match="PostgreSQL"), run_server():
            pass

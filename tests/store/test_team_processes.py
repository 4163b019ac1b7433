"""Processes that share a team's index: killed ones, forked ones, and those without the package."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_nb.store import Store, open_store
from tests.store.indexes import lose_index
from tests.store.postgres import Server

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(postgres: Server, tmp_path: Path) -> Iterator[Store]:
    """Give a store of five runs with a team's index."""
    store = open_store(tmp_path / "store", cache=tmp_path / "cache", index=postgres.url())
    for number in range(5):
        log = store.start_run({"name": f"run {number}", "experiment": "e"})
        log.log_metrics({"m": float(number)}, 0)
        log.close()
    yield store
    lose_index(store)
    store.index.close()


KILLED = """
import sys, time
from pathlib import Path
from mlops_nb.store import open_store, refresh
write = refresh.write_runs
def write_and_wait(*arguments):
    write(*arguments)
    print("written", flush=True)
    time.sleep(60)
refresh.write_runs = write_and_wait
open_store(Path(sys.argv[1]), cache=Path(sys.argv[2]), index=sys.argv[3]).search()
"""


def test_a_reader_killed_while_it_fills(
    postgres: Server, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A process that dies within a transaction holds up nobody and leaves nothing half."""
    command = [
        sys.executable,
        "-c",
        KILLED,
        str(store.root),
        str(tmp_path / "other"),
        postgres.url(),
    ]
    filler = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    assert filler.stdout is not None
    assert filler.stdout.readline() == "written\n"
    filler.kill()
    filler.communicate()
    assert len(store.search("metrics.m >= 0")) == 5
    assert capsys.readouterr().err == ""


FORKED = """
import os, sys
from pathlib import Path
from mlops_nb.store import open_store
store = open_store(Path(sys.argv[1]), cache=Path(sys.argv[2]), index=sys.argv[3])
before = len(store.search())
child = os.fork()
found = len(store.search())
if child == 0:
    sys.exit(found)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(before, found, status, len(store.search()))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_child_has_a_connection_of_its_own(
    postgres: Server, store: Store, tmp_path: Path
) -> None:
    """A child that asks and ends leaves its parent's connection alone."""
    command = [
        sys.executable,
        "-c",
        FORKED,
        str(store.root),
        str(tmp_path / "other"),
        postgres.url(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
    assert (done.stdout, done.stderr) == ("5 5 5 5\n", "")


@pytest.mark.parametrize("url", ["", "postgresql://nobody@/team?host=/nowhere"])
def test_psycopg_is_loaded_when_used(tmp_path: Path, url: str) -> None:
    """Without the setting nothing of PostgreSQL's is imported; without the package it is told."""
    code = (
        "import sys; from pathlib import Path; from mlops_nb.store import open_store\n"
        "if sys.argv[3]: sys.modules['psycopg'] = None\n"
        "s = open_store(Path(sys.argv[1]), cache=Path(sys.argv[2]), index=sys.argv[3])\n"
        "print(len(s.search()), 'psycopg' in sys.modules and sys.modules['psycopg'] is not None)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "s"), str(tmp_path / "c"), url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT)
    assert done.stdout == "0 False\n"
    assert ('pip install "mlops-nb[postgres]"' in done.stderr) == bool(url)

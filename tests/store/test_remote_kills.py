"""Pushes and pulls that are killed, or are several at once, end with everything there."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mlops_nb.store import Store
from tests.store.remoting import (
    add_run,
    fill,
    make_store,
    pull,
    push,
    tell,
)

KILLED = """
import os, signal, sys
from pathlib import Path
from mlops_nb.store import open_store
from mlops_nb.store.{verb} import {verb}_store
left = [int(sys.argv[3])]
def stop(name, size):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
store = open_store(Path(sys.argv[1]))
{verb}_store(store.root, store.store_id, sys.argv[2], stop)
"""


def run_killed(verb: str, folder: Path, url: str, after: int) -> int:
    """Push or pull in a process that ends itself after so many files."""
    command = [sys.executable, "-c", KILLED.format(verb=verb), str(folder), url, str(after)]
    return subprocess.run(command, check=False, cwd=Path(__file__).parents[2]).returncode


@pytest.mark.parametrize("after", [0, 1, 3, 8])
def test_a_killed_push_goes_on(store: Store, tmp_path: Path, url: str, after: int) -> None:
    """After a kill all that is visible is whole, and the next push completes it."""
    fill(store)
    assert run_killed("push", store.root, url, after) == -9
    partly = make_store(tmp_path / "partly")
    assert pull(partly, url).is_clean
    for run in partly.search():
        for artifact in run.artifacts:
            assert partly.objects.read_bytes(artifact.digest)
    assert push(store, url).is_clean
    pull(partly, url)
    assert tell(partly) == tell(store)


@pytest.mark.parametrize("after", [0, 1, 3, 8])
def test_a_killed_pull_goes_on(store: Store, other: Store, url: str, after: int) -> None:
    """After a kill the store is usable, and the next pull completes it."""
    fill(store)
    push(store, url)
    assert run_killed("pull", other.root, url, after) == -9
    for run in other.search():
        for artifact in run.artifacts:
            assert other.objects.read_bytes(artifact.digest)
    assert pull(other, url).is_clean
    assert tell(other) == tell(store)


def test_several_push_at_once(store: Store, other: Store, tmp_path: Path, url: str) -> None:
    """Pushes of one store and of another at once lose nothing and see no conflict."""
    fill(store)
    for number in range(3):
        add_run(other, f"other-{number}")
    threads = [threading.Thread(target=push, args=(one, url)) for one in (store, other, store)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    third = make_store(tmp_path / "third")
    assert pull(third, url).is_clean
    assert set(third.list_run_ids()) == {*store.list_run_ids(), *other.list_run_ids()}


def test_several_pull_at_once(store: Store, other: Store, url: str) -> None:
    """Pulls into one store at once leave every file whole."""
    fill(store)
    push(store, url)
    threads = [threading.Thread(target=pull, args=(other, url)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tell(other) == tell(store)

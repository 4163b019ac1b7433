"""Who opens a notebook finds its store open a moment later; where none is nothing is made."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from mlops_nb.config import load_settings
from mlops_nb.server import warming
from mlops_nb.server import workers as workers_module
from mlops_nb.server.warming import StoreWarmer, warm_store
from mlops_nb.server.workers import Workers
from mlops_nb.store import Store, open_store


def write_notebook(folder: Path) -> None:
    """Write an empty notebook."""
    nbformat.write(nbformat.v4.new_notebook(), folder / "a.ipynb")


async def test_a_notebook_that_is_opened_warms_its_store(
    jp_fetch: Callable[..., Any],
    jp_root_dir: Path,
    add_run: Callable[..., str],
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The index is there soon after the notebook was read, and no route of ours was asked."""
    monkeypatch.setattr(warming, "DELAY_S", 0.0)
    add_run("first", jp_root_dir / "a.ipynb")
    write_notebook(jp_root_dir)
    index = open_store(store.root, cache=load_settings().cache).local / "index.db"
    assert not index.is_file()
    await jp_fetch("api", "contents", "a.ipynb")
    while not index.is_file():  # what ends a test that hangs ends this
        await asyncio.sleep(0.05)


async def test_the_same_folder_is_warmed_once_a_minute(tmp_path: Path) -> None:
    """Saving reads a notebook again; other files and folders mean nothing."""
    warmer = StoreWarmer(tmp_path, Workers())
    for path in ("a.ipynb", "b.ipynb", "a.ipynb", "a.csv", "", "../out.ipynb", "sub/c.ipynb"):
        await warmer.hear(None, "", {"action": "get", "path": path})
    await warmer.hear(None, "", {"action": "save", "path": "other/a.ipynb"})
    assert list(warmer._warmed) == [tmp_path, tmp_path / "sub"]
    for number in range(200):
        await warmer.hear(None, "", {"action": "get", "path": f"{number}/a.ipynb"})
    assert len(warmer._warmed) == 100


async def test_a_server_that_stops_has_nothing_pending(tmp_path: Path) -> None:
    """A notebook that is read just before leaves no task behind for the loop to complain of."""
    warmer = StoreWarmer(tmp_path, Workers())
    await warmer.hear(None, "", {"action": "get", "path": "a.ipynb"})
    assert list(warmer._warmed) == [tmp_path]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_folder_that_hangs_is_not_warmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has asked for it yet: nothing is done, and nothing said."""
    monkeypatch.setattr(workers_module, "_STUCK_S", -1.0)
    workers, hang, done = Workers(), threading.Event(), threading.Event()
    for _ in range(2):
        workers.begin(hang.wait, tmp_path)
    while len(workers._begun.get(tmp_path, ())) < 2:
        await asyncio.sleep(0.01)
    workers.begin(done.set, tmp_path)
    hang.set()
    workers._pool.shutdown()
    assert not done.is_set()


def test_without_a_store_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who records nothing pays nothing: no folder, no index; a team's database is not asked."""
    monkeypatch.setenv("MLOPS_NB_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("MLOPS_NB_CACHE", str(tmp_path / "cache"))
    assert not warm_store(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "store" / "runs").mkdir(parents=True)
    monkeypatch.setenv("MLOPS_NB_INDEX", "postgresql://nobody@localhost:1/none")
    assert not warm_store(tmp_path)

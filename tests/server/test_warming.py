"""Who opens a notebook finds its store open a moment later; where none is nothing is made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from mlops_nb.config import load_settings
from mlops_nb.server import warming
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
    for _ in range(200):
        if index.is_file():
            break
        await asyncio.sleep(0.05)
    assert index.is_file()


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
    for task in list(warmer._tasks):
        task.cancel()
    await asyncio.gather(*warmer._tasks, return_exceptions=True)


def test_without_a_store_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who records nothing pays nothing: no folder, no index; a team's database is not asked."""
    monkeypatch.setenv("MLOPS_NB_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("MLOPS_NB_CACHE", str(tmp_path / "cache"))
    assert not warm_store(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "store" / "runs").mkdir(parents=True)
    monkeypatch.setenv("MLOPS_NB_INDEX", "postgresql://nobody@localhost:1/none")
    assert not warm_store(tmp_path)

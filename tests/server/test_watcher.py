"""A store is followed while somebody looks, and browsers are told through Jupyter's events."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.server import watcher as module
from mlops_nb.server.extension import WATCHER
from mlops_nb.server.watcher import SCHEMA_ID, StoreWatcher
from mlops_nb.server.workers import Workers
from mlops_nb.store import Store
from mlops_nb.store.stamp import StoreStamp
from tests.server.conftest import Ask


def is_watching(watcher: StoreWatcher) -> bool:
    """Ask anew; the type checker must not remember."""
    return watcher.is_watching


async def test_looking_brings_events_and_leaving_ends_them(
    ask: Ask,
    store: Store,
    jp_serverapp: Any,
    add_run: Callable[..., str],
    jp_root_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who asks for a notebook is told of each change; when nobody asks, nothing is looked at."""
    monkeypatch.setattr(module, "LEASE_S", 600.0)
    heard: asyncio.Queue[Any] = asyncio.Queue()

    async def hear(logger: Any, schema_id: str, data: Any) -> None:
        heard.put_nowait((schema_id, data["notebooks"], data["parts"]))

    jp_serverapp.event_logger.add_listener(schema_id=SCHEMA_ID, listener=hear)
    watcher: StoreWatcher = jp_serverapp.web_app.settings[WATCHER]
    assert not is_watching(watcher)
    await ask("runs")
    assert not is_watching(watcher)  # no notebook is in view
    await ask("notebook", notebook="a.ipynb")
    assert is_watching(watcher)
    await asyncio.sleep(0.5)
    assert heard.empty()
    while heard.empty():  # what is there before the first look is no news
        add_run("first", jp_root_dir / "a.ipynb")
        await asyncio.sleep(0.1)
    assert await heard.get() == (SCHEMA_ID, ["a.ipynb"], ["runs"])
    for watched in watcher._watched.values():
        watched.until = dict.fromkeys(watched.until, 0.0)  # as a while later
    while is_watching(watcher):
        await asyncio.sleep(0.05)
    assert json.dumps(list(watcher._watched)) == "[]"


def test_many_changes_are_one_event() -> None:
    """A store that changes at each look is told of once in a pause, the last change too."""
    told: list[tuple[list[str], list[str]]] = []
    found = StoreWatcher(lambda *event: told.append(event), Workers())
    watched = module._Watched(frozenset, until={"a": 1000.0, "b": 1000.0})
    for number in range(8):
        news = frozenset({"sessions", "runs" if number == 2 else "sessions"})
        found._tell(watched, news, 100 + number * 0.03)
    assert told == [(["a", "b"], ["sessions"]), (["a", "b"], ["runs", "sessions"])]
    for at in (101, 102):
        found._tell(watched, frozenset(), at)
        assert told[2:] == [(["a", "b"], ["sessions"])]


async def test_closing_ends_the_task(tmp_path: Path) -> None:
    """Nothing goes on when the server stops."""
    found = StoreWatcher(lambda *_: None, Workers())
    found.prolong(tmp_path, "a.ipynb")
    assert is_watching(found)
    task = found._watched[tmp_path].task
    assert task is not None
    found.close()
    assert not is_watching(found)
    await asyncio.wait([task])
    assert task.cancelled()


async def test_following_begins_again_after_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that cannot be told ends the following; who asks next has it begin again."""
    monkeypatch.setattr(module, "LEASE_S", 600.0)
    told = asyncio.Event()

    def fail(_: list[str], parts: list[str]) -> None:
        told.set()
        raise RuntimeError("no listener")

    watcher = StoreWatcher(fail, Workers())
    (tmp_path / "runs").mkdir()
    for name in ("first", "second"):
        watcher.prolong(tmp_path, "a.ipynb")
        task = watcher._watched[tmp_path].task
        assert task is not None
        while not told.is_set():
            (tmp_path / "runs" / f"{name}{len(list((tmp_path / 'runs').iterdir()))}").mkdir()
            await asyncio.sleep(0.05)
        with pytest.raises(RuntimeError, match="no listener"):
            await task
        assert not is_watching(watcher)
        told.clear()
        watcher._watched[tmp_path].told_at = 0.0
    watcher.close()


async def test_a_store_that_hangs_silences_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes of one store are told while a look at another one does not come back."""
    told: asyncio.Queue[tuple[list[str], list[str]]] = asyncio.Queue()
    hang = threading.Event()
    look = StoreStamp.look

    def wait(stamp: StoreStamp) -> frozenset[str]:
        if stamp._root.name == "gone":
            hang.wait()
        return look(stamp)

    monkeypatch.setattr(StoreStamp, "look", wait)
    monkeypatch.setattr(module, "FIRST_S", 0.0)
    monkeypatch.setattr(module, "LEASE_S", 600.0)
    watcher = StoreWatcher(lambda *event: told.put_nowait(event), Workers())
    watcher.prolong(tmp_path / "gone", "gone.ipynb")
    watcher.prolong(tmp_path / "there", "there.ipynb")
    try:
        while told.empty():  # what is there before the first look is no news
            (tmp_path / "there" / "runs" / uuid.uuid4().hex).mkdir(parents=True)
            await asyncio.sleep(0.05)
        assert await told.get() == (["there.ipynb"], ["runs"])
    finally:
        hang.set()
        watcher.close()


def test_a_loop_that_ends_is_left_quietly(tmp_path: Path) -> None:
    """A server that stops while somebody looks leaves no error behind at the next collection."""
    loop = asyncio.new_event_loop()
    watcher = StoreWatcher(lambda *_: None, Workers())

    async def look(watcher: StoreWatcher) -> None:
        watcher.prolong(tmp_path, "a.ipynb")
        await asyncio.sleep(0.1)

    loop.run_until_complete(look(watcher))
    loop.close()
    del watcher
    gc.collect()

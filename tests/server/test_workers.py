"""Work that hangs is kept apart: it takes few threads, and those who wait for it are told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_nb import api
from mlops_nb.errors import StoreError
from mlops_nb.server import workers as module
from mlops_nb.server.workers import WORKERS, Workers


async def test_a_folder_that_hangs_leaves_threads_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where two threads already wait for a folder a third is not given; the words say why."""
    monkeypatch.setattr(module, "_STUCK_S", -1.0)
    workers, hang = Workers(), threading.Event()
    stuck = [asyncio.ensure_future(workers.run(hang.wait, tmp_path)) for _ in range(2)]
    while len(workers._begun.get(tmp_path, ())) < 2:
        await asyncio.sleep(0.01)
    with pytest.raises(StoreError, match="nothing has come from there"):
        await workers.run(bool, tmp_path)
    assert await workers.run(lambda: 7, tmp_path / "other") == 7
    hang.set()
    await asyncio.gather(*stuck)
    assert await workers.run(lambda: 8, tmp_path) == 8
    assert workers._begun == {}


async def test_what_nobody_waits_for_is_left_undone(tmp_path: Path) -> None:
    """Work whose caller has gone before a thread was free is never done."""
    workers, hang, done = Workers(), threading.Event(), list[int]()
    busy = [asyncio.ensure_future(workers.run(hang.wait, tmp_path)) for _ in range(module._MOST)]
    await asyncio.sleep(0.05)
    waiting = asyncio.ensure_future(workers.run(lambda: done.append(1), tmp_path))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    hang.set()
    await asyncio.gather(*busy)
    await workers.run(bool, tmp_path)
    assert done == []


async def test_a_page_that_gives_up_leaves_nothing_waiting(
    jp_fetch: Callable[..., Any],
    jp_serverapp: Any,
    jp_http_port: int,
    jp_auth_header: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A browser that closes its connection takes its question with it; the next one is answered."""
    hang, asked = threading.Event(), list[int]()

    def list_runs(**named: Any) -> list[Any]:
        if "offset" in named:  # the page, not the pinned ones that come with it
            asked.append(1)
        hang.wait()
        return []

    monkeypatch.setattr(api, "list_runs", list_runs)
    workers: Workers = jp_serverapp.web_app.settings[WORKERS]
    token, path = jp_auth_header["Authorization"], f"{jp_serverapp.base_url}mlops-nb/runs"
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\n\r\n"
    try:
        writers = []
        for _ in range(module._MOST + 2):
            _reader, writer = await asyncio.open_connection("localhost", jp_http_port)
            writer.write(head.encode())
            writers.append(writer)
        while len(asked) < module._MOST or workers._pool._work_queue.qsize() < 2:
            await asyncio.sleep(0.05)
        for writer in writers:
            writer.close()
            await writer.wait_closed()
        while caplog.text.count(" 499 GET ") < len(writers):
            await asyncio.sleep(0.05)  # until the server knows that they have gone
    finally:
        hang.set()
    response = await jp_fetch("mlops-nb", "status")
    assert response.code == 200
    assert len(asked) == module._MOST

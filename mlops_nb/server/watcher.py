"""Follows a store while somebody looks at it, and tells every browser that it has changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_nb.server.workers import Workers

SCHEMA_ID = "urn:mlops-nb:changed"
SCHEMA: dict[str, Any] = {
    "$id": SCHEMA_ID,
    "version": "1",
    "title": "A store has changed",
    "description": "Notebooks in view whose runs, cells or models may be others than before.",
    "type": "object",
    "properties": {
        "notebooks": {
            "title": "Paths from the server's root",
            "type": "array",
            "items": {"type": "string"},
        },
        "parts": {
            "title": "What was written: runs, late (to runs of others), models, sessions",
            "type": "array",
            "items": {"type": "string"},
        },
    },
    "required": ["notebooks"],
}
TICK_S = 0.03
# Where nothing was written for a while: a look takes half a millisecond.
QUIET_TICK_S, QUIET_S = 0.1, 5.0
# Who begins to look waits for an answer: what takes longer than a glance waits for it too.
FIRST_S = 0.3
# However much is written, browsers are told ten times a second.
PAUSE_S = 0.1
# Who looks asks each five seconds at least.
LEASE_S = 12.0


@dataclass(slots=True)
class _Watched:
    """A store that somebody looks at."""

    look: Callable[[], frozenset[str]]
    told_at: float = 0.0
    news: set[str] = field(default_factory=set)
    until: dict[str, float] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None


class StoreWatcher:
    """Looks at stores on each tick, off the event loop, and at none while nobody asks.

    Parameters
    ----------
    emit
        Told the notebooks whose store has changed, and in which parts, on the event loop.
    workers
        Whose threads look.
    """

    def __init__(self, emit: Callable[[list[str], list[str]], object], workers: Workers) -> None:
        self._emit = emit
        self._workers = workers
        self._watched: dict[Path, _Watched] = {}

    @property
    def is_watching(self) -> bool:
        """Whether any store is looked at."""
        return any(each.task and not each.task.done() for each in self._watched.values())

    def prolong(self, store: Path, notebook: str) -> None:
        """Look at a store for a while longer; called on the event loop.

        Parameters
        ----------
        store
            The store's folder.
        notebook
            Whoever looks at this notebook is told.
        """
        watched = self._watched.get(store)
        if watched is None:
            from mlops_nb.api import stamp_store

            watched = self._watched[store] = _Watched(stamp_store(store).look)
        watched.until[notebook] = time.monotonic() + LEASE_S
        # Whatever ended it, who asks next has it begin again. Each store has its own: one that does
        # not answer, on a disk that is gone, must not silence the others.
        if watched.task is None or watched.task.done():
            watched.task = asyncio.get_running_loop().create_task(self._follow(store, watched))

    def close(self) -> None:
        """Look no more."""
        for watched in self._watched.values():
            if watched.task is not None:
                watched.task.cancel()
        self._watched.clear()

    async def _follow(self, store: Path, watched: _Watched) -> None:
        pause, news_at = FIRST_S, time.monotonic()
        while watched.until:
            news = await self._workers.run(watched.look, store)
            now = time.monotonic()
            news_at = now if news else news_at
            self._tell(watched, news, now)
            await asyncio.sleep(pause)
            pause = QUIET_TICK_S if now - news_at > QUIET_S else TICK_S
        self._watched.pop(store, None)

    def _tell(self, watched: _Watched, news: frozenset[str], now: float) -> None:
        watched.until = {path: at for path, at in watched.until.items() if at > now}
        watched.news |= news
        if watched.news and now - watched.told_at >= PAUSE_S:
            parts = sorted(watched.news)
            watched.news.clear()
            watched.told_at = now
            self._emit(sorted(watched.until), parts)

"""Follows a store while somebody looks at it, and tells every browser that it has changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
        }
    },
    "required": ["notebooks"],
}
TICK_S = 0.03
# However much is written, browsers are told ten times a second.
PAUSE_S = 0.1
# Who looks asks each five seconds at least.
LEASE_S = 12.0


@dataclass(slots=True)
class _Watched:
    """A store that somebody looks at."""

    stamp: Any
    last: object = None
    told_at: float = 0.0
    is_news: bool = False
    until: dict[str, float] = field(default_factory=dict)


class StoreWatcher:
    """Looks at stores on each tick, off the event loop, and at none while nobody asks.

    Parameters
    ----------
    emit
        Told the notebooks whose store has changed, on the event loop.
    """

    def __init__(self, emit: Callable[[list[str]], object]) -> None:
        self._emit = emit
        self._watched: dict[Path, _Watched] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def is_watching(self) -> bool:
        """Whether any store is looked at."""
        return self._task is not None and not self._task.done()

    def prolong(self, store: Path, notebook: str) -> None:
        """Look at a store for a while longer; called on the event loop.

        Parameters
        ----------
        store
            The store's folder.
        notebook
            Whoever looks at this notebook is told.
        """
        if store not in self._watched:
            from mlops_nb.api import stamp_store

            self._watched[store] = _Watched(stamp_store(store))
        self._watched[store].until[notebook] = time.monotonic() + LEASE_S
        # Whatever ended it, who asks next has it begin again.
        if not self.is_watching:
            self._task = asyncio.get_running_loop().create_task(self._follow())

    def close(self) -> None:
        """Look no more."""
        self._watched.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _follow(self) -> None:
        while self._watched:
            for store, watched in list(self._watched.items()):
                await self._look(store, watched)
            await asyncio.sleep(TICK_S)

    async def _look(self, store: Path, watched: _Watched) -> None:
        stamp = await asyncio.to_thread(watched.stamp.read)
        now = time.monotonic()
        self._tell(watched, stamp, now)
        watched.until = {path: at for path, at in watched.until.items() if at > now}
        if not watched.until:
            self._watched.pop(store, None)

    def _tell(self, watched: _Watched, stamp: object, now: float) -> None:
        # At the first look nothing is known to have changed.
        watched.is_news |= watched.last is not None and stamp != watched.last
        watched.last = stamp
        if watched.is_news and now - watched.told_at >= PAUSE_S:
            watched.is_news, watched.told_at = False, now
            self._emit(sorted(watched.until))

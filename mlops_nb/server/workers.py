"""Threads of our own for whatever may wait for a disk: a store that hangs stops nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from mlops_nb.errors import StoreError

# Among the settings of the server's web application, where our handlers find them.
WORKERS = "mlops_nb_workers"
# Each thread keeps a connection to the index of each store that it has read.
_MOST = 8
# A browser gives up after 15 s, and asks again; of those whose thread waits on no more are let in.
_STUCK_S = 20.0
_MOST_STUCK = 2

T = TypeVar("T")


class Workers:
    """A few threads, of which no folder can take all: the event loop's own serve others as well."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_MOST, "mlops_nb-server")
        self._lock = threading.Lock()
        self._begun: dict[Path, list[float]] = {}

    async def run(self, work: Callable[[], T], place: Path) -> T:
        """Do what may take long, off the event loop.

        Parameters
        ----------
        work
            Takes nothing; left undone where the caller is cancelled before a thread was free.
        place
            The folder that it is about.

        Returns
        -------
        T
            What it returns.

        Raises
        ------
        StoreError
            Earlier work on the folder hangs.
        """
        self._refuse_stuck(place)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._call, work, place)

    def begin(self, work: Callable[[], object], place: Path) -> None:
        """Have something done that nobody waits for.

        Parameters
        ----------
        work
            Takes nothing; what is wrong is told to whoever asks for the same. Left undone where
            earlier work on the folder hangs.
        place
            The folder that it is about.
        """
        with contextlib.suppress(StoreError):
            self._refuse_stuck(place)
            self._pool.submit(self._call, work, place)

    def _refuse_stuck(self, place: Path) -> None:
        now = time.monotonic()
        with self._lock:
            stuck = [at for at in self._begun.get(place, ()) if now - at > _STUCK_S]
        if len(stuck) >= _MOST_STUCK:
            found = f"nothing has come from there for {now - min(stuck):.0f} s"
            raise StoreError(place, found, "Is the disk there, or the network that leads to it?")

    def _call(self, work: Callable[[], T], place: Path) -> T:
        began = time.monotonic()
        with self._lock:
            self._begun.setdefault(place, []).append(began)
        try:
            return work()
        finally:
            with self._lock:
                self._begun[place].remove(began)
                if not self._begun[place]:
                    del self._begun[place]

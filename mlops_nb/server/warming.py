"""Opens the store of a notebook that somebody opens, so that the first look at it is short."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

from mlops_nb.errors import MLOpsError
from mlops_nb.server.payload import locate_notebook
from mlops_nb.server.workers import Workers

# As Jupyter names it when a file is read, saved or moved.
CONTENTS_ID = "https://events.jupyter.org/jupyter_server/contents_service/v1"
# The page is still being loaded, and a kernel started: both before us.
DELAY_S = 1.0
# Saving reads a notebook too.
_PAUSE_S = 60.0
_MOST_FOLDERS = 100


def warm_store(start: Path) -> bool:
    """Load what lists runs, and bring the index up to date; nothing is made where no store is.

    Parameters
    ----------
    start
        Folder whose project's store is meant.

    Returns
    -------
    bool
        Whether there is a store.
    """
    from mlops_nb import api
    from mlops_nb.config import load_settings

    settings = load_settings(start)
    # A team's index may be far away: nobody has asked for it yet.
    if settings.index or not (settings.store / "runs").is_dir():
        return False
    api.list_runs(limit=1, start=start)
    api.watch_session("none", 0, 1, start=start)
    return True


class StoreWarmer:
    """Hears of notebooks that are read, and warms their stores a moment later.

    Parameters
    ----------
    root
        The folder that the server serves.
    workers
        Whose threads do it.
    """

    def __init__(self, root: Path, workers: Workers) -> None:
        self._root, self._workers = root, workers
        self._warmed: dict[Path, float] = {}

    async def hear(self, logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        """Take in one event of Jupyter's contents.

        Parameters
        ----------
        logger, schema_id
            As Jupyter gives them.
        data
            ``action`` and ``path``.
        """
        path = str(data.get("path", ""))
        if data.get("action") != "get" or not path.endswith(".ipynb"):
            return
        with contextlib.suppress(MLOpsError):
            self._plan(locate_notebook(self._root, path).parent)

    def _plan(self, start: Path) -> None:
        now = time.monotonic()
        if now - self._warmed.get(start, -_PAUSE_S) < _PAUSE_S:
            return
        while len(self._warmed) >= _MOST_FOLDERS:
            del self._warmed[next(iter(self._warmed))]
        self._warmed[start] = now
        # No task: a loop that ends meanwhile, with its server, drops this without a word.
        asyncio.get_running_loop().call_later(
            DELAY_S, self._workers.begin, lambda: warm_store(start), start
        )

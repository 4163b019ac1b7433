"""Finds the runs of a notebook that are under way, also those begun long before the newest."""

from __future__ import annotations

import time
from collections import OrderedDict
from pathlib import Path

from mlops_nb import api
from mlops_nb.errors import MLOpsError
from mlops_nb.records import RunRecord

# Of 100,000 runs the newest cost a millisecond, and a search for those that run forty.
_NEWEST = 50
_SEARCH_S = 30.0
_MOST_NOTEBOOKS = 64


class RunsUnderWay:
    """Remembers which older runs of each notebook had not ended when they were searched for."""

    def __init__(self) -> None:
        self._older: OrderedDict[tuple[Path, str | None], tuple[float, list[str]]] = OrderedDict()

    def find(self, notebook: str | None, start: Path, most: int) -> list[RunRecord]:
        """Give the runs under way, else the last run.

        Parameters
        ----------
        notebook
            Its path; None for all.
        start
            Folder whose project's store is read.
        most
            At most so many.

        Returns
        -------
        list of RunRecord
            Newest first.
        """
        newest = api.list_runs(limit=_NEWEST, notebook=notebook, start=start)
        running = [run for run in newest if run.status == "running"]
        if len(newest) == _NEWEST and len(running) < most:
            known = {run.run_id for run in newest}
            older = [each for each in self._list_older(notebook, start, most) if each not in known]
            running += self._read(older, start)
        return running[:most] or newest[:1]

    def _list_older(self, notebook: str | None, start: Path, most: int) -> list[str]:
        key, now = (start, notebook), time.monotonic()
        searched_at, found = self._older.get(key, (now - _SEARCH_S, []))
        if now - searched_at >= _SEARCH_S:
            filter_ = "attributes.status = 'running'"
            runs = api.list_runs(filter_, limit=most, notebook=notebook, start=start)
            found = [run.run_id for run in runs]
            self._older[key] = (now, found)
            self._older.move_to_end(key)
            while len(self._older) > _MOST_NOTEBOOKS:
                self._older.popitem(last=False)
        return found

    @staticmethod
    def _read(run_ids: list[str], start: Path) -> list[RunRecord]:
        found = []
        for run_id in run_ids:
            try:
                run = api.get_run(run_id, start=start)
            except MLOpsError:
                continue  # deleted since the search
            if run.status == "running":
                found.append(run)
        return found


UNDER_WAY = RunsUnderWay()

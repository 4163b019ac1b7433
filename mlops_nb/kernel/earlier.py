"""The runs that a card compares with: earlier ones of the same name, notebook and experiment."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlops_nb import api

if TYPE_CHECKING:
    from mlops_nb.records import RunRecord

MOST_RUNS = 200
_FRESH_S = 60.0  # other kernels may record runs of this notebook as well


class EarlierRuns:
    """Knows the latest runs of a notebook; asks the store once a minute at most.

    Notes
    -----
    Between two cards of one minute the only new runs are mostly those that cells of this kernel
    have just ended, and those are told.
    """

    def __init__(self) -> None:
        self._runs: dict[str, RunRecord] = {}
        self._notebook: str | None = None
        self._asked_at: float | None = None

    def add(self, records: Sequence[RunRecord]) -> None:
        """Take runs into account that a cell has recorded or added to."""
        for record in records:
            self._runs.pop(record.run_id, None)
            self._runs[record.run_id] = record
        while len(self._runs) > 2 * MOST_RUNS:
            del self._runs[next(iter(self._runs))]

    def find(self, fresh: Sequence[RunRecord]) -> dict[str, list[RunRecord]]:
        """Find the runs that new ones are compared with.

        Parameters
        ----------
        fresh
            New runs of one cell.

        Returns
        -------
        dict
            By name; without runs that failed or still go on.
        """
        first = fresh[0]
        self._ask(first.notebook)
        ids = {run.run_id for run in fresh}
        earlier: dict[str, list[RunRecord]] = {run.name: [] for run in fresh}
        for run in self._runs.values():
            is_same = run.notebook == first.notebook and run.experiment == first.experiment
            is_over = run.status not in {"failed", "running"} and run.run_id not in ids
            if is_same and is_over and run.name in earlier:
                earlier[run.name].append(run)
        return earlier

    def _ask(self, notebook: str | None) -> None:
        now = time.monotonic()
        is_known = self._asked_at is not None and now - self._asked_at < _FRESH_S
        if is_known and notebook == self._notebook:
            return
        found = api.list_runs(limit=MOST_RUNS, notebook=notebook)
        self._runs = {run.run_id: run for run in reversed(found)}
        self._notebook, self._asked_at = notebook, now

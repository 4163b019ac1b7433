"""A session with auto-logging armed, and cells run as a kernel runs them."""

from __future__ import annotations

import ast
import itertools
import linecache
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_nb import autolog
from mlops_nb.autolog import arming
from mlops_nb.config import load_settings
from mlops_nb.records import RunRecord
from mlops_nb.store import Store
from mlops_nb.tracking import Session, open_session
from tests.autolog.torchbook import FIRST_CELL

_numbers = itertools.count()


class Notebook:
    """Runs cells in one namespace, with their source where tracebacks and we look for it."""

    def __init__(self, session: Session, store: Store) -> None:
        self.session, self.store = session, store
        self.namespace: dict[str, Any] = {"__name__": "__main__", "In": [""]}

    def run(self, source: str) -> None:
        """Run one cell; its exception comes out after the cell has ended."""
        name = f"<cell {next(_numbers)}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        self.namespace["In"].append(source)
        index = self.session.begin_cell(source)
        code = compile(source, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        try:
            exec(code, self.namespace)
        except BaseException as error:
            interrupted = isinstance(error, KeyboardInterrupt)
            autolog.finish_cell(self.namespace)
            self.session.end_cell(index, "interrupted" if interrupted else "error", repr(error))
            raise
        autolog.finish_cell(self.namespace)
        self.session.end_cell(index)

    def runs(self) -> list[RunRecord]:
        """Read every run, oldest first, once the files of its cells are identified."""
        for armed in arming._armed:
            if armed.lineage is not None:
                armed.lineage.wait(60)
        return [self.store.read_run(run_id) for run_id in self.store.list_run_ids()]

    def names(self) -> list[str]:
        """Read the names of the runs."""
        return [run.name for run in self.runs()]

    def metrics(self) -> list[dict[str, float]]:
        """Read the metrics of each run, without times and what the machine was busy with."""
        return [
            {
                key: value
                for key, value in run.metrics.items()
                if key != "fit_time_s" and not key.startswith("system/")
            }
            for run in self.runs()
        ]


@pytest.fixture
def unarmed(store: Store, tmp_path: Path) -> Notebook:
    """Give a notebook whose session records cells only."""
    return Notebook(open_session(store, load_settings(tmp_path)), store)


@pytest.fixture
def notebook(unarmed: Notebook) -> Iterator[Notebook]:
    """Give a notebook with auto-logging armed and small data at hand."""
    autolog.arm(unarmed.session)
    try:
        unarmed.run(
            "import numpy as np\n"
            "import pandas as pd\n"
            "rng = np.random.default_rng(0)\n"
            "X = pd.DataFrame(rng.normal(size=(120, 3)), columns=list('abc'))\n"
            "y = pd.Series((X['a'] + 0.3 * rng.normal(size=120) > 0).astype(int), name='y')\n"
            "from sklearn.linear_model import LogisticRegression, Ridge\n"
            "from sklearn.tree import DecisionTreeClassifier\n"
            "from sklearn.metrics import accuracy_score, f1_score, mean_squared_error, roc_auc_score\n"
        )
        yield unarmed
    finally:
        autolog.disarm()


@pytest.fixture
def torchbook(unarmed: Notebook) -> Iterator[Notebook]:
    """Give a notebook with auto-logging armed, torch imported and small data at hand."""
    autolog.arm(unarmed.session)
    try:
        unarmed.run(FIRST_CELL)
        yield unarmed
    finally:
        autolog.disarm()

"""Importing one module records a script, a run of tests, or a shell, in a real process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import mlops_nb
from mlops_nb.store import Store, open_store

ROOT = Path(mlops_nb.__file__).parents[1]
TRAIN = (
    "import mlops_nb.autolog.on\n"
    "import pandas as pd\n"
    "from sklearn.linear_model import LogisticRegression\n"
    "from sklearn.metrics import accuracy_score\n"
    "data = pd.read_csv('train.csv')\n"
    "model = LogisticRegression(C=0.5).fit(data[['a']], data['y'])\n"
    "acc = accuracy_score(data['y'], model.predict(data[['a']]))\n"
)


def _run(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "train.csv").write_text("a,y\n1,0\n2,1\n3,0\n4,1\n")
    places = {"MLOPS_NB_STORE": str(folder / "store"), "MLOPS_NB_CACHE": str(folder / "cache")}
    known = {name: text for name, text in os.environ.items() if not name.startswith("MLOPS_NB_")}
    environment = {**known, **places, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def _open(folder: Path) -> Store:
    return open_store(folder / "store", cache=folder / "cache", create=False)


def test_a_script(tmp_path: Path) -> None:
    """A script's fit is a run with parameters, metric, file and the script; the rest is its own."""
    script = tmp_path / "train.py"
    script.write_text(TRAIN + "open('report.txt', 'w').close()\nprint('done')\n1 / 0\n")
    done = _run(tmp_path, "train.py")
    assert done.stdout == "done\n"
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert "mlops_nb" not in done.stderr
    store = _open(tmp_path)
    [run_id] = store.list_run_ids()
    run = store.read_run(run_id)
    assert (run.name, run.status, run.params["C"]) == ("LogisticRegression", "finished", 0.5)
    assert "acc" in run.metrics
    assert run.environment is not None
    files = [(data.role, data.name) for data in run.datasets if data.call]
    assert files == [("read", "train.csv"), ("written", "report.txt")]
    [cell] = run.cells
    assert (cell.source, cell.status) == (script.read_text(), "error")
    assert (cell.error or "").startswith("ZeroDivisionError")


FOLDS = """
from sklearn.model_selection import KFold
import numpy as np
X, y = np.arange(12.0).reshape(-1, 1), np.tile([0, 1], 6)
def validate(C):
    found = np.zeros(12)
    for train, rest in KFold(3).split(X):
        found[rest] = LogisticRegression(C=C).fit(X[train], y[train]).predict(X[rest])
    return accuracy_score(y, found)
for C in (1.0, 2.0):
    all_folds = validate(C)
"""


def test_a_score_of_all_folds_of_a_script(tmp_path: Path) -> None:
    """What several fits have predicted together has a run of its own, as in a notebook."""
    (tmp_path / "train.py").write_text(TRAIN + FOLDS)
    done = _run(tmp_path, "train.py")
    assert (done.returncode, done.stderr) == (0, "")
    store = _open(tmp_path)
    runs = [store.read_run(run_id) for run_id in store.list_run_ids()]
    pooled = [run for run in runs if "all_folds" in run.metrics]
    assert [(run.name, run.params["C"], run.status) for run in pooled] == [
        ("LogisticRegression, 3 fits", 1.0, "finished"),
        ("LogisticRegression, 3 fits", 2.0, "finished"),
    ]
    fits = [run.run_id for run in runs if run.params["C"] == pooled[1].params["C"]]
    assert pooled[1].tags["fits"] == ", ".join(fits[:-1])


def test_a_run_of_tests(tmp_path: Path) -> None:
    """Imported by a test module, what the tests fit is recorded, and the tests pass as before."""
    lines = TRAIN.splitlines(keepends=True)
    body = "".join(f"    {line}" for line in lines[4:])
    (tmp_path / "test_it.py").write_text("".join(lines[:4]) + "def test_it():\n" + body)
    done = _run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py")
    assert done.returncode == 0, done.stdout
    store = _open(tmp_path)
    [run_id] = store.list_run_ids()
    run = store.read_run(run_id)
    assert [data.name for data in run.datasets if data.call] == ["train.csv"]


def test_disabled(tmp_path: Path) -> None:
    """Where recording is disabled the import does nothing at all."""
    (tmp_path / "train.py").write_text(TRAIN)
    done = _run(tmp_path, "train.py", MLOPS_NB_DISABLED="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "store").exists()


def test_a_store_that_cannot_be_used(tmp_path: Path) -> None:
    """A script whose store is in the way of a file works, and is told so in one line."""
    (tmp_path / "store").write_text("a file")
    (tmp_path / "train.py").write_text("import mlops_nb.autolog.on\nprint('done')\n")
    done = _run(tmp_path, "train.py")
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert done.stderr.startswith("mlops_nb: nothing is recorded: ")
    assert done.stderr.count("\n") == 1

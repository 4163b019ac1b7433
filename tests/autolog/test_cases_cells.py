"""Cases 4, 8, 16, 18 and 20 of the harm suite: stores that vanish, cells that fail, kernels that die."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_nb.autolog.upstream import Upstream
from mlops_nb.store import open_store
from mlops_nb.store.writer import describe_writer, is_writer_alive
from tests.autolog.conftest import Notebook

ROOT = Path(__file__).parents[2]


def _remove(folder: Path) -> None:
    """Delete a folder into which a thread of ours may be writing."""
    for _ in range(50):
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
            return
    shutil.rmtree(folder)


def test_a_store_that_is_deleted_meanwhile(
    notebook: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    """Case 4: results stay right where the store goes away while its logs are open."""
    notebook.run("model = Ridge().fit(X, y)")
    _remove(notebook.store.root)
    notebook.run("model = Ridge(alpha=2.0).fit(X, y); r2 = model.score(X, y)")
    notebook.run("model = Ridge(alpha=3.0).fit(X, y)")
    assert notebook.namespace["r2"] > 0
    assert "Traceback" not in capsys.readouterr().err
    assert [run.params["alpha"] for run in notebook.runs()] == [2.0, 3.0]


def test_a_store_that_becomes_a_file(
    notebook: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    """Case 4: where runs cannot be made any more, each says so in one line, and cells go on."""
    _remove(notebook.store.root)
    notebook.store.root.write_text("in the way")
    notebook.run("model = Ridge().fit(X, y); r2 = model.score(X, y)")
    assert notebook.namespace["r2"] > 0
    assert capsys.readouterr().err.count("no longer recorded") == 1


def test_what_a_failed_cell_binds_is_not_sure() -> None:
    """Case 8: a name of a failed cell may as well come from the cell before it."""
    upstream = Upstream(lambda index: index == 1)
    for index, source in enumerate(["x = 0", "x = 1\n1 / 0", "y = x"]):
        upstream.add(index, source)
    assert upstream.find(2) == [0, 1]


KILLED = """
import os, signal, sys
from pathlib import Path
from mlops_nb import autolog
from mlops_nb.config import load_settings
from mlops_nb.store import deferred, open_store
from mlops_nb.tracking import open_session
deferred._DELAY_S = 3600.0
root = Path(sys.argv[1])
session = open_session(open_store(root / "s", cache=root / "c"), load_settings(root))
autolog.arm(session)
import numpy as np
from sklearn.linear_model import Ridge
X, y = np.array([[0.0], [1.0]]), np.array([0.0, 1.0])
cell = session.begin_cell("first")
Ridge(alpha=1.0).fit(X, y).score(X, y)
autolog.finish_cell({})
session.end_cell(cell)
session.begin_cell("second")
Ridge(alpha=2.0).fit(X, y)
class Deadly(Ridge):
    def _set_intercept(self, *_):
        os.kill(os.getpid(), signal.SIGKILL)
Deadly(alpha=3.0).fit(X, y)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals of POSIX")
def test_a_kernel_killed_within_a_fit(tmp_path: Path) -> None:
    """Case 16: what ran before is whole, and what was running in the killed cell is interrupted."""
    command = [sys.executable, "-W", "ignore", "-c", KILLED, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    found = sorted(
        open_store(tmp_path / "s", cache=tmp_path / "c").search(), key=lambda run: run.run_id
    )
    assert [(run.params["alpha"], run.status) for run in found] == [
        (1.0, "finished"),
        (2.0, "interrupted"),
        (3.0, "interrupted"),
    ]
    assert found[0].metrics["fit_time_s"] > 0
    assert len(found[0].datasets) == 2
    assert found[2].tags["estimator"] == "Deadly"


def test_a_number_that_is_used_again() -> None:
    """Case 18: a process with the number of a dead one is not that one."""
    here = describe_writer()
    if here["start_time"] is None:
        pytest.skip("this system does not tell when a process began")
    assert is_writer_alive(here) is True
    assert is_writer_alive({**here, "start_time": here["start_time"] - 1}) is False
    assert is_writer_alive({**here, "boot_id": "another"}) is False


BESIDE = """
import sys
from pathlib import Path
from mlops_nb.config import load_settings
from mlops_nb.store import open_store
from mlops_nb.tracking import open_session
root = Path(sys.argv[1])
session = open_session(open_store(root / "s", cache=root / "c"), load_settings(root), "same.ipynb")
print(flush=True)
input()
for number in range(20):
    cell = session.begin_cell(f"cell {number}")
    run = session.start_run(f"{sys.argv[2]} {number}", is_active=False, is_deferred=True)
    run.log_metric("x", number)
    run.note()
    session.adopt(run)
    session.end_cell(cell)
    assert session.store.read_run(run.run_id).metrics == {"x": number}
"""


def test_one_notebook_in_two_kernels(tmp_path: Path) -> None:
    """Case 20: each kernel has a session and runs of its own, and neither waits for the other."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", BESIDE, str(tmp_path), name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"MLOPS_NB_RESOURCES": "0"},
        )
        for name in ("one", "two")
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    errors = [process.communicate("\n", timeout=240)[1] for process in processes]
    assert errors == ["", ""]
    store = open_store(tmp_path / "s", cache=tmp_path / "c")
    found = store.search(limit=100)
    assert len(found) == 40
    assert len({run.session_id for run in found}) == 2
    assert {run.status for run in found} == {"finished"}

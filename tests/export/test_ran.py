"""The code of a run as a script: as it ran, and able to run again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_nb import api
from mlops_nb.config import load_settings
from mlops_nb.errors import ExportError, NotFoundError
from mlops_nb.notebook.document import new_code_cell, new_notebook, write_notebook
from mlops_nb.store import Store
from mlops_nb.tracking import start_run
from tests.api.kernels import PlayedKernel

RUN = "import mlops_nb\nwith mlops_nb.start_run('it'):\n    mlops_nb.log_metric('total', total)"


def run_script(path: Path) -> dict[str, Any]:
    """Run a script in another process; give its numbers."""
    code = f"import runpy, json; n = runpy.run_path({str(path)!r}); print(json.dumps(n['total']))"
    environment = {"MLOPS_NB_DISABLED": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        cwd=path.parent,
        check=True,
    )
    return {"total": float(done.stdout.splitlines()[-1])}


def test_code_is_what_ran_and_not_what_the_file_says(tmp_path: Path) -> None:
    """Cells that ran twice stand there twice, later ones do not, and the script gives the metric."""
    kernel = PlayedKernel(write_notebook(new_notebook([]), tmp_path / "nb.ipynb"))
    kernel.execute("total = 1")
    kernel.execute("total = total * 3")
    kernel.execute("total = total * 3")
    [run_id] = kernel.execute(RUN)
    kernel.execute("total = 0")
    path = api.export_run(run_id, tmp_path / "it.py")
    text = path.read_text(encoding="utf-8")
    assert text.count("total = total * 3") == 2
    assert f"The code of run {run_id} as it ran at " in text
    assert run_script(path)["total"] == api.get_run(run_id).metrics["total"] == 9


def test_cells_that_failed_are_left_out_where_nothing_uses_them(tmp_path: Path) -> None:
    """A slip that was put right leaves no trace but a line at the head."""
    kernel = PlayedKernel()
    kernel.execute("total = 1\nprint(undefined)")
    kernel.execute("total = 2")
    [run_id] = kernel.execute(RUN)
    path = api.export_run(run_id, tmp_path / "it.py")
    assert "undefined" not in path.read_text(encoding="utf-8")
    assert "Left out, as they failed: executions 0." in path.read_text(encoding="utf-8")
    assert run_script(path)["total"] == 2


def test_what_a_failed_cell_left_behind_is_refused(tmp_path: Path) -> None:
    """Where a later cell uses what a failed one had bound, no script is written."""
    kernel = PlayedKernel()
    kernel.execute("total = 1\nprint(undefined)")
    [run_id] = kernel.execute(RUN)
    with pytest.raises(ExportError, match="execution 1 uses 'total'"):
        api.export_run(run_id, tmp_path / "it.py")
    assert not (tmp_path / "it.py").exists()


def test_failed_run_keeps_the_cell_that_failed() -> None:
    """The last cell is what the run is about, however it ended."""
    kernel = PlayedKernel()
    kernel.execute("total = 1")
    [run_id] = kernel.execute(RUN + "\nraise ValueError(total)")
    assert "raise ValueError(total)" in api.read_run_script(run_id)[1]


def test_script_comes_back_as_it_was(tmp_path: Path) -> None:
    """The code of a run of a script is that script, to the last letter."""
    source = "#!/usr/bin/env python\ntotal = 2\n" + RUN + "\n"
    script = tmp_path / "train.py"
    script.write_text(source, encoding="utf-8")
    [run_id] = PlayedKernel(script).execute(source)
    script.unlink()
    assert api.read_run_script(run_id)[1] == source


def test_pipeline_gives_its_notebook_with_the_values_of_the_run(tmp_path: Path) -> None:
    """Also of a step's run; the parameters become options, with what the run was given."""
    cells = [
        new_code_cell("rate = 1", ["parameters"]),
        new_code_cell("first = rate * 2", ["step:one"]),
        new_code_cell(
            "import mlops_nb\nmlops_nb.log_metric('total', first)\ntotal = first", ["step:two"]
        ),
    ]
    notebook = write_notebook(new_notebook(cells), tmp_path / "nb.ipynb")
    result = api.run_pipeline(notebook, {"rate": 5})
    notebook.unlink()
    [child] = api.list_runs(f"parent_run_id = '{result.run_id}'")
    for run_id in (result.run_id, child.run_id):
        path = api.export_run(run_id, tmp_path / f"{run_id}.py")
        assert "default=5" in path.read_text(encoding="utf-8")
    assert run_script(path)["total"] == 10


def test_runs_without_code_say_so(store: Store) -> None:
    """What was logged outside of any cell has no code, which is told with what would have it."""
    run = start_run(store, load_settings(), "bare", is_active=False)
    run.end()
    with pytest.raises(NotFoundError, match=r"bare(.|\n)*mlops_nb\.autolog\.on"):
        api.read_run_script(run.run_id)

"""The papermill engine tells what happened, to papermill and to the kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_nb.notebook.document import new_code_cell, new_notebook, write_notebook

# The command of papermill itself, with the engine as an installed package would register it.
_PAPERMILL = """
import sys
from mlops_nb.pipeline.engine import register_engine
from papermill.cli import papermill
register_engine()
papermill(sys.argv[1:])
"""


def run_papermill(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run papermill's command line with our engine."""
    command = [sys.executable, "-c", _PAPERMILL, *map(str, arguments)]
    command += ["--engine", "mlops", "--no-progress-bar"]
    environment_root = str(Path(__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": environment_root}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def write(path: Path, *cells: tuple[str, ...]) -> Path:
    """Write a notebook of code cells."""
    built = [new_code_cell(s, tags, cell_id=f"cell-{n}") for n, (s, *tags) in enumerate(cells)]
    return write_notebook(new_notebook(built), path)


def read_cells(path: Path) -> list[tuple[str, str]]:
    """Give papermill's status and the printed text of each code cell."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [
        (
            c["metadata"]["papermill"]["status"],
            "".join("".join(o.get("text", "")) for o in c["outputs"]),
        )
        for c in cells
        if c["cell_type"] == "code"
    ]


def test_papermill_command(tmp_path: Path) -> None:
    """Papermill's own command runs a notebook with our engine, parameters included."""
    path = write(
        tmp_path / "in.ipynb",
        ("n = 1", "parameters"),
        (
            "parent = get_ipython().kernel.get_parent()['metadata']\nprint(n, parent['cellId'], parent['tags'])",
            "step:a",
        ),
    )
    done = run_papermill(path, tmp_path / "out.ipynb", "-p", "n", "7")
    assert done.returncode == 0, done.stderr
    assert read_cells(tmp_path / "out.ipynb")[-1] == ("completed", "7 cell-1 ['step:a']\n")


@pytest.mark.parametrize("source", ["import os; os._exit(3)", "1 / 0"])
def test_papermill_command_that_fails(source: str, tmp_path: Path) -> None:
    """A dead kernel or an error fails the command; cells that did not run stay pending."""
    path = write(tmp_path / "in.ipynb", ("print(1, flush=True)",), (source,), ("print(2)",))
    done = run_papermill(path, tmp_path / "out.ipynb")
    assert done.returncode != 0
    assert [status for status, _ in read_cells(tmp_path / "out.ipynb")] == [
        "completed",
        "failed",
        "pending",
    ]


def test_saving_stays_linear(tmp_path: Path) -> None:
    """A notebook of many cells with large outputs is not written again for each of them."""
    import nbformat
    from papermill import execute_notebook

    from mlops_nb.pipeline import engine

    writes = []

    class Counting(engine.StepManager):
        def save_now(self) -> None:
            writes.append(1)
            super().save_now()

    before, engine.StepManager = engine.StepManager, Counting  # type: ignore[misc]
    try:
        cells = [new_code_cell("print('x' * 100_000)") for _ in range(40)]
        node = nbformat.from_dict(new_notebook(cells))
        name = engine.register_engine()
        target = str(tmp_path / "o.ipynb")
        execute_notebook(node, None, engine_name=name, progress_bar=False, save_path=target)
    finally:
        engine.StepManager = before  # type: ignore[misc]
    assert len(writes) <= 6
    assert len(read_cells(tmp_path / "o.ipynb")) == 40

"""The papermill engine tells what happened, to papermill and to the kernel."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_nb.notebook.document import new_code_cell, new_notebook, write_notebook
from mlops_nb.store import Store
from tests.pipeline.cells import is_running, wait_until

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


def test_saving_stays_linear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook of many cells with large outputs is not written again for each of them."""
    import nbformat
    from papermill import execute_notebook

    from mlops_nb.pipeline.engine import register_engine
    from mlops_nb.pipeline.engine_manager import StepManager

    writes = []
    original = StepManager.save_now

    def count(manager: StepManager) -> None:
        writes.append(1)
        original(manager)

    monkeypatch.setattr(StepManager, "save_now", count)
    cells = [new_code_cell("print('x' * 100_000)") for _ in range(40)]
    node = nbformat.from_dict(new_notebook(cells))
    target = str(tmp_path / "o.ipynb")
    name = register_engine()
    execute_notebook(node, None, engine_name=name, progress_bar=False, save_path=target)
    assert len(writes) <= 6
    assert len(read_cells(tmp_path / "o.ipynb")) == 40


def run_api(path: Path, target: Path, **options: object) -> str:
    """Run papermill's function with our engine; give the name of what it raises."""
    from papermill import execute_notebook

    from mlops_nb.pipeline.engine import register_engine

    try:
        execute_notebook(
            str(path), str(target), engine_name=register_engine(), progress_bar=False, **options
        )
    except Exception as error:  # noqa: BLE001
        return f"{type(error).__name__}: {error}"
    return ""


def test_expected_errors_do_not_fail_papermill(tmp_path: Path) -> None:
    """A cell tagged raises-exception may raise; its error stays in the notebook and the run goes on."""
    cells = (("1 / 0", "raises-exception"), ("print(2)",))
    path = write(tmp_path / "in.ipynb", *cells)
    done = run_papermill(path, tmp_path / "out.ipynb")
    assert done.returncode == 0, done.stderr
    assert read_cells(tmp_path / "out.ipynb") == [("completed", ""), ("completed", "2\n")]
    outputs = json.loads((tmp_path / "out.ipynb").read_text())["cells"][0]["outputs"]
    assert [output.get("ename") for output in outputs] == ["ZeroDivisionError"]
    assert "ZeroDivisionError" in run_api(
        write(tmp_path / "b.ipynb", ("1 / 0",)), tmp_path / "c.ipynb"
    )


def test_other_engines_are_judged_as_before(tmp_path: Path) -> None:
    """A notebook that another engine runs fails by papermill's own rules."""
    from papermill import PapermillExecutionError, execute_notebook

    import mlops_nb.pipeline.engine  # noqa: F401

    path = write(tmp_path / "in.ipynb", ("1 / 0", "raises-exception"))
    with pytest.raises(PapermillExecutionError):
        execute_notebook(
            str(path), str(tmp_path / "o.ipynb"), engine_name="nbclient", progress_bar=False
        )


def test_time_out_of_a_cell(tmp_path: Path) -> None:
    """The cell that took too long is failed and says so; the others stay pending."""
    path = write(
        tmp_path / "in.ipynb", ("print(1)",), ("import time; time.sleep(60)",), ("print(3)",)
    )
    raised = run_api(path, tmp_path / "o.ipynb", execution_timeout=4)
    assert "CellTimeoutError" in raised
    assert [status for status, _ in read_cells(tmp_path / "o.ipynb")] == [
        "completed",
        "failed",
        "pending",
    ]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import os; os._exit(3)", "ended with code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "out of memory"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
    ],
)
def test_death_of_a_kernel(source: str, told: str, tmp_path: Path) -> None:
    """The cell in which the kernel died says how."""
    path = write(tmp_path / "in.ipynb", (source,), ("print(2)",))
    assert told in run_api(path, tmp_path / "o.ipynb")
    assert [status for status, _ in read_cells(tmp_path / "o.ipynb")] == ["failed", "pending"]


def test_input_fails_at_once(tmp_path: Path) -> None:
    """A cell that asks for input fails instead of waiting for somebody."""
    from mlops_nb.pipeline.outcome import StepOutcome

    outcome = StepOutcome()
    path = write(tmp_path / "in.ipynb", ("input('name? ')",))
    assert "Stdin" in run_api(path, tmp_path / "o.ipynb", outcome=outcome)
    assert "make the value a parameter" in outcome.error


def test_papermill_logs_a_run(tmp_path: Path, store: Store) -> None:
    """A run with parameters, status and the executed notebook stands in the store."""
    cells = (("n = 1", "parameters"), ("import mlops_nb\nmlops_nb.start_run('inner').end()",))
    path = write(tmp_path / "story.ipynb", *cells)
    assert run_api(path, tmp_path / "out.ipynb", parameters={"n": 5}) == ""
    assert "Zero" in run_api(write(tmp_path / "bad.ipynb", ("1 / 0",)), tmp_path / "no.ipynb")
    runs = {run.name: run for run in store.search("", [], 10)}
    assert runs["story"].status == "finished"
    assert runs["story"].params == {"n": 5}
    assert runs["bad"].status == "failed"
    assert runs["inner"].parent_run_id == runs["story"].run_id
    whole = store.read_run(runs["story"].run_id)
    assert [artifact.path for artifact in whole.artifacts] == ["out.ipynb"]


def test_notebook_without_kernelspec(tmp_path: Path) -> None:
    """A notebook that names no kernel, or a Python kernel that is not here, runs with this one."""
    source = "import sys; print(sys.executable)"
    for name, spec in (("none", None), ("gone", {"name": "conda-x", "language": "python"})):
        document = new_notebook([new_code_cell(source)])
        document["metadata"] = {"kernelspec": spec | {"display_name": "x"}} if spec else {}
        write_notebook(document, tmp_path / f"{name}.ipynb")
        assert run_api(tmp_path / f"{name}.ipynb", tmp_path / "o.ipynb") == ""
        assert read_cells(tmp_path / "o.ipynb")[0][1].strip() == sys.executable


def test_kernel_that_is_not_there(tmp_path: Path) -> None:
    """A kernel asked for by name must exist."""
    path = write(tmp_path / "in.ipynb", ("1",))
    assert "no-such-kernel" in run_api(path, tmp_path / "o.ipynb", kernel_name="no-such-kernel")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_papermill_is_stopped(number: int, tmp_path: Path) -> None:
    """The running cell is failed, the rest pending, and the kernel is gone with what it started."""
    background = "import os, subprocess, time\nchild = subprocess.Popen(['sleep', '600'])\n"
    wait = "print(os.getpid(), child.pid, file=open('pids.part', 'w'), flush=True)\nos.rename('pids.part', 'pids')\ntime.sleep(600)"
    path = write(tmp_path / "in.ipynb", (background + wait,), ("print(2)",))
    command = [sys.executable, "-c", _PAPERMILL, str(path), "o.ipynb", "--engine", "mlops"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as process:
        assert wait_until((tmp_path / "pids").exists)
        process.send_signal(number)
        assert process.wait() != 0
    pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
    assert wait_until(lambda: not any(is_running(pid) for pid in pids))
    assert [status for status, _ in read_cells(tmp_path / "o.ipynb")] == ["failed", "pending"]

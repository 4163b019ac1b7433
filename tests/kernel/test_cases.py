"""Cases 6, 12, 13, 15, 17, 22 and 62 of the harm suite: cells that are not plain, in a kernel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from mlops_nb import api
from mlops_nb.records import CellRecord
from tests.kernel.test_kernel import client as client  # a fixture
from tests.kernel.test_kernel import run_cell

Run = Callable[..., Any]
Read = Callable[[], list[CellRecord]]


def test_a_cell_of_comments_is_a_cell(loaded: Run, read_cells: Read) -> None:
    """Case 6: a cell with a comment only is recorded as what it is."""
    loaded("# nothing to do")
    assert [(cell.source, cell.status) for cell in read_cells()][2:] == [("# nothing to do", "ok")]


def test_a_notebook_run_in_a_cell(loaded: Run, read_cells: Read, tmp_path: Path) -> None:
    """Case 12: ``%run`` of a notebook keeps the time and the end of the cell that asked."""
    cells = [nbformat.v4.new_code_cell(source) for source in ("inner = 1", "deeper = inner + 1")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "other.ipynb")
    loaded("%run other.ipynb\nafter = deeper + 1")
    loaded("seen = after")
    found = [(cell.source, cell.status) for cell in read_cells()][2:]
    assert ("%run other.ipynb\nafter = deeper + 1", "ok") in found
    assert found[-1] == ("seen = after", "ok")


def test_tasks_and_figures_in_a_kernel(client: Any) -> None:
    """Cases 13 and 62: a task logs to its own run, and every figure that is shown is kept once."""
    run_cell(client, "%load_ext mlops_nb\n%matplotlib inline")
    run_cell(
        client,
        "import asyncio, threading, mlops_nb as mlops, matplotlib.pyplot as plt\n"
        "from matplotlib.figure import Figure",
    )
    run_cell(
        client,
        "async def later():\n"
        "    with mlops.start_run('behind'):\n"
        "        await started.wait()\n"
        "        mlops.log_metric('of_task', 1.0)\n"
        "started = asyncio.Event()\n"
        "task = asyncio.create_task(later())\n"
        "await asyncio.sleep(0)",
    )
    run_cell(
        client,
        "with mlops.start_run('front'):\n"
        "    started.set()\n"
        "    mlops.log_metric('of_cell', 2.0)\n"
        "    await task",
    )
    assert api.get_run("behind").metrics == {"of_task": 1.0}
    assert api.get_run("front").metrics == {"of_cell": 2.0}
    run_cell(
        client,
        "with mlops.start_run('figures'): pass\n"
        "plt.plot([1, 2]); plt.show(); plt.show()\n"  # once
        "plt.plot([2, 1]); plt.close()\n"  # never shown
        "Figure().add_subplot()\n"  # never shown
        "def draw(): plt.figure().add_subplot().plot([3, 3, 1])\n"
        "thread = threading.Thread(target=draw); thread.start(); thread.join()",  # at the end
    )
    kept = [item.path for item in api.get_run("figures").artifacts if item.path.endswith(".png")]
    assert len(kept) == 2


def test_cells_behind_an_error_and_a_restart(client: Any) -> None:
    """Cases 15 and 17: a cell that was queued behind an error is none, and a restart ends runs."""
    from nbclient.util import run_sync

    run_cell(client, "%load_ext mlops_nb\nimport time, mlops_nb as mlops")
    cells = [
        nbformat.v4.new_code_cell(source, metadata={"tags": []})
        for source in ("time.sleep(1)\n1 / 0", "never = 1")
    ]
    client.nb.cells += cells

    async def queue_both() -> list[str]:
        sent = [client.kc.execute(cell.source, stop_on_error=True) for cell in cells]
        ends: dict[str, str] = {}
        while len(ends) < len(sent):
            reply = await client.kc.get_shell_msg(timeout=240)
            ends[reply["parent_header"]["msg_id"]] = reply["content"]["status"]
        return [ends[each] for each in sent]

    assert run_sync(queue_both)() == ["error", "aborted"]
    run_cell(client, "run = mlops.start_run('open'); mlops.log_metric('loss', 0.5)")
    sources = [cell.source for cell in api.get_run("open").cells]
    assert sources[1:] == ["time.sleep(1)\n1 / 0", client.nb.cells[-1].source]
    assert api.get_run("open").status == "running"
    run_sync(client.km.restart_kernel)()
    found = api.get_run("open")
    assert (found.status, found.metrics) == ("finished", {"loss": 0.5})


@pytest.mark.parametrize("source", ["%%time\nx = 1", "%%capture out\nprint(1)", "!echo hello"])
def test_magics_are_recorded_as_written(loaded: Run, read_cells: Read, source: str) -> None:
    """Case 22: what IPython alone understands is kept as the user wrote it, with its end."""
    loaded(source)
    assert [(cell.source, cell.status) for cell in read_cells()][2:] == [(source, "ok")]

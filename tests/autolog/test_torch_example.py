"""The example notebook for torch has no logging call, and its run answers what one asks of a run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

import mlops_nb
from mlops_nb.store import open_store

ROOT = Path(mlops_nb.__file__).parents[1]
NAME = "torch_digits.ipynb"


def run_example(name: str, folder: Path) -> Any:
    """Run a notebook of the examples in a kernel of its own, in a folder."""
    shutil.copy(ROOT / "example_notebooks" / name, folder / name)
    node = nbformat.read(folder / name, as_version=4)
    client = NotebookClient(
        node, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    # Threads that wait for one another take minutes where the processors are busy.
    own = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "OMP_NUM_THREADS": "1"}
    client.execute(env={**os.environ, **own})
    return node


def test_example_notebook(tmp_path: Path) -> None:
    """What was trained, on what, how, how good, how long, and from which code: all is there."""
    node = run_example(NAME, tmp_path)
    sources = [cell.source for cell in node.cells if cell.cell_type == "code"]
    assert not any("mlops" in source for source in sources[1:-1])
    store = open_store(tmp_path / "store", cache=tmp_path / "cache")
    (run_id,) = store.list_run_ids()
    run = store.read_run(run_id)
    assert (run.name, run.status) == ("Sequential", "finished")
    params = ("optimizer", "optimizer.lr", "optimizer.scheduler", "epochs", "batch_size")
    assert [run.params[key] for key in params] == ["Adam", 0.005, "CosineAnnealingLR", 12, 64]
    shapes = [data.shape for data in run.datasets if data.role == "train"]
    assert shapes == [(1347, 64), (1347,)]
    series = {key: store.read_metric_history(run_id, key) for key in ("loss", "val_acc", "lr")}
    assert [len(series[key]) for key in series] == [12 * 22, 12, 12]
    assert run.metrics["val_acc"] > 0.9
    assert 0.9 < run.metrics["macro_f1"] < 1
    assert 0.5 < run.metrics["worst_recall"] <= 1
    assert run.metrics["best_epoch"] >= 0
    assert run.metrics["train_time_s"] > 0
    assert "epoch 11, step 264" in run.tags["checkpoint.digits.pt"]
    kept = {each.path for each in run.artifacts if not each.path.startswith("cell-")}
    assert kept == {"model.txt", "checkpoints/digits.pt"}
    assert [cell.source for cell in run.cells if cell.source == sources[5]] == [sources[5]]
    assert "run Sequential" in node.cells[6].outputs[-1]["data"]["text/plain"]

"""The page of a run answers what one asks of it, for the runs of every example notebook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from threadpoolctl import threadpool_limits

from mlops_nb import autolog
from mlops_nb.api.places import make_session
from tests.autolog.conftest import Notebook
from tests.server.conftest import Ask

EXAMPLES = Path(__file__).resolve().parents[2] / "example_notebooks"
# A parameter that is changed, the run it belongs to, and what stands for the answers there.
NOTEBOOKS = {
    "01_first_model": ("C = 0.5", "C = 0.05", "LogisticRegression", "logisticregression__C", "roc_auc", 2),
    "torch_digits": (
        "learning_rate = 0.005", "learning_rate = 0.02", "Sequential", "optimizer.lr", "val_acc", 2,
    ),
    "xgboost_tumours": (
        "max_depth = 3", "max_depth = 4", "XGBClassifier", "max_depth", "test_auc", 4,
    ),
}  # fmt: skip


@pytest.fixture
def notebook(jp_root_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    """Give a notebook that is recorded by itself, in the folder that the server shows."""
    monkeypatch.chdir(jp_root_dir)
    session = make_session(str(jp_root_dir / "nb.ipynb"))
    assert session.store is not None
    autolog.arm(session)
    import torch  # noqa: F401 - its threads are limited too, once it is there

    try:
        with threadpool_limits(1):  # threads that wait for one another take minutes
            yield Notebook(session, session.store)
    finally:
        autolog.disarm()
        session.close()


def play(notebook: Notebook, name: str, *change: str) -> None:
    """Execute an example; what asks the extension itself is left out."""
    for cell in nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4).cells:
        source = cell.source.replace(*change) if change else cell.source
        source = source.replace("n_epochs = 12", "n_epochs = 3").replace(
            "n_trees = 100", "n_trees = 9"
        )
        if cell.cell_type == "code" and not source.startswith("%"):
            assert "mlops" not in source
            notebook.run(source)


@pytest.mark.parametrize("name", NOTEBOOKS)
async def test_seven_questions(ask: Ask, notebook: Notebook, name: str) -> None:
    """What was trained, on what, how, how good, how long, by which code, what changed."""
    old, new, model, param, metric, sets = NOTEBOOKS[name]
    play(notebook, name)
    play(notebook, name, old, new)
    _, listed = await ask("runs", notebook="nb.ipynb")
    runs = [run for run in listed["runs"] if run["name"] == model]
    assert len(runs) == 2
    run_id = runs[0]["run_id"]
    _, run = await ask("runs", run_id)
    assert (run["name"], run["status"]) == (model, "finished")
    assert run["tags"]["library"]
    assert len([data for data in run["datasets"] if data["fingerprint"]]) >= sets
    assert run["params"][param] == float(new.split(" = ")[1])
    assert 0.8 < run["metrics"][metric] <= 1
    assert run["duration_s"] > 0
    _, code = await ask("runs", run_id, "cells")
    sources = [cell["source"] for cell in code["cells"]]
    assert any(new in source for source in sources)
    assert any("fit(" in source or "backward(" in source for source in sources)
    _, found = await ask("compare", run=run_id)
    assert [each["run_id"] for each in found["runs"]] == [runs[1]["run_id"], run_id]
    changed = {(row["group"], row["key"]): row["values"] for row in found["rows"] if row["differs"]}
    assert changed["param", param] == [float(part.split(" = ")[1]) for part in (old, new)]
    assert any(
        group == "code" and str(values[1]).startswith(new) for (group, _), values in changed.items()
    )

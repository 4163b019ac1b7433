"""Executed step notebooks run again by themselves, in kernels that nobody has prepared."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

from mlops_nb.config import load_settings
from mlops_nb.notebook.document import new_code_cell, new_notebook, write_notebook
from mlops_nb.pipeline import run, standalone
from mlops_nb.pipeline.sealing import read_key
from mlops_nb.records import PipelineResult
from mlops_nb.store import Store
from tests.pipeline.conftest import ROOT

CELLS = (
    ("import random, os\nimport numpy as np", ["imports"]),
    ("size: int = 3", ["parameters"]),
    (
        "np.random.seed(size); draws = np.random.rand(size); log = []; state = {'log': log}\n"
        "text = open('data.txt').read()\nclass Model:\n    total = 0",
        ["step:make"],
    ),
    ("model = Model(); model.total = draws.sum(); log.append(1); first = np.random.rand()\n7", ["step:fit"]),
    (
        "print(model.total, first, np.random.rand(), state['log'] is log, log, size, text)\n"
        "print(os.path.basename(os.getcwd()), open('data.txt').read(), Out[4], Model)",
        ["step:show"],
    ),
)  # fmt: skip


@pytest.fixture
def done(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> PipelineResult:
    """Run a pipeline whose notebook lies in another folder than its executed steps."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "data.txt").write_text("seven")
    built = [new_code_cell(source, tags) for source, tags in CELLS]
    path = write_notebook(new_notebook(built), tmp_path / "work" / "nb.ipynb")
    return execute(path, store)


def execute(path: Path, store: Store, **options: Any) -> PipelineResult:
    """Run a pipeline."""
    out, settings = path.parent.parent / "out", load_settings(path.parent)
    return run(path, out_dir=out, store=store, settings=settings, **options)


def read_shown(path: Path) -> list[str]:
    """Give what the notebook's own cells of an executed step have shown."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [
        "".join(output.get("text", "")) + "".join(output.get("data", {}).get("text/plain", ""))
        for cell in cells
        if cell["metadata"].get("mlops", {}).get("kind") == "cell"
        for output in cell.get("outputs", ())
    ]


def snapshot(folder: Path) -> dict[str, bytes]:
    """Read every file that a run keeps."""
    return {str(p): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_plain_papermill_gives_each_step_again(done: PipelineResult, store: Store) -> None:
    """From the folder of the executed steps, each gives what it gave, and the cache stays."""
    assert done.status == "finished", [step.error for step in done.steps]
    before = snapshot(store.root / "steps")
    for step in done.steps:
        source = Path(str(step.notebook))
        command = [sys.executable, "-m", "papermill", source.name, "again.ipynb"]
        command += ["--no-progress-bar", "--log-level", "ERROR"]
        ended = subprocess.run(
            command, cwd=source.parent, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        assert read_shown(source.parent / "again.ipynb") == read_shown(source)
    assert "seven" in "".join(read_shown(Path(str(done.steps[-1].notebook))))
    assert snapshot(store.root / "steps") == before


def test_store_is_found_from_elsewhere(
    done: PipelineResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing names the store and the folder belongs to no project: the machine remembers it."""
    monkeypatch.delenv("MLOPS_NB_STORE")
    source = Path(str(done.steps[-1].notebook))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    notebook = nbformat.read(source, 4)
    resources = {"metadata": {"path": str(elsewhere)}}
    nbclient.NotebookClient(notebook, kernel_name="python3", resources=resources).execute()
    nbformat.write(notebook, elsewhere / "again.ipynb")
    assert read_shown(elsewhere / "again.ipynb") == read_shown(source)
    assert str(tmp_path) not in "".join(cell.source for cell in notebook.cells)


def test_step_from_the_cache_runs_by_itself(done: PipelineResult, store: Store) -> None:
    """A notebook that was taken from the cache names the run that made it, which is kept."""
    again = execute(Path(str(done.steps[0].notebook)).parents[1] / "work" / "nb.ipynb", store)
    assert again.steps[-1].cached
    source = Path(str(again.steps[-1].notebook))
    shown = read_shown(source)
    notebook = nbformat.read(source, 4)
    resources = {"metadata": {"path": str(source.parent)}}
    nbclient.NotebookClient(notebook, resources=resources).execute()
    nbformat.write(notebook, source)
    assert read_shown(source) == shown


def test_what_is_gone_is_told(
    done: PipelineResult, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the specification is removed, the error says what to do; nothing runs on."""
    del done
    steps, key = store.root / "steps", read_key(store.root)
    assert standalone.prune(steps, key) == 0  # all values are there
    for path in (steps / "specs").iterdir():
        path.write_bytes(b"not signed\n{}")
    assert standalone.prune(steps, key) > 0
    assert list((steps / "specs").iterdir()) == []
    notebook = nbformat.read(tmp_path / "out" / "03-show.ipynb", 4)
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="mlops-nb run"):
        nbclient.NotebookClient(notebook).execute()


def test_fused_step_says_so(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that ran in another one's kernel cannot run without it, and says which."""
    (tmp_path / "work").mkdir()
    sources = (("lines = (i for i in range(3))", "step:a"), ("print(next(lines))", "step:b"))
    built = [new_code_cell(source, [tag]) for source, tag in sources]
    path = write_notebook(new_notebook(built), tmp_path / "work" / "nb.ipynb")
    result = execute(path, store)
    assert result.steps[1].fused_with == "a"
    notebook = nbformat.read(Path(str(result.steps[1].notebook)), 4)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="kernel of 'a'"):
        nbclient.NotebookClient(notebook).execute()


def test_stores_are_remembered_once(tmp_path: Path) -> None:
    """The last store comes first, and the list does not grow without end."""
    for number in (*range(70), 69, 68):
        standalone.note_store(tmp_path / str(number), tmp_path / "cache")
    known = json.loads((tmp_path / "cache" / "stores.json").read_text())
    assert known[:2] == [str(tmp_path / "68"), str(tmp_path / "69")]
    assert len(known) == len(set(known)) == 64

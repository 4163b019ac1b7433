"""A plan that is kept is the plan that would be made, and only of the same notebook."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_nb.config import load_settings
from mlops_nb.notebook.document import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    write_notebook,
)
from mlops_nb.pipeline import plan, planning, run
from mlops_nb.pipeline.forkserver_imports import find_preload
from mlops_nb.pipeline.keys import read_sources
from mlops_nb.pipeline.planning import keep_plan, read_plan
from tests.pipeline.conftest import ROOT
from tests.pipeline.places import Place

CELLS = (
    ("import datetime\nimport numpy as np\n%matplotlib inline", "imports"),
    (
        "limit: float = 0.5  # how much\nday = datetime.date(2026, 1, 2)\nmode: Literal['a', 'b'] = 'a'",
        "parameters",
    ),
    ("def f(x):\n    return np.sum(x) + limit", "functions"),
    ("rows = [f(n) for n in range(3)]", "step:load", "timeout:10m", "retries:1"),
    ("files = !ls\nscore = 1.0", "step:look"),
    ("print(score, globals()['rows'])", "step:show", "when:score > 0.5", "cache:disabled"),
)


def _write(folder: Path, *more: str) -> Path:
    cells = [new_code_cell(source, tags) for source, *tags in CELLS]
    cells += [new_code_cell(source) for source in more]
    return write_notebook(new_notebook([new_markdown_cell("# A"), *cells]), folder / "nb.ipynb")


def _list_plans(root: Path) -> list[Path]:
    return sorted((root / "steps" / "plans").glob("*"))


def test_kept_plan_is_the_same(tmp_path: Path) -> None:
    """Steps, roles, options, parameters and sources come back equal, the cells as they stand now."""
    path, root = _write(tmp_path), tmp_path / "store"
    made = read_plan(path, root)
    assert not made.is_kept
    assert not root.exists()
    keep_plan(made, root)
    found = read_plan(path, root)
    assert found.is_kept
    pipeline = plan(path)
    assert found.pipeline == pipeline
    assert found.pipeline.roles == pipeline.roles
    assert found.pipeline.document == pipeline.document
    assert found.pipeline.steps[0].cells[0] is found.pipeline.document.cells[4]
    assert found.sources == read_sources(pipeline)
    assert found.preload == find_preload(cell.source for cell in pipeline.document.code_cells)
    when = found.pipeline.steps[2].options.when
    assert when is not None
    assert when.holds({"score": 0.6})
    assert not when.holds({"score": 0.4})


def test_other_notebook_is_planned_anew(tmp_path: Path) -> None:
    """A source, a tag or another path makes another plan; what cells have shown does not."""
    path, root = _write(tmp_path), tmp_path / "store"
    keep_plan(read_plan(path, root), root)
    shown = json.loads(path.read_text(encoding="utf-8"))
    shown["cells"][1] |= {"execution_count": 7, "outputs": [{"output_type": "stream", "text": "a"}]}
    path.write_text(json.dumps(shown), encoding="utf-8")
    found = read_plan(path, root)
    assert found.is_kept
    assert found.pipeline.document.cells[1].node["execution_count"] == 7
    shown["cells"][6]["metadata"]["tags"] = ["step:shown"]
    path.write_text(json.dumps(shown), encoding="utf-8")
    assert not read_plan(path, root).is_kept
    assert [step.name for step in read_plan(path, root).pipeline.steps][-1] == "shown"
    assert not read_plan(_write(tmp_path, "1"), root).is_kept
    (tmp_path / "other").mkdir()
    assert not read_plan(_write(tmp_path / "other"), root).is_kept


def test_other_version_plans_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier version of this package has planned is not used."""
    path, root = _write(tmp_path), tmp_path / "store"
    keep_plan(read_plan(path, root), root)
    monkeypatch.setattr(planning, "read_version", lambda: "0.0.1")
    planning._describe_makers.cache_clear()
    try:
        assert not read_plan(path, root).is_kept
    finally:
        planning._describe_makers.cache_clear()


@pytest.mark.parametrize("damage", ["flip", "cut", "foreign", "empty"])
def test_damaged_plan_is_ignored(tmp_path: Path, damage: str) -> None:
    """A file that the store has not signed as it stands is as good as none."""
    path, root = _write(tmp_path), tmp_path / "store"
    keep_plan(read_plan(path, root), root)
    (file,) = _list_plans(root)
    data = bytearray(file.read_bytes())
    if damage == "flip":
        data[-10] ^= 1
    elif damage == "foreign":
        (root / "boundary.key").write_bytes(bytes(32))
    if damage in ("cut", "empty"):
        del data[40 if damage == "cut" else 0 :]
    file.write_bytes(data)
    found = read_plan(path, root)
    assert not found.is_kept
    assert found.pipeline == plan(path)


def test_few_plans_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go."""
    monkeypatch.setattr(planning, "_MOST_PLANS", 2)
    root = tmp_path / "store"
    for number in range(4):
        keep_plan(read_plan(_write(tmp_path, f"{number}"), root), root)
    assert len(_list_plans(root)) == 2


def test_second_run_loads_nothing_heavy(place: Place) -> None:
    """A run that finds all steps kept has loaded neither IPython nor papermill, nor what uses them."""
    cells = (("%matplotlib inline\na = 1", "step:a"), ("print(a)", "step:b"))
    path = place.write(*cells)
    assert place.run(path).status == "finished"
    program = f"""
import sys
from pathlib import Path
from mlops_nb.config import load_settings
from mlops_nb.pipeline import run
from mlops_nb.store import open_store
result = run(Path({str(path)!r}), out_dir=Path({str(place.out)!r}),
    store=open_store(Path({str(place.store.root)!r})), settings=load_settings(Path({str(place.folder)!r})))
assert all(step.cached for step in result.steps), result
heavy = ["IPython", "papermill", "nbformat", "nbclient", "jupyter_client", "pandas", "numpy", "asyncio"]
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == "[]\n", done.stderr


def test_plan_is_kept_where_the_run_is(place: Place) -> None:
    """A run keeps its plan in its store, and none where it is refused."""
    settings = load_settings(place.folder)
    path = place.write(("a = 1", "step:a"))
    for _ in range(2):
        run(path, out_dir=place.out, store=place.store, settings=settings)
    assert len(_list_plans(place.store.root)) == 1

"""Tags proposed for messy notebooks, and written without touching anything else."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from mlops_nb import api
from mlops_nb.errors import NotebookError
from mlops_nb.notebook.document import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    write_notebook,
)

LEAD = [
    new_code_cell("import numpy as np\nimport pandas as pd\nimport matplotlib.pyplot as plt"),
    new_code_cell("%matplotlib inline\nnp.random.seed(0)"),
    new_code_cell("n_rows = 100  # how many\nshare = 0.2\nfolder = 'data'"),
    new_code_cell("def scale(frame):\n    return (frame - frame.mean()) / frame.std()"),
]


def make_messy(with_headings: bool) -> list[dict[str, Any]]:
    """Make more than 60 cells: redefinitions, plots, shell escapes, loops, a model."""
    cells = [new_markdown_cell("# A study\nWords.")] if with_headings else []
    cells += copy.deepcopy(LEAD)
    for number, title in enumerate(("1. Load *the data*", "Clean up", "Explore", "Model", "Model")):
        if with_headings:
            cells.append(new_markdown_cell(f"## {title}\n\nSome words."))
        for part in range(12):
            sources = (
                f"df = pd.DataFrame({{'a': np.arange(n_rows) * {part}, 'b': 1.0}})",
                f"files = !ls {{folder}}\nx{number} = len(files)",
                "df['c'] = df['a'] * 2\ndf.head()",
                "plt.figure()\nplt.plot(df['a'])\nplt.show()",
                "tmp = scale(df[['a', 'c']])\ntmp",
                f"%%time\nfor i in range(3):\n    tot{number} = i * {part}",
                "!echo $folder > /dev/null",
                "df = df.dropna()\ndf?",
                f"rows = []\nfor v in (1, 2):\n    rows.append(v * {part})",
                "try:\n    cache\nexcept NameError:\n    cache = {}",
                "del tmp",
                f"total{number} = float(df['a'].sum()) + len(rows)",
            )
            cells.append(new_code_cell(sources[part]))
    return cells


def write(tmp_path: Path, cells: list[dict[str, Any]], name: str = "nb.ipynb") -> Path:
    """Write a notebook."""
    return write_notebook(new_notebook(cells), tmp_path / name)


def test_headings_become_steps(tmp_path: Path) -> None:
    """Each section is a step named after its heading; what leads is recognised."""
    path = write(tmp_path, make_messy(with_headings=True))
    before = path.read_bytes()
    found = api.suggest_tags(path)
    assert path.read_bytes() == before
    tags = [each.tag for each in found]
    assert tags[:3] == ["imports", "parameters", "functions"]
    assert tags[3:] == [
        "step:load_the_data", "step:clean_up", "step:explore", "step:model", "step:model_2",
    ]  # fmt: skip
    assert found[4].reason == "section 'Clean up': 12 cells; cache crosses"


def test_cells_without_headings_are_cut_where_little_crosses(tmp_path: Path) -> None:
    """Without headings parts are cut where few variables cross, and the plan stands."""
    path = write(tmp_path, make_messy(with_headings=False))
    found = api.suggest_tags(path, write=True)
    steps = [each for each in found if each.tag.startswith("step:")]
    assert len(steps) >= 3
    plan = api.plan_pipeline(path)
    assert [step.name for step in plan.steps] == [each.tag[5:] for each in steps]
    assert sum(len(step.cells) for step in plan.steps) + len(plan.prelude) == 64
    assert [each.name for each in plan.parameters] == ["n_rows", "share", "folder"]


@pytest.mark.parametrize(
    ("indent", "ascii_only", "end", "newline", "mark"),
    [
        (1, False, "\n", "\n", ""),
        (2, False, "", "\n", ""),
        (1, True, "\n", "\r\n", ""),
        (None, False, "", "\n", ""),
        (4, False, "\n\n", "\n", "\ufeff"),
    ],
)
def test_writing_changes_the_tags_only(
    tmp_path: Path, indent: int | None, ascii_only: bool, end: str, newline: str, mark: str
) -> None:
    """Everything but the new tags stands as before, byte for byte, and a second time nothing."""
    node = new_notebook(make_messy(with_headings=True))
    node["cells"][1]["metadata"] = {"other": {"é": [1, 2.50, 1e-9]}}
    node["cells"][2]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["ü\n"]}]
    path = tmp_path / "nb.ipynb"
    text = json.dumps(node, indent=indent, ensure_ascii=ascii_only) + end
    path.write_bytes((mark + text.replace("\n", newline)).encode())
    found = api.suggest_tags(path, write=True)
    for each in found:
        node["cells"][each.cell]["metadata"]["tags"] = [each.tag]
    text = json.dumps(node, indent=indent, ensure_ascii=ascii_only) + end
    assert path.read_bytes() == (mark + text.replace("\n", newline)).encode()
    assert api.suggest_tags(path, write=True) == ()


def test_tagged_cells_are_left_alone(tmp_path: Path) -> None:
    """Where steps are named already only what leads is proposed, and no tagged cell is touched."""
    cells = [
        new_code_cell("import os", ["imports"]),
        new_code_cell("a = 1\nb = 2"),
        new_code_cell("c = a + b", ["hide-input", "step:one"]),
        new_markdown_cell("## Two"),
        new_code_cell("d = c + 1"),
    ]
    found = api.suggest_tags(write(tmp_path, cells), write=True)
    assert [(each.cell, each.tag) for each in found] == [(1, "parameters")]


def test_cuts_that_are_refused_are_merged(tmp_path: Path) -> None:
    """A cell that belongs to an 'after' that cannot be kept does not get a step of its own."""
    cells = [
        new_markdown_cell("## One"),
        new_code_cell("a = print(1)"),
        new_markdown_cell("## Two"),
        new_code_cell("b = print(2)", ["skip"]),
        new_code_cell("c = print(a)"),
        new_markdown_cell("## Three"),
        new_code_cell("d = print(c)"),
    ]
    path = write(tmp_path, cells)
    assert [each.tag for each in api.suggest_tags(path)] == ["step:one", "step:two", "step:three"]
    cells[6] = new_code_cell("d = print(b)")  # which a skipped cell makes: refused however cut
    with pytest.raises(NotebookError, match="tagged 'skip'"):
        api.suggest_tags(write(tmp_path, cells))


def test_what_only_defines_needs_no_steps(tmp_path: Path) -> None:
    """A notebook of definitions gets no step; an empty one nothing."""
    assert [each.tag for each in api.suggest_tags(write(tmp_path, LEAD))][-1] == "functions"


def test_a_slice_of_a_notebook(tmp_path: Path) -> None:
    """Skipped cells are no part of a slice."""
    cells = [
        new_code_cell("a = 1"),
        new_code_cell("a = 5", ["skip"]),
        new_markdown_cell("words"),
        new_code_cell("b = a + 1"),
        new_code_cell("c = 2"),
    ]
    found = api.slice_notebook(write(tmp_path, cells), "b")
    assert ([each.cell for each in found.cells], found.total) == ([0, 3], 3)

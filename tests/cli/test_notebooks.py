"""Commands about a notebook as it stands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlops_nb.notebook.document import new_code_cell, new_notebook, write_notebook

Ask = Callable[..., Any]


def test_the_graph_says_why(ask: Ask, notebook: Path) -> None:
    """Each variable that crosses comes with cell, line, code and rule of both ends."""
    assert "make" in ask("graph", notebook).out
    shown = ask("graph", notebook, "--why").out
    assert "make -> add: numbers" in shown
    assert "written cell" in shown
    assert "bound here" in shown
    assert ask("graph", "--why", notebook).out == shown
    assert ask("graph", notebook, "--why", "numbers").out == shown
    assert ask("graph", notebook, "--why", "add").out == shown
    listed = ask("graph", notebook, "--json").json
    assert (listed[0]["source"], listed[0]["name"]) == ("make", "numbers")
    assert listed[0]["written"]["rule"] == "bound here"
    answer = ask("graph", notebook, "--why", "nubmers")
    assert answer.code == 2
    assert "Did you mean 'numbers'" in answer.err


def test_the_graph_of_cells(ask: Ask, notebook: Path) -> None:
    """Between cells the same is told by their positions."""
    sources = {each["source"] for each in ask("graph", notebook, "--cells", "--json").json}
    assert sources
    assert all(source.startswith("cell ") for source in sources)
    assert "written" not in ask("graph", notebook, "--cells").out


def test_the_graph_tells_of_loops(ask: Ask, tmp_path: Path) -> None:
    """Rounds that depend on one another are named with the reason, with --why and without."""
    path = tmp_path / "loops.ipynb"
    sources = {
        "step:free": "sizes = {}\nfor word in ['a', 'bb']:\n    sizes[word] = len(word)",
        "step:tied": "total = 0\nfor size in sizes.values():\n    total += size",
    }
    cells = [new_code_cell(source, [tag, "foreach"]) for tag, source in sources.items()]
    write_notebook(new_notebook(cells), path)
    free, tied = "may run at once, with --jobs", "run one after the other"
    for shown in (ask("graph", path).out, ask("graph", path, "--why").out):
        assert free in shown
        assert tied in shown
        assert "'total'" in shown
    shown = ask("graph", path, "--why", "tied").out
    assert tied in shown
    assert free not in shown


def test_tags_are_proposed_and_written(ask: Ask, notebook: Path) -> None:
    """A table of cell, tag and reason; the file changes only where that is asked for."""
    document = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in document["cells"]:
        cell["metadata"].pop("tags", None)
    notebook.write_text(json.dumps(document), encoding="utf-8")
    before = notebook.read_bytes()
    shown = ask("suggest", notebook).out
    assert "step:" in shown
    assert "the first cell that computes" in shown
    assert notebook.read_bytes() == before
    listed = ask("suggest", notebook, "--write", "--json").json
    assert {"cell", "tag", "source", "reason"} == set(listed[0])
    assert "step:" in notebook.read_text(encoding="utf-8")
    assert "Nothing to propose" in ask("suggest", notebook).err


def test_a_slice_is_shown(ask: Ask, notebook: Path) -> None:
    """The cells that one variable needs, with reasons, and how many were left out."""
    shown = ask("slice", notebook, "numbers").out
    assert "numbers (line" in shown
    assert "code cells" in shown
    assert ask("slice", notebook, "numbers", "--json").json["name"] == "numbers"
    assert ask("slice", notebook, "nubmers").code == 2

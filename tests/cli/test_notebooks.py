"""Commands about a notebook as it stands."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Ask = Callable[..., Any]


def test_the_graph_says_why(ask: Ask, notebook: Path) -> None:
    """Each variable that crosses comes with cell, line, code and rule of both ends."""
    assert "make" in ask("graph", notebook).out
    shown = ask("graph", notebook, "--why").out
    assert "make -> add: numbers" in shown
    assert "written cell" in shown
    assert "bound here" in shown
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

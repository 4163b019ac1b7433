"""An untagged notebook is cut where its author or its data say so, into parts of good size."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_nb.notebook.cutting import Cut, find_cuts, list_crossing, make_name
from mlops_nb.notebook.dataflow import analyze_cells
from mlops_nb.notebook.document import (
    NotebookDocument,
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    write_notebook,
)


def cut(folder: Path, *sources: str) -> tuple[Cut, ...]:
    """Cut a notebook; what begins with a heading is text."""
    cells = [
        new_markdown_cell(source) if source.startswith("#") and "\n#!" not in source
        else new_code_cell(source)
        for source in sources
    ]  # fmt: skip
    document = NotebookDocument.load(write_notebook(new_notebook(cells), folder / "nb.ipynb"))
    code = document.code_cells
    flows = analyze_cells(cell.source for cell in code)
    lead = next(n for n, flow in enumerate(flows) if not flow.only_defines)
    return find_cuts(document, code, flows, lead)


def count(number: int) -> list[str]:
    """Give cells that compute one after the other."""
    return [f"x = sum([{n}])" for n in range(number)]


def test_the_title_is_no_section(tmp_path: Path) -> None:
    """The only heading of the first level names the notebook; a few cells below go with what follows."""
    cuts = cut(tmp_path, "# All of it", "print(1)", "## 1. Load", *count(3), "## Look", *count(2))
    assert [(each.position, each.name) for each in cuts] == [(0, "load"), (4, "look")]
    assert cuts[0].reason == "section '1. Load', and the few cells above it go with it"


def test_many_cells_above_are_a_part(tmp_path: Path) -> None:
    """Cells above the first section are named after a smaller heading, or after what they do."""
    small = cut(
        tmp_path, "# T", "### Get it", *count(3), "## Two", *count(3), "## Three", "print(1)"
    )
    assert [each.name for each in small] == ["get_it", "two", "three"]
    named = cut(tmp_path, "# T", *["d = pd.read_csv('a')"] * 3, "## Two", "print(1)", "## 3", "x()")
    assert [each.name for each in named] == ["load", "two", ""]


def test_sections_are_of_the_level_that_divides(tmp_path: Path) -> None:
    """Where one heading has all the others below it, these are the sections; code is no heading."""
    cuts = cut(
        tmp_path, "## All\n```\n# no\n```", "### A", *count(2), "### B", *count(2), "#### b", "z()"
    )
    assert [each.name for each in cuts] == ["a", "b"]


def test_too_many_sections_are_joined(tmp_path: Path) -> None:
    """Of twenty sections the smallest go with the one above, and the large ones stay."""
    cells: list[str] = []
    for n in range(20):
        cells += [f"## Part {n}", *count(9 if n % 5 == 0 else 1)]
    cuts = cut(tmp_path, "# T", *cells)
    assert len(cuts) == 11  # of 52 cells
    assert {"part_0", "part_5", "part_10", "part_15"} <= {each.name for each in cuts}


def test_large_sections_are_cut_again(tmp_path: Path) -> None:
    """A section of very many cells is cut at its own headings, or where little crosses."""
    cells = ["# T", "## One", *count(9), "### Inner", *count(9), "## Two", "print(1)"]
    assert [each.name for each in cut(tmp_path, *cells)] == ["one", "inner", "two"]
    plain = ["## One", *count(10), "## Two", *count(22)]
    assert [each.position for each in cut(tmp_path, "# T", *plain)][:2] == [0, 10]
    assert 4 <= len(cut(tmp_path, "# T", *plain)) <= 5


def test_cuts_lie_where_little_crosses(tmp_path: Path) -> None:
    """Without headings a cut is where one variable crosses, not where nine do; a comment names it."""
    busy = [f"v{n} = sum([{n}])" for n in range(6)]
    use = ["total = " + " + ".join(f"v{n}" for n in range(6)), "total = abs(total)"]
    rest = ["# second half\n#! \nprint(total)", *[f"w{n} = total" for n in range(7)]]
    cuts = cut(tmp_path, *busy, *use, *rest)
    assert [(each.position, each.name) for each in cuts] == [(0, "part"), (8, "second_half")]
    assert cuts[1].reason == "few variables cross here"


@pytest.mark.parametrize("number", [1, 2, 5, 60, 400])
def test_parts_are_of_good_size(tmp_path: Path, number: int) -> None:
    """Any number of cells gives few parts, none of one or two cells."""
    cuts = cut(tmp_path, *count(number))
    ends = [*(each.position for each in cuts[1:]), number]
    sizes = [end - each.position for each, end in zip(cuts, ends, strict=True)]
    assert sum(sizes) == number
    assert 1 <= len(cuts) <= max(1, number // 5)
    assert min(sizes) >= min(3, number)


def test_what_every_step_has_does_not_cross() -> None:
    """Parameters above the first step are no reason against a cut."""
    flows = analyze_cells(["a = 1", "b = sum([a])", "print(a, b)"])
    assert list_crossing(flows, 2, 1) == ["b"]
    assert list_crossing(flows, 2, 0) == ["a", "b"]


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("2.1) Größe *der* [Daten](http://x)", "groe_der_daten"),
        ("Über-Modell <b>2</b>", "uber_modell_2"),
        ("数据", ""),
        ("a" * 50, "a" * 30),
    ],
)
def test_names_are_plain(heading: str, name: str) -> None:
    """Names of steps are words of small letters and digits, however the heading is written."""
    assert make_name(heading) == name

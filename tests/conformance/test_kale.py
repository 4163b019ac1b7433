"""Notebooks are put to Kale as its documentation asks for, and no more lenient than that."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.conformance.reading import Case, Section, list_cases

SOURCE = Path(__file__).parents[2] / "benchmarks" / "kale_convert.py"


@pytest.fixture(name="kale", scope="module")
def load() -> ModuleType:
    """Load the script, which is no package."""
    spec = importlib.util.spec_from_file_location("kale_convert", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert "kale_convert" not in sys.modules
    return module


def make(*cells: tuple[str, str]) -> Case:
    """Make a notebook from sources and tags."""
    sections = [
        Section(source, tuple(tag.strip() for tag in tags.split(",") if tag.strip()))
        for source, tags in cells
    ]
    return Case("x", "It is.", tuple(sections), {"": "equal"})


@pytest.mark.parametrize(
    ("cells", "tags"),
    [
        # Names are in lower case and each step runs after the one above it.
        (["step:A", "", "step:b-c"], [["step:a"], [], ["step:b_c", "prev:a"]]),
        # Names that differ stay different; a step that goes on has no 'prev' again.
        (["step:A-b", "step:a_b", "step:A-b"], [["step:a_b"], ["step:a_b_2", "prev:a_b"], ["step:a_b"]]),
        # Our words become Kale's, and Kale's own stay.
        (
            ["imports", "parameters", "block:a", "step:b, after:a, cache:enabled"],
            [["imports"], ["pipeline-parameters"], ["step:a"], ["step:b", "prev:a", "cache:enabled"]],
        ),
        # A name that Kale keeps for itself would be no step.
        (["step:imports"], [["step:step_imports"]]),
        # Words that mean nothing for the result go; what means something stays, and Kale refuses.
        (["step:a, hide-input, foreach"], [["step:a"]]),
        (["step:a", "step:b, when:x>1"], [["step:a"], ["step:b", "when:x>1", "prev:a"]]),
        (["step:a, raises-exception", "stpe:b"], [["step:a", "raises-exception"], ["stpe:b"]]),
        # A notebook without steps is one step.
        (["", "markdown", ""], [["step:main"], ["markdown"], []]),
        (["imports", ""], [["imports"], ["step:main"]]),
    ],
)  # fmt: skip
def test_tags_become_those_of_kale(
    kale: ModuleType, cells: list[str], tags: list[list[str]]
) -> None:
    """Each tag becomes what Kale calls it."""
    converted = kale.convert(make(*[("x = f()", tag) for tag in cells]))
    assert [found for _, found in converted] == tags


def test_comments_become_tags(kale: ModuleType) -> None:
    """What stands in comments at the top of a cell is a tag; other comments and code are not."""
    source = "#| step: One\n#| label: fig\nx = 1\n#| skip"
    (_, tags), *_ = kale.convert(make((source, "")))
    assert tags == ["step:one"]


@pytest.mark.parametrize(
    ("source", "tags"),
    [("import math\nRATE = [1, 2]\ndef f(): ...", ["imports"]), ("x = f()", []), ("%pylab", [])],
)
def test_cells_above_the_first_step_are_kept(
    kale: ModuleType, source: str, tags: list[str]
) -> None:
    """Imports above the first step are tagged for Kale; what computes belongs to no step."""
    converted = kale.convert(make((source, ""), ("y = 1", "step:a")))
    assert [found for _, found in converted] == [tags, ["step:a"]]


def test_owners_are_those_that_kale_counts(kale: ModuleType) -> None:
    """Cells without a tag belong to the step, or to the block for all steps, above them."""
    cells = ["", "imports", "", "step:a", "markdown", "skip", "", "step:b"]
    converted = kale.convert(make(*[("x = f()", tag) for tag in cells]))
    owners = {1: "imports", 2: "imports", 3: "a", 6: "a", 7: "b"}
    assert kale.find_owners(converted) == owners


def test_every_notebook_is_written(kale: ModuleType, tmp_path: Path) -> None:
    """Code and files stay as they are; the cell that tells the values is there, without a tag."""
    for case in list_cases():
        node = json.loads(kale.write(case, tmp_path / case.name).read_text())
        sources = ["".join(cell["source"]) for cell in node["cells"]]
        code = [cell.source for cell in case.cells if "markdown" not in cell.tags]
        *kept, last = [
            s for s, c in zip(sources, node["cells"], strict=True) if c["cell_type"] == "code"
        ]
        assert kept == code
        assert "conformance_probe.watch(" in last
        assert node["cells"][-1]["metadata"].get("tags", []) == []
        steps = [tag for cell in node["cells"] for tag in cell["metadata"].get("tags", [])]
        assert any(tag.startswith("step:") for tag in steps), case.name

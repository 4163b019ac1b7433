"""Members of an Enum as values of parameters, and decimal numbers."""

import decimal
import enum
from typing import Any

import pytest

from mlops_nb.errors import NotebookError, ParameterError
from mlops_nb.notebook.declarations import find_rebound
from mlops_nb.notebook.document import Cell, NotebookDocument, new_code_cell, new_notebook
from mlops_nb.notebook.giving import coerce, render_parameters, resolve_parameters
from mlops_nb.notebook.parameters import Parameter, read_parameters

CLASSES = "class Mode(enum.Enum):\n    FAST = 'quick'\n    SLOW = 2\n    OTHER = enum.auto()\n"


class Mode(enum.Enum):
    """The class of the notebook, as its kernel has it."""

    FAST = "quick"
    SLOW = 2
    OTHER = 3


def read(declaration: str, *above: str) -> tuple[Parameter, ...]:
    """Read the parameters of a notebook with cells above its declarations."""
    cells = [new_code_cell(source) for source in above]
    cells.append(new_code_cell(declaration, ["parameters"]))
    document = NotebookDocument.from_node(new_notebook(cells), "nb.ipynb")
    return read_parameters(document, may_compute=False)


def test_members_are_read_from_the_class_above_or_in_the_cell() -> None:
    """The class may stand in a cell above or among the parameters."""
    above = read("mode = Mode.FAST  # how", "%matplotlib inline\nimport enum\n" + CLASSES)[0]
    within = read("import enum\n" + CLASSES + "mode = Mode.FAST  # how")[0]
    assert above == within
    assert (above.enum, above.shown_type, above.shown_default) == (
        "Mode",
        "Mode: FAST, SLOW, OTHER",
        "Mode.FAST",
    )
    assert above.help == "how"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("SLOW", "Mode.SLOW"),
        ("Mode.OTHER", "Mode.OTHER"),
        ("quick", "Mode.FAST"),
        ("2", "Mode.SLOW"),
        (2, "Mode.SLOW"),
        (Mode.OTHER, "Mode.OTHER"),
    ],
)
def test_given_members_arrive_as_members(given: Any, expected: str) -> None:
    """By name, by ``Class.NAME``, by value, or as the member itself."""
    values = resolve_parameters(read("mode: Mode = Mode.FAST", CLASSES), {"mode": given})
    assert render_parameters(values, "") == f"mode = {expected}"
    namespace: dict[str, Any] = {"Mode": Mode}
    exec(render_parameters(values, ""), namespace)
    assert namespace["mode"] is Mode[expected.removeprefix("Mode.")]


@pytest.mark.parametrize("given", ["FSAT", "Mode.NONE", "3", None, 1.5, "import os"])
def test_other_values_are_refused_with_the_choices(given: Any) -> None:
    """What means no member is answered with the members."""
    with pytest.raises(ParameterError, match="expected one of FAST, SLOW, OTHER") as caught:
        resolve_parameters(read("mode = Mode.FAST", CLASSES), {"mode": given})
    assert caught.value.exit_code == 3


def test_optional_members_may_be_none() -> None:
    """None is taken where the declaration allows it."""
    for annotation in ("Mode | None", "Optional[Mode]"):
        declared = read(f"mode: {annotation} = None", CLASSES)
        assert resolve_parameters(declared, {"mode": "None"}) == {"mode": None}
        assert resolve_parameters(declared, {"mode": "SLOW"}) == {"mode": "Mode.SLOW"}


def test_members_of_imported_classes_are_taken_as_default_only() -> None:
    """What stands in another file is not run to be read."""
    declared = read("mode: Mode = Mode.FAST", "from elsewhere import Mode")
    assert render_parameters(resolve_parameters(declared), "") == "mode = Mode.FAST"
    with pytest.raises(ParameterError, match="stand in another file"):
        resolve_parameters(declared, {"mode": "SLOW"})
    with pytest.raises(NotebookError, match=r"computed from 'Mode\.FAST'"):
        read("mode = Mode.FAST", "from elsewhere import Mode")
    with pytest.raises(NotebookError, match=r"computed from 'Mode\.NONE'"):
        read("mode = Mode.NONE", CLASSES)


def test_decimal_numbers_keep_their_digits() -> None:
    """A decimal is read from text, written back with its digits, and never made of a float."""
    declared = read("price: Decimal = Decimal('1.10')", "from decimal import Decimal")
    values = resolve_parameters(declared, {"price": "0.10"})
    assert str(values["price"]) == "0.10"
    namespace: dict[str, Any] = {}
    exec(render_parameters(values), namespace)
    assert namespace["price"] == decimal.Decimal("0.10")
    for value in (0.1, "dear"):
        with pytest.raises(ParameterError, match="a decimal number as text"):
            coerce(declared[0], value)


def test_several_cells_declare_together() -> None:
    """The parameters of all cells are one list, in their order."""
    cells = [
        new_code_cell("a = 1", ["parameters"]),
        new_code_cell("import os"),
        new_code_cell("b = 'x'  # text", ["parameters"]),
    ]
    found = read_parameters(NotebookDocument.from_node(new_notebook(cells), "nb.ipynb"))
    assert [(each.name, each.default) for each in found] == [("a", 1), ("b", "x")]


def test_parameters_that_are_bound_anew_are_told() -> None:
    """A later cell that binds a parameter hides the given value; the first such cell is named."""
    sources = ["a = 1\nb = 2", "c = a", "b = 3", "b = 4\nfor a in c: pass"]
    cells = [Cell(index, None, "code", source) for index, source in enumerate(sources)]
    assert find_rebound(cells[:1], cells) == (("b", 2), ("a", 3))
    assert find_rebound([], cells) == ()

"""Parameters: declared, given, written back."""

import ast
import datetime
import decimal
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_nb.errors import NotebookError, ParameterError, ParameterNotFoundError
from mlops_nb.notebook.document import (
    Cell,
    NotebookDocument,
    new_code_cell,
    new_notebook,
    write_notebook,
)
from mlops_nb.notebook.giving import coerce, render_parameters, resolve_parameters
from mlops_nb.notebook.literals import NotLiteralError, read_literal, write_literal
from mlops_nb.notebook.parameters import Parameter, parse_parameters, read_parameters


def parse(source: str) -> tuple[Parameter, ...]:
    """Read the parameters of one cell."""
    return parse_parameters(Cell(2, None, "code", source), "nb.ipynb")


def same(one: Any, other: Any) -> bool:
    """Compare value and type all the way down; NaN equals NaN, 0.0 does not equal -0.0."""
    return type(one) is type(other) and repr(one) == repr(other)


def test_declarations_are_read_with_type_and_help() -> None:
    """Name, value, type and the comment behind are all read."""
    source = """\
# a comment of its own
from pathlib import Path
seed: int = 42  # seed of all splits
C = 1.0
names = [
    "a",  # inner
    "b",
]  # columns
data = Path("x.csv")
limit: "int | None" = None
big = 10**6 * -2
"""
    assert parse(source) == (
        Parameter("seed", 42, "int", "seed of all splits"),
        Parameter("C", 1.0),
        Parameter("names", ["a", "b"], None, "columns"),
        Parameter("data", Path("x.csv")),
        Parameter("limit", None, "'int | None'"),
        Parameter("big", -2_000_000),
    )


def test_parameters_as_people_write_them() -> None:
    """Several names in a line, display magics, and modules under a short name are read."""
    source = """
%matplotlib inline
%load_ext autoreload
import datetime as dt, math as m
from pathlib import Path as P
from decimal import Decimal as D
C, depth = 0.5, 3  # of the model
low = high = 0
day: dt.date = dt.date(2024, 1, 2)  # of the data
until = dt.datetime.fromisoformat("2024-01-02T03:04")
out, price, limit = P("a"), D("0.10"), m.inf
"""
    assert parse(source) == (
        Parameter("C", 0.5, None, "of the model"),
        Parameter("depth", 3, None, "of the model"),
        Parameter("low", 0),
        Parameter("high", 0),
        Parameter("day", datetime.date(2024, 1, 2), "dt.date", "of the data"),
        Parameter("until", datetime.datetime(2024, 1, 2, 3, 4)),  # noqa: DTZ001
        Parameter("out", Path("a")),
        Parameter("price", decimal.Decimal("0.10")),
        Parameter("limit", math.inf),
    )
    assert coerce(parse(source)[4], "2025-06-07") == datetime.date(2025, 6, 7)


def test_modules_imported_above_are_known(tmp_path: Path) -> None:
    """The import may stand in an earlier cell; a name of the user's own is none of them."""
    cells = [
        new_code_cell("import datetime as dt", ["imports"]),
        new_code_cell("day = dt.date(2024, 1, 2)", ["parameters"]),
    ]
    path = write_notebook(new_notebook(cells), tmp_path / "nb.ipynb")
    found = read_parameters(NotebookDocument.load(path))
    assert found == (Parameter("day", datetime.date(2024, 1, 2)),)
    with pytest.raises(NotebookError, match="computed from"):
        parse("day = dt.date(2024, 1, 2)")


def write_cell(source: str, folder: Path, *tags: str) -> NotebookDocument:
    """Give a notebook whose parameters cell is followed by one cell with some tags."""
    cells = [new_code_cell(source, ["parameters"]), new_code_cell("1", list(tags))]
    return NotebookDocument.load(write_notebook(new_notebook(cells), folder / "nb.ipynb"))


def test_cells_may_compute_where_there_are_no_steps(tmp_path: Path) -> None:
    """As notebooks for papermill do; only a value that would come too late is refused."""
    source = "a = 1\nuser = open('user').read()\nprint('hi')\nb = a * 2\nrate: float = 0.5"
    found = read_parameters(write_cell(source, tmp_path))
    assert found == (Parameter("a", 1, used_by="b = a * 2"), Parameter("rate", 0.5, "float"))
    assert resolve_parameters(found, {"rate": "2", "a": "1"}) == {"a": 1, "rate": 2.0}
    with pytest.raises(ParameterError, match=r"(?s)'a' is 3; expected 1.*'b = a \* 2'.*next cell"):
        resolve_parameters(found, {"a": 3})
    with pytest.raises(ParameterNotFoundError, match="user"):
        resolve_parameters(found, {"user": "me"})
    with pytest.raises(NotebookError, match="computed from"):
        read_parameters(write_cell(source, tmp_path, "step:a"))
    with pytest.raises(NotebookError, match="computed from"):
        read_parameters(write_cell(source, tmp_path), may_compute=False)


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("a = 1\nc = 2\na += 1", ["c"]),
        ("a = [1]\nc = 2\nb = a", ["c"]),
        ("a = [1]\nc = 2\na.append(2)", ["c"]),
        ("a = 1\nif open('x').read():\n    c = 2", ["a"]),
        ("a = 1\ndel a", []),
        ("a = 1\nprint(a)", ["a"]),
    ],
)
def test_what_cells_change_is_no_parameter(source: str, kept: list[str], tmp_path: Path) -> None:
    """A value set after the cell would undo what the cell did, or be another object."""
    found = read_parameters(write_cell(source, tmp_path))
    assert [parameter.name for parameter in found] == kept


def test_cells_that_may_do_anything_are_refused(tmp_path: Path) -> None:
    """Where nobody can tell what a statement changes, nothing can be set after it."""
    with pytest.raises(NotebookError, match="no parameter"):
        read_parameters(write_cell("a = 1\nexec(open('x').read())", tmp_path))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("a = 1\nb = a * 2", r"'b' \(line 2\) is computed from 'a'.*next cell"),
        ("b = compute()", "computed from"),
        ("a: int", "no parameter"),
        ("a, b = 1, f(2)", "computed from"),
        ("a, b = pair", "no parameter"),
        ("a = b = []", "no parameter"),
        ("print(1)", "no parameter"),
        ("a = 1\na = 2", "declared twice"),
        ("!ls\na = 1", "no parameter"),
        ("a = 9**9**9", "computed from"),
        ("a = {**{}}", "computed from"),
        ("a = {[]: 1}", "computed from"),
        ("a = 1/0", "computed from"),
        ("a = f'{1}'", "computed from"),
        ("a = open('x')", "computed from"),
    ],
)
def test_other_lines_are_refused_with_the_fix(source: str, found: str) -> None:
    """Whatever is not a literal is refused by line, for an injected value would miss it."""
    with pytest.raises(NotebookError) as caught:
        parse(source)
    assert caught.value.cell == 2
    assert re.search(found, str(caught.value), re.DOTALL)


def test_parameters_of_a_notebook_and_of_a_former_papermill_run() -> None:
    """Values that papermill injected earlier are the defaults of the next run."""
    cells = [
        new_code_cell("a = 1  # first\nb = 2", ["parameters"]),
        new_code_cell("# Parameters\nb = 7\nc = 8", ["injected-parameters"]),
    ]
    document = NotebookDocument.from_node(new_notebook(cells), "n")
    assert read_parameters(document) == (Parameter("a", 1, None, "first"), Parameter("b", 7))
    assert read_parameters(NotebookDocument.from_node(new_notebook([]), "n")) == ()


COERCED = [
    ("int", 1, "5", 5),
    ("int", 1, "-1_000", -1000),
    ("int", 1, "007", 7),
    ("int", 1, str(2**70), 2**70),
    ("float", 1, "1e5", 1e5),
    ("float", 1, 2, 2.0),
    ("float", 1, "nan", math.nan),
    ("float", 1, "-inf", -math.inf),
    ("str", "", "007", "007"),
    ("str", "", "None", "None"),
    ("str", "", "a'\"\n😀\\{}", "a'\"\n😀\\{}"),
    ("bool", True, "no", False),
    ("bool", False, "True", True),
    (None, None, "3", 3),
    (None, None, "text", "text"),
    ("Optional[int]", 1, "None", None),
    ("typing.Optional[int]", 1, "4", 4),
    ("int | str", 1, "4", 4),
    ("str | int", 1, "4", 4),
    ("str | int", 1, "x", "x"),
    ("float | int", 1, 1, 1),
    ("'int | None'", 1, "null", None),
    ("Literal['a', 1]", "a", "1", 1),
    ("Literal['a', 1]", "a", "a", "a"),
    ("list[int]", [], "[1, 2]", [1, 2]),
    ("list[int]", [], "1, 2", [1, 2]),
    ("List[float]", [], [1, 2.5], [1.0, 2.5]),
    ("list", [], '["a", null]', ["a", None]),
    ("tuple[int, str]", (), "(1, 'a')", (1, "a")),
    ("tuple[int, ...]", (), [1, 2, 3], (1, 2, 3)),
    ("set[int]", {1}, "{1, 2}", {1, 2}),
    ("dict", {}, '{"a": {"b": [1]}}', {"a": {"b": [1]}}),
    ("dict[int, str]", {}, {1: "a"}, {1: "a"}),
    (None, {1: "a"}, {2: "b"}, {2: "b"}),
    ("Path", Path("a"), "b c/d", Path("b c/d")),
    (None, Path("a"), "b", Path("b")),
    ("date", datetime.date(2020, 1, 1), "2021-02-03", datetime.date(2021, 2, 3)),
    ("datetime.datetime", 0, "2021-02-03T04:05", datetime.datetime(2021, 2, 3, 4, 5)),  # noqa: DTZ001
    ("bytes", b"", "b'x'", b"x"),
    ("MyEnum", 3, "4", 4),
    ("not a type", 3, "4", 4),
    ("Any", 3, "[1]", [1]),
]


@pytest.mark.parametrize(("annotation", "default", "value", "expected"), COERCED)
def test_values_reach_the_declared_type(
    annotation: str | None, default: Any, value: Any, expected: Any
) -> None:
    """A given value arrives as the declared type, else as the default's."""
    assert same(coerce(Parameter("p", default, annotation), value), expected)


@pytest.mark.parametrize(
    ("annotation", "default", "value"),
    [
        ("int", 1, "1e5"),
        ("int", 1, 1.0),
        ("int", 1, True),
        (None, 1, "0.5"),
        ("float", 1.0, "x"),
        ("float", 1.0, 2**80 + 1),
        ("bool", True, 1),
        ("bool", True, "maybe"),
        ("str", "a", 5),
        ("Literal['a', 1]", "a", "2"),
        ("Literal[1]", 1, True),
        ("list[int]", [], "[1, 'a']"),
        ("list[int]", [], ["1"]),
        ("dict", {}, {1: "a"}),
        ("tuple[int, str]", (), "(1,)"),
        ("set[int]", {1}, "{1: 2}"),
        ("set", {1}, [[1]]),
        ("date", None, "2021-13-01"),
        ("date", None, datetime.datetime(2021, 1, 1)),  # noqa: DTZ001
        ("Optional[int]", 1, "x"),
        ("Any", 1, object()),
        ("Any", 1, datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC)),
        ("Path", Path(), 5),
    ],
)
def test_values_of_another_type_are_refused(
    annotation: str | None, default: Any, value: Any
) -> None:
    """A value without an exact form of the declared type ends with exit code 3."""
    with pytest.raises(ParameterError, match="parameter 'p' is") as caught:
        coerce(Parameter("p", default, annotation), value)
    assert caught.value.exit_code == 3


def test_numpy_scalars_become_python_numbers() -> None:
    """A value computed with numpy is taken as the number that it is."""
    import numpy as np

    assert same(coerce(Parameter("p", 1), np.int64(3)), 3)
    assert same(coerce(Parameter("p", 1.5), np.float64(0.1)), 0.1)
    assert same(coerce(Parameter("p", [1]), [np.int32(3)]), [3])


def test_resolving_fills_defaults_and_refuses_unknown_names() -> None:
    """Every parameter gets a value; a typo is answered with the name that was meant."""
    declared = parse("test_size = 0.25\nseed = 42")
    assert resolve_parameters(declared, {"seed": "7"}) == {"test_size": 0.25, "seed": 7}
    with pytest.raises(ParameterNotFoundError, match=r"no parameter 'tset_size'.*'test_size'"):
        resolve_parameters(declared, {"tset_size": 1})
    for name in ("x;import os", "class", "", "1a"):
        with pytest.raises(ParameterError, match="identifier"):
            resolve_parameters(declared, {name: 1})
    with pytest.raises(ParameterNotFoundError):
        resolve_parameters((), {"x": 1})


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.dates()
    | st.datetimes()
    | st.complex_numbers(allow_nan=False, allow_infinity=False)
    | st.builds(Path, st.text("abc/. 'é", min_size=1))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
        | st.sets(st.integers() | st.text(max_size=3), max_size=3)
        | st.frozensets(st.integers(), max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_every_value_is_written_so_that_it_comes_back(value: Any) -> None:
    """Source written for a value gives exactly that value, run by Python or read by us."""
    try:
        source = render_parameters({"p": value})
    except ParameterError:
        assert "j" in repr(value)  # only signed zeros of complex numbers may be refused
        return
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    assert same_value(namespace["p"], value)
    read = parse(source)[0].default
    assert same_value(read, value)


def same_value(one: Any, other: Any) -> bool:
    """Compare all the way down where sets may print in any order."""
    if type(one) is not type(other):
        return False
    if isinstance(one, set | frozenset):
        return bool(one == other)
    if isinstance(one, dict):
        return list(map(repr, one)) == list(map(repr, other)) and all(
            same_value(a, b) for a, b in zip(one.values(), other.values(), strict=True)
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same_value, one, other))
    return repr(one) == repr(other)


def test_huge_integers_are_written_in_hexadecimal() -> None:
    """An integer beyond Python's limit for decimal text still comes back."""
    value = -(10**6000)
    assert read_literal(ast.parse(write_literal(value), mode="eval").body) == value


def test_rendering_refuses_what_it_cannot_write() -> None:
    """Objects and bad names are refused, not written as something else."""
    with pytest.raises(ParameterError, match="written as source"):
        render_parameters({"p": object()})
    with pytest.raises(ParameterError, match="identifier"):
        render_parameters({"p;q": 1})
    assert render_parameters({}, title="") == ""


@pytest.mark.parametrize("source", ["Path(*a)", "Path(**a)", "date(1)", "x.y()", "-'a'", "1 @ 2"])
def test_calls_that_are_no_constructor_are_no_literals(source: str) -> None:
    """Only known constructors with literal arguments are read."""
    with pytest.raises(NotLiteralError):
        read_literal(ast.parse(source, mode="eval").body)

"""Slices: the cells that one object needs, shown by running them alone."""

from __future__ import annotations

import contextlib
import io
import pickle
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_nb.errors import NotFoundError
from mlops_nb.notebook.document import Cell
from mlops_nb.notebook.slicing import slice_cells
from tests.notebook.test_dataflow_random import NAMES, cell


def build(sources: list[str]) -> list[Cell]:
    """Make cells of sources."""
    return [Cell(index, None, "code", source) for index, source in enumerate(sources)]


def run(sources: list[str]) -> dict[str, Any]:
    """Run sources one after the other in a new namespace."""
    import numpy as np

    random.seed(1)
    np.random.seed(1)
    namespace: dict[str, Any] = {"__name__": "sliced"}
    for source in sources:
        exec(source, namespace)
    return namespace


PROGRAMS = [
    (["import math", "a = 2", "b = 3", "c = math.sqrt(a)", "print(b)"], "c", [0, 1, 3]),
    (["a = []", "b = 1", "a.append(b)", "c = len(a)", "a.append(2)"], "a", [0, 1, 2, 4]),
    (["a = []", "b = a", "b.append(1)", "c = 5"], "a", [0, 1, 2]),
    (["x = 1", "y = x", "x = 2", "z = x"], "z", [2, 3]),
    (["x = 1", "if x > 5:\n    x = 2", "y = x"], "y", [0, 1, 2]),
    (["k = 2", "def f(v): return v * k", "k = 3", "y = f(2)"], "y", [1, 2, 3]),
    (["log = []", "def f(v): log.append(v)", "f(1)", "q = 3", "f(2)"], "log", [0, 1, 2, 4]),
    (
        ["import random", "random.seed(3)", "a = random.random()", "q = 1", "b = random.random()"],
        "b",
        [0, 1, 2, 4],
    ),
    (
        ["import random", "def draw(): return random.random()", "a = draw()", "b = draw()"],
        "b",
        [0, 1, 2, 3],
    ),
    (
        ["import os", "os.environ['SLICED'] = '7'", "q = 2", "b = os.environ.get('SLICED')"],
        "b",
        [0, 1, 3],
    ),
    (
        [
            "import numpy as np\nimport pandas as pd",
            "df = pd.DataFrame({'a': [1, 2, 3]})",
            "other = df.describe()",
            "df['b'] = df['a'] * 2",
            "def clean(d): return d[d['a'] > 1]",
            "small = clean(df)",
            "total = int(small['b'].sum())",
        ],
        "total",
        [0, 1, 3, 4, 5, 6],
    ),
    (["code = 'y = 4'", "q = 1", "exec(code)", "z = 2"], "q", [0, 1, 2]),
]


@pytest.mark.parametrize(("sources", "name", "expected"), PROGRAMS, ids=range(len(PROGRAMS)))
def test_slices_are_minimal_and_enough(
    sources: list[str], name: str, expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exactly these cells are kept, and run alone they give the same object."""
    monkeypatch.setenv("SLICED", "")
    found = slice_cells(build(sources), name)
    assert [each.cell for each in found.cells] == expected
    assert all(each.reason for each in found.cells)
    assert run([each.source for each in found.cells])[name] == run(sources)[name]


def test_reasons_name_line_and_rule() -> None:
    """Each cell says which needed variable it makes, where and by which rule."""
    found = slice_cells(build(["a = []", "q = 1\na.append(q)"]), "a")
    assert found.cells[1].reason == "a (line 2: .append() changes its object)"
    assert found.cells[1].names == ("a",)
    assert found.to_json()["total"] == 2


def test_unknown_variables_are_refused() -> None:
    """A name that no cell binds is answered with those that are."""
    with pytest.raises(NotFoundError, match="Did you mean 'model'"):
        slice_cells(build(["model = 1"]), "modle")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(cell, min_size=2, max_size=8))
def test_slices_of_random_programs_give_the_same_object(cells: list[str]) -> None:
    """Whatever the program, every variable comes out of its slice as out of the whole."""
    whole: dict[str, Any] = {"__name__": "sliced"}
    kept: list[str] = []
    for source in cells:
        trial = [*kept, source]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
            whole = run(trial)
            kept = trial
    with contextlib.redirect_stdout(io.StringIO()):
        for name in NAMES:
            if name not in whole:
                continue
            try:
                expected = pickle.dumps(whole[name])
            except (TypeError, AttributeError, pickle.PicklingError):
                continue
            sliced = [each.source for each in slice_cells(build(kept), name).cells]
            assert repr(run(sliced)[name]) == repr(whole[name]) or (
                pickle.dumps(run(sliced)[name]) == expected
            ), (kept, sliced, name)

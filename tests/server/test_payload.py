"""What crosses the wire."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_nb.errors import InvalidValueError, RunNotFoundError
from mlops_nb.records import RunRecord
from mlops_nb.server import payload

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(VALUES)
def test_any_value_becomes_strict_json(value: object) -> None:
    """Whatever a user logs, the browser gets JSON without NaN and the like."""
    assert json.loads(json.dumps(payload.to_json(value), allow_nan=False)) is not NotImplemented


def test_numbers_without_a_json_form_are_spelled() -> None:
    """NaN, the infinities and what a browser would round arrive as text, and no number changes."""
    values = [float("nan"), float("inf"), float("-inf"), 0.1, -0.0, 1e20, 10**15, 10**20]
    shown = ["NaN", "Infinity", "-Infinity", 0.1, -0.0, 1e20, 10**15, "100000000000000000000"]
    assert payload.to_json(values) == shown


def test_listed_run_is_short() -> None:
    """A list leaves out what only a run's own page shows, and cuts long texts."""
    record = RunRecord(
        "r1",
        "n" * 9000,
        "default",
        "finished",
        1.0,
        3.5,
        params={"p": "x" * 9000, "q": [1, 2], "r": 3},
    )
    listed = payload.write_listed_run(record)
    assert listed["duration_s"] == 2.5
    assert listed["params"]["q"] == "[1, 2]"
    assert listed["params"]["r"] == 3
    assert len(listed["name"]) == len(listed["params"]["p"]) == 300
    assert not {"cells", "artifacts", "datasets"} & set(listed)
    assert len(payload.write_run(record)["params"]["p"]) == 9000


def test_error_names_cause_and_way_on() -> None:
    """An error crosses as its class, what happened, and how to go on."""
    body = payload.write_error(RunNotFoundError("xyz", ["xya"]))
    assert body["error"] == "RunNotFoundError"
    assert "'xyz'" in body["message"]
    assert "'xya'" in body["message"]
    assert body["hint"]


@pytest.mark.parametrize("text", ["", "-1", "1.5", "1_0", " 7", "0", "201", "٣", "9" * 40, "x"])
def test_strange_numbers_are_refused(text: str) -> None:
    """A limit that is no whole number from 1 to 200 is refused, and quoted."""
    with pytest.raises(InvalidValueError, match="limit"):
        payload.read_number("limit", text, 1, 200)


def test_limits_are_included() -> None:
    """Both ends of a range may be asked for."""
    assert [payload.read_number("limit", text, 1, 200) for text in ("1", "200")] == [1, 200]


@pytest.mark.parametrize("path", ["../x.ipynb", "a/../../x", "a/..", "..", "/", "a\0b", "//../x"])
def test_paths_out_of_the_root_are_refused(path: str, tmp_path: Path) -> None:
    """No path of a query leads out of the folder that the server serves."""
    with pytest.raises(InvalidValueError, match="below the server's root"):
        payload.locate_notebook(tmp_path, path)


@pytest.mark.parametrize("path", ["x.ipynb", "/x.ipynb", "a b/é...ipynb", "a/b/..c.ipynb"])
def test_paths_in_the_root_are_found(path: str, tmp_path: Path) -> None:
    """A path below the root is found where the kernel says its notebook lies."""
    assert payload.locate_notebook(tmp_path, path) == tmp_path / path.lstrip("/")

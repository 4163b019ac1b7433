"""Arrays of Python's texts cross as codes and words, and come back as they were."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_nb.pipeline import boundary, items, text_arrays
from mlops_nb.pipeline.digests import digest_value
from tests.pipeline.test_boundary import KEY, dump, make_namespace

MANY = 1000
CELLS = st.one_of(st.none(), st.just(np.nan), st.text(max_size=5), st.sampled_from("ab"))


class Word(str):
    """A text of the user's own."""

    __slots__ = ()


def make(cells: list[Any], order: Any = "C") -> Any:
    """Give an array of objects with two columns, long enough to be packed."""
    array = np.empty((MANY, 2), object, order)
    for number in range(array.size):
        array[divmod(number, 2)] = cells[number % len(cells)]
    return array


def cross(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Bring values into another namespace; what comes back counts as unchanged there."""
    report = dump(make_namespace(**values), folder)
    assert not report.unpicklable
    target = make_namespace()
    loaded = boundary.load_boundary(report.state, None, target, folder, key=KEY)
    again = boundary.dump_boundary(target, loaded, folder, key=KEY, start=items.read_start())
    assert not set(again.changed) & set(values)
    return target


def read_cells(array: Any) -> list[Any]:
    """Give types and values; NaN is told by its identity."""
    return [(type(c), "the NaN" if c is np.nan else c) for c in array.ravel(order="K")]


@given(st.lists(CELLS, min_size=1, max_size=20), st.sampled_from("CF"))
def test_any_texts_come_back(cells: list[Any], order: Any) -> None:
    """Texts of any alphabet, None and NaN stand where they stood, in either order."""
    array = make(cells, order)
    packed = text_arrays.pack(array)
    assert packed is not None
    found = text_arrays.unpack([bytes(piece) for piece in packed], array.shape, order, True)
    assert read_cells(found) == read_cells(array)
    assert found.flags[f"{order}_CONTIGUOUS"]
    assert found.flags.owndata


@given(st.lists(CELLS, min_size=1, max_size=20))
def test_equal_texts_have_one_digest(cells: list[Any]) -> None:
    """Whether equal texts are one object or many makes no difference; another text does."""
    array = make(cells)
    other = array.copy()
    for place, cell in np.ndenumerate(array):
        if isinstance(cell, str):
            other[place] = "".join(list(cell))
    assert digest_value(other, {}) == digest_value(array, {})
    other[3, 1] = "another text"
    assert digest_value(other, {}) != digest_value(array, {})


@pytest.mark.parametrize(
    "cell",
    [1, b"a", Word("a"), float("nan"), 2.5, pd.NA, "\ud800", ["a"], True],
    ids=repr,
)
def test_other_objects_are_left_alone(cell: Any, tmp_path: Path) -> None:
    """One cell that is no plain text, and all cross one by one, with their types."""
    array = make(["a", None, cell])
    assert text_arrays.pack(array) is None
    found = cross({"x": array}, tmp_path)["x"]
    assert [type(c) for c in found.ravel()] == [type(c) for c in array.ravel()]
    assert repr(found) == repr(array)


def test_few_texts_are_left_alone() -> None:
    """A short array is pickled as it is."""
    assert text_arrays.pack(np.array(["a", "b"] * 100, dtype=object)) is None


def test_views_and_flags_stay(tmp_path: Path) -> None:
    """A view still looks into its array, and what was read-only is."""
    array, fixed = make(["a", "b", None]), make(["c"])
    fixed.flags.writeable = False
    found = cross({"x": array, "part": array[5:, 1], "fixed": fixed}, tmp_path)
    found["part"][0] = "changed"
    assert found["x"][5, 1] == "changed"
    assert not found["fixed"].flags.writeable


def test_columns_of_a_frame_cross(tmp_path: Path) -> None:
    """A frame with texts as objects comes back the same; each word is written once."""
    words = [f"customer {number} " + "x" * 100 for number in range(20)]
    frame = pd.DataFrame(
        {
            "name": pd.Series(words * MANY, dtype=object),
            "number": np.arange(20 * MANY),
            "place": pd.Series(["here", None, np.nan, "there"] * 5 * MANY, dtype=object),
        }
    )
    part = dump(make_namespace(x=frame), tmp_path).state.find_owners()["x"]
    assert part.size_bytes < 1_000_000 < frame.memory_usage(deep=True).sum()
    found = cross({"x": frame}, tmp_path)["x"]
    pd.testing.assert_frame_equal(found, frame, check_exact=True)
    assert read_cells(found["place"].to_numpy()) == read_cells(frame["place"].to_numpy())


def test_what_is_packed_once_is_not_kept() -> None:
    """Within one boundary an array is packed once; after it, its changes are seen."""
    array = make(["a", "b"])
    with text_arrays.remembered():
        first = text_arrays.pack(array)
        assert text_arrays.pack(array) is first
    array[0, 0] = "other"
    again = text_arrays.pack(array)
    assert again is not None
    assert isinstance(again[2], pickle.PickleBuffer)
    assert b"other" in bytes(again[2])

"""Arrays, frames, models and figures are compared by what they mean to their libraries."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlops_nb.pipeline.comparing import Difference, compare_names, find_difference

KINDS = ["?", "i1", "u8", "f2", "f4", "f8", "c16", "M8[s]", "m8[D]", "U3", "S3", ">i4", "O"]


def make_array(kind: str, shape: tuple[int, ...]) -> Any:
    """Make an array of small numbers."""
    return np.arange(int(np.prod(shape))).reshape(shape).astype(kind)


@given(st.sampled_from(KINDS), st.lists(st.integers(1, 4), max_size=3), st.data())
def test_the_element_that_changed_is_located(
    kind: str, shape: list[int], data: st.DataObject
) -> None:
    """One element of an array of any type is found by its index, however the array lies."""
    array = make_array(kind, tuple(shape))
    other = np.array(array, order="F", copy=True)
    assert find_difference(array, other, name="x") is None
    index = tuple(data.draw(st.integers(0, size - 1)) for size in shape)
    other[index] = np.array(not array[index] if kind == "?" else 101).astype(kind)[()]
    found = find_difference(array, other, name="x")
    assert found is not None
    assert found.path == f"x[{', '.join(map(str, index)) or '()'}]"
    assert found.kind == "value"


def test_arrays_differ_by_more_than_elements() -> None:
    """Type, shape, byte order and whether it may be written count; layout does not."""
    array = make_array("f8", (2, 3))
    locked = array.copy()
    locked.flags.writeable = False
    cases = [
        (array.astype("f4"), "dtype"),
        (array.astype(">f8"), "dtype"),
        (array.reshape(3, 2), "shape"),
        (array.view(np.recarray), "type"),
        (locked, "flags"),
    ]
    for other, kind in cases:
        found = find_difference(array, other)
        assert found is not None
        assert found.kind == kind
    assert find_difference(array, np.asfortranarray(array)) is None
    assert find_difference(np.float64(1), np.float64(2)) is not None
    assert find_difference(np.float32(1), 1.0) is not None


def test_floats_in_arrays_are_exact() -> None:
    """Signed zeros differ, NaN and NaT are equal to themselves, a tolerance is relative."""
    assert find_difference(np.array([0.0]), np.array([-0.0])) is not None
    assert find_difference(np.array([np.nan, 1]), np.array([np.nan, 1])) is None
    assert find_difference(np.array(["NaT"], "M8[s]"), np.array(["NaT"], "M8[s]")) is None
    near = np.array([1.0, 1e300]) * (1 + 1e-12)
    assert find_difference(np.array([1.0, 1e300]), near) is not None
    assert find_difference(np.array([1.0, 1e300]), near, tolerance=1e-9) is None
    assert find_difference(np.array([1.0]), np.array([np.inf]), tolerance=0.5) is not None
    assert find_difference(np.array([1]), np.array([2]), tolerance=0.9) is not None


def test_fields_and_masks_are_named() -> None:
    """A structured array tells the field, a masked one whether mask or data."""
    dtype = [("name", "U3"), ("place", [("x", "f8"), ("y", "f8")])]
    first = np.array([("a", (1, 2)), ("b", (3, 4))], dtype)
    second = first.copy()
    second["place"]["y"][1] = 5
    found = find_difference(first, second)
    assert found is not None
    assert found.path == "value['place']['y'][1]"
    masked = np.ma.array([1, 2, 3], mask=[False, True, False])
    below = np.ma.array([1, 9, 3], mask=[False, True, False])
    assert find_difference(masked, below) is None
    for other, path in [
        (np.ma.array([1, 2, 3], mask=[False] * 3), "value.mask[1]"),
        (np.ma.array([1, 2, 4], mask=[False, True, False]), "value.data[2]"),
    ]:
        found = find_difference(masked, other)
        assert found is not None
        assert found.path == path


def test_views_of_arrays_stay_views() -> None:
    """An array that no longer sees changes of another is a difference; copies are none."""
    array, copied = np.arange(6.0), np.arange(6.0)
    reference = {"a": array, "v": array[1:3]}
    assert compare_names(reference, {"a": copied, "v": copied[1:3]}).difference is None
    found = compare_names(reference, {"a": copied, "v": copied[1:3].copy()}).difference
    assert found is not None
    assert (found.path, found.kind) == ("v", "sharing")
    apart = {"a": array, "v": array[1:3].copy()}
    assert compare_names(apart, {"a": copied, "v": copied[1:3]}).difference is not None
    halves = np.split(array, 2)
    assert find_difference(halves, [half.copy() for half in halves]) is None
    assert find_difference([array[::2], array[1::2]], [array[::2].copy(), array[1::2]]) is None


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "dok", "lil", "dia", "bsr"])
def test_sparse_matrices_are_compared_by_their_parts(form: str) -> None:
    """Form, shape and stored values count."""
    matrix = sp.random(6, 6, 0.4, random_state=0, format=form)
    other = sp.random(6, 6, 0.4, random_state=1, format=form)
    assert find_difference(matrix, matrix.copy()) is None
    assert find_difference(matrix, other) is not None
    found = find_difference(sp.csr_array(matrix), sp.csc_array(matrix))
    assert found is not None
    assert found.kind == "type"


def make_frame() -> pd.DataFrame:
    """Make a frame with a column of each kind."""
    return pd.DataFrame(
        {
            "number": [1.5, np.nan, -0.0],
            "text": ["x", "y", None],
            "kind": pd.Categorical(["u", "v", "u"], ["u", "v", "w"]),
            "time": pd.date_range("2026-01-01", periods=3, tz="UTC"),
            "maybe": pd.array([1, None, 3], dtype="Int64"),
            "period": pd.period_range("2026-01", periods=3, freq="M"),
            "span": pd.interval_range(0, 3),
            "object": pd.Series([{"a": 1}, [2], "z"], ["p", "q", "r"], dtype=object),
        },
        index=pd.Index(["p", "q", "r"], name="row"),
    )


def _set(column: str, row: int, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.iloc[row, frame.columns.get_loc(column)] = value  # type: ignore[index]
        return frame

    return change


CHANGES: list[tuple[Callable[[pd.DataFrame], Any], str, str]] = [
    (_set("number", 0, 2.5), "df['number'].iloc[0]", "value"),
    (_set("number", 2, 0.0), "df['number'].iloc[2]", "value"),
    (_set("text", 1, "z"), "df['text'].iloc[1]", "value"),
    (_set("text", 1, None), "df['text'].iloc[1]", "value"),
    (_set("kind", 2, "w"), "df['kind'].iloc[2]", "value"),
    (_set("time", 0, pd.Timestamp("2027", tz="UTC")), "df['time'].iloc[0]", "value"),
    (_set("maybe", 2, 4), "df['maybe'].iloc[2]", "value"),
    (_set("period", 1, pd.Period("2027-01", "M")), "df['period'].iloc[1]", "value"),
    (_set("object", 0, "changed"), "df['object'].iloc[0]", "type"),
    (lambda df: df.rename(columns={"number": "n"}), "df.columns[0]", "value"),
    (lambda df: df.rename(index={"q": "s"}), "df.index[1]", "value"),
    (lambda df: df.rename_axis("other"), "df.index.names[0]", "value"),
    (lambda df: df.reset_index(drop=True), "df.index", "type"),
    (lambda df: df.iloc[:2], "df", "shape"),
    (lambda df: df.assign(number=df["number"].astype("f4")), "df['number']", "dtype"),
    (lambda df: df.assign(time=df["time"].dt.tz_convert("Asia/Tokyo")), "df['time']", "dtype"),
    (
        lambda df: df.assign(kind=df["kind"].cat.as_ordered()),
        "df['kind'].dtype.ordered",
        "value",
    ),
    (
        lambda df: df.assign(kind=df["kind"].cat.remove_unused_categories()),
        "df['kind'].dtype.categories",
        "length",
    ),
]


@pytest.mark.parametrize(("change", "path", "kind"), CHANGES)
def test_frames_are_compared_by_column(
    change: Callable[[pd.DataFrame], Any], path: str, kind: str
) -> None:
    """The column and the row that differ are named."""
    frame = make_frame()
    found = find_difference(frame, change(make_frame()), name="df")
    assert found is not None
    assert (found.path, found.kind) == (path, kind)


def test_equal_frames_are_equal() -> None:
    """A frame that crossed a boundary is the same, and so are its series and indexes."""
    frame = make_frame()
    frame.attrs["source"] = "a.csv"
    other = pickle.loads(pickle.dumps(frame))
    assert find_difference(frame, other) is None
    for column in frame:
        assert find_difference(frame[column], other[column]) is None
    other.attrs["source"] = "b.csv"
    assert str(find_difference(frame, other)).startswith("value.attrs['source']")


def test_labels_of_rows_are_compared_by_level() -> None:
    """Levels, their names, duplicate columns and empty frames are told apart."""
    index = pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["x", "y"])
    frame = pd.DataFrame({"v": range(4)}, index=index)
    assert find_difference(frame, frame.copy()) is None
    swapped = frame.set_axis(index.set_levels([1, 3], level=1))
    assert "get_level_values(1)[1]" in str(find_difference(frame, swapped))
    double = pd.DataFrame([[1, 2]], columns=["a", "a"])
    other = pd.DataFrame([[1, 3]], columns=["a", "a"])
    assert "iloc[:, 1].iloc[0]" in str(find_difference(double, other))
    assert find_difference(frame.iloc[:0], frame.iloc[:0].astype("f8")) is not None
    assert find_difference(pd.RangeIndex(3), pd.Index([0, 1, 2])) is not None


def test_estimators_are_compared_by_their_state() -> None:
    """Parameters and every learned number count, deep inside pipelines and forests too."""
    features = np.random.default_rng(0).normal(size=(60, 4))
    target = (features[:, 0] > 0).astype(int)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(features, target)
    again = make_pipeline(StandardScaler(), LogisticRegression()).fit(features, target)
    assert find_difference(model, again) is None
    again[1].coef_[0, 3] += 1e-15
    found = find_difference(model, again, name="model")
    assert found is not None
    assert found.path == "model.steps[1][1].coef_[0, 3]"
    forests = [RandomForestClassifier(5, random_state=n).fit(features, target) for n in (0, 0, 1)]
    assert find_difference(forests[0], pickle.loads(pickle.dumps(forests[1]))) is None
    forests[2].random_state = 0
    assert find_difference(forests[0], forests[2]) is not None


def test_random_generators_are_compared_by_state() -> None:
    """A generator that has drawn once more is another; comparing draws nothing."""
    for make in (np.random.default_rng, np.random.RandomState):
        first, second = make(0), make(0)
        assert find_difference(first, second) is None
        second.random()
        assert find_difference(first, second) is not None
        assert first.random() == make(0).random()


def draw(title: str, line: list[int]) -> matplotlib.figure.Figure:
    """Draw a small figure with a layout that drawing moves."""
    figure = matplotlib.figure.Figure(figsize=(2, 2), layout="tight")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot(line)
    axes.set_title(title)
    return figure


def test_figures_are_compared_by_pixels() -> None:
    """What is seen counts; neither figure is drawn on, nor opened among pyplot's."""
    figure, same, other = draw("a", [1, 2]), draw("a", [1, 2]), draw("a", [2, 1])
    place = figure.axes[0].get_position().bounds
    assert find_difference(figure, same) is None
    found = find_difference(figure, other, name="fig")
    assert found is not None
    assert found.path.startswith("fig.pixels[")
    assert "pixels differ" in found.pipeline
    assert figure.axes[0].get_position().bounds == place
    assert find_difference(figure.axes[0], same.axes[0]) is None
    assert find_difference(figure.axes[0].lines[0], other.axes[0].lines[0]) is not None
    small = draw("a", [1, 2])
    small.set_size_inches(1, 1)
    assert isinstance(found := find_difference(figure, small), Difference)
    assert found.kind == "shape"


def test_figures_that_cannot_be_copied_are_not_equal() -> None:
    """A figure that holds what nothing can copy is said to be incomparable."""
    with mpl.rc_context():
        figure, other = draw("a", [1]), draw("a", [1])
        for each in (figure, other):
            each.stuck = (n for n in range(3))  # type: ignore[attr-defined]
        found = find_difference(figure, other)
    assert found is not None
    assert found.kind == "not comparable"


def test_polars_frames_are_compared_by_column() -> None:
    """Types and values of each column count; a lazy frame's data stay open."""
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        {"a": [1.0, None, float("nan")], "b": ["x", "y", None], "c": [[1], [2], []]}
    )
    assert find_difference(frame, frame.clone()) is None
    assert find_difference(frame, pickle.loads(pickle.dumps(frame))) is None
    for change, path in [
        (pl.col("a").fill_null(0.0), "value['a'][1]"),
        (pl.col("b").fill_null("z"), "value['b'][2]"),
        (pl.col("a").cast(pl.Float32), "value['a']"),
        (pl.Series("c", [[1], [3], []]), "value['c'][1][0]"),
    ]:
        found = find_difference(frame, frame.with_columns(change))
        assert found is not None
        assert found.path == path


def test_copies_do_not_share_with_their_source() -> None:
    """A deep copy of a whole namespace is the same namespace."""
    array = np.arange(4)
    names = {"a": array, "t": array.T, "frame": make_frame(), "model": StandardScaler()}
    assert compare_names(names, copy.deepcopy(names)).difference is not None  # the view is gone
    del names["t"]
    assert compare_names(names, copy.deepcopy(names)).difference is None

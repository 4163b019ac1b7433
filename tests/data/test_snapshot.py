"""A snapshot reads back as exactly what was kept, or only its fingerprint is kept."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse  # type: ignore[import-untyped]

from mlops_nb.data import fingerprint, load_frame, store_frame
from mlops_nb.errors import InvalidValueError, MLOpsError, NotFoundError
from mlops_nb.store import Store


def _rich() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "i": np.arange(4),
            "i8": np.arange(4, dtype=np.int8),
            "f": [0.5, np.nan, -0.0, np.inf],
            "s": ["a", None, "", "ä\U0001f600"],
            "o": pd.Series(["a", None, "b", "c"], dtype=object),
            "m": pd.Series(["a", float("nan"), "b", "c"], dtype=object),
            "b": [True, False, True, True],
            "c": pd.Categorical(list("xyxx"), categories=["y", "x", "z"], ordered=True),
            "n": pd.array([1, pd.NA, 3, 4], dtype="Int64"),
            "t": pd.to_datetime(["2026-01-01", "NaT", "2026-01-03", "2026-01-04"]),
            "z": pd.date_range("2026-03-28", periods=4, freq="12h", tz="Europe/Paris"),
            "d": pd.to_timedelta([1, 2, 3, 4], unit="s"),
        }
    )


EXACT: dict[str, Any] = {
    "rich": _rich,
    "multiindex": lambda: _rich().set_index(["s", "i"]),
    "named index": lambda: _rich().rename_axis("row"),
    "times with a frequency": lambda: pd.DataFrame(
        {"v": [1, 2, 3]}, index=pd.date_range("2026-01-01", periods=3, freq="D", name="day")
    ),
    "no rows": lambda: _rich().iloc[:0],
    "no columns": lambda: pd.DataFrame(index=range(3)),
    "nothing": pd.DataFrame,
    "integer labels": lambda: pd.DataFrame(np.eye(2)),
    "series": lambda: _rich()["c"],
    "series without a name": lambda: pd.Series([1.5, None]),
    "filtered": lambda: _rich()[[True, False, True, False]],
}

PERHAPS: dict[str, Any] = {
    "labels twice": lambda: pd.DataFrame(np.eye(2), columns=["a", "a"]),
    "two levels of columns": lambda: pd.DataFrame({("a", 1): [1], ("a", 2): [2]}),
    "mixed labels": lambda: pd.DataFrame({"a": [1], 2: [3]}),
    "two kinds of missing": lambda: pd.DataFrame(
        {"o": pd.Series(["a", None, float("nan")], dtype=object)}
    ),
    "objects": lambda: pd.DataFrame({"o": [1, "a", (2,)]}),
    "integers as objects": lambda: pd.DataFrame({"o": pd.Series([1, 2], dtype=object)}),
    "periods": lambda: pd.DataFrame({"p": pd.period_range("2026-01", periods=3, freq="M")}),
    "intervals": lambda: pd.DataFrame({"p": pd.interval_range(0, 3)}),
    "sparse": lambda: pd.DataFrame({"p": pd.arrays.SparseArray([0.0, 1.0])}),
    "lists": lambda: pd.DataFrame({"p": [[1, 2], [3]]}),
    "nanoseconds": lambda: _rich().astype({"t": "datetime64[ns]"}),
    "notes": lambda: pd.DataFrame({"a": [1]}).assign(),
    "series named by a number": lambda: pd.Series([1], name=3),
    "index of times": lambda: pd.Index(pd.date_range("2026-01-01", periods=2)),
}


def _assert_same(again: Any, obj: Any) -> None:
    if isinstance(obj, pd.DataFrame):
        pd.testing.assert_frame_equal(again, obj, check_exact=True, check_freq=True)
        assert type(again.index) is type(obj.index)
        assert type(again.columns) is type(obj.columns)
    elif isinstance(obj, pd.Series):
        pd.testing.assert_series_equal(again, obj, check_exact=True, check_freq=True)
    elif hasattr(obj, "tocsr"):
        assert again.dtype == obj.dtype
        assert (again != obj.tocsr()).nnz == 0
    else:
        assert again.dtype == np.asarray(obj).dtype
        np.testing.assert_array_equal(again, np.asarray(obj))


@pytest.mark.parametrize("case", EXACT)
def test_common_frames_read_back_exactly(case: str, store: Store) -> None:
    """Values, types, labels, index and frequency come back as they were."""
    obj = EXACT[case]()
    record = store_frame(store, obj, "data", role="X")
    assert record.digest is not None
    assert (record.name, record.role) == ("data", "X")
    _assert_same(load_frame(store, record), obj)


@pytest.mark.parametrize("case", PERHAPS)
def test_unusual_frames_are_exact_or_fingerprint_only(case: str, store: Store) -> None:
    """What would not come back exactly is kept by its fingerprint, never as something else."""
    obj = PERHAPS[case]()
    record = store_frame(store, obj)
    assert len(record.fingerprint) == 64
    if record.digest is not None:
        _assert_same(load_frame(store, record), obj)


@pytest.mark.parametrize(
    "obj",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.array(["a", "bb"]),
        np.array(["2026-01-01", "NaT"], dtype="datetime64[D]"),
        np.zeros((0, 3), dtype=np.float32),
        np.array(1.5),
        [1, 2, 3],
        sparse.csr_matrix(np.eye(3)),
        sparse.csc_matrix(np.eye(3, dtype=np.int8)),
    ],
    ids=["2d", "fortran", "text", "times", "empty", "scalar", "list", "csr", "csc"],
)
def test_arrays_read_back_exactly(obj: Any, store: Store) -> None:
    """Arrays, lists and sparse matrices come back with their values, types and shapes."""
    record = store_frame(store, obj)
    assert record.digest is not None
    _assert_same(load_frame(store, record), obj)


def test_nothing_is_pickled(store: Store) -> None:
    """An array of objects is kept by fingerprint only."""
    record = store_frame(store, np.array([{"a": 1}, None], dtype=object))
    assert record.digest is None
    with pytest.raises(NotFoundError):
        load_frame(store, record)


def test_attributes_come_back_or_only_the_fingerprint_is_kept(store: Store) -> None:
    """A frame with notes in ``attrs`` is not read back without them."""
    frame = pd.DataFrame({"a": [1, 2]})
    frame.attrs["source"] = "survey"
    record = store_frame(store, frame)
    if record.digest is not None:
        assert load_frame(store, record).attrs == {"source": "survey"}


def test_over_the_limit_only_the_fingerprint_is_kept(store: Store) -> None:
    """Data over the byte limit cost no disk, and their fingerprint is still over all values."""
    array = np.zeros(1000)
    record = store_frame(store, array, limit_bytes=100)
    assert record.digest is None
    whole = fingerprint(array)
    assert whole is not None
    assert record.fingerprint == whole.fingerprint


def test_same_content_is_kept_once(store: Store) -> None:
    """Two frames with the same content are one object."""
    one, other = store_frame(store, _rich()), store_frame(store, _rich().copy())
    assert one.digest == other.digest


def test_unknown_data_and_foreign_objects_are_refused(store: Store) -> None:
    """What is no data is refused, and so is an object that is no snapshot."""
    with pytest.raises(InvalidValueError, match="expected a frame"):
        store_frame(store, object())
    record = store_frame(store, [1, 2])
    foreign = store.objects.put_bytes(b"something else\n")
    with pytest.raises(InvalidValueError, match="a data snapshot"):
        load_frame(store, dataclasses.replace(record, digest=foreign))
    with pytest.raises(MLOpsError):
        load_frame(store, dataclasses.replace(record, digest="0" * 64))


_cells = st.one_of(st.none(), st.integers(-5, 5), st.floats(allow_nan=True), st.text(max_size=3))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(_cells, _cells), max_size=5), st.booleans())
def test_any_frame_is_exact_or_fingerprint_only(
    store: Store, rows: list[tuple[Any, Any]], as_index: bool
) -> None:
    """No mixture of values makes a snapshot that differs from the frame."""
    frame = pd.DataFrame(rows, columns=["a", "b"])
    if as_index:
        frame = frame.set_index("a")
    try:
        record = store_frame(store, frame)
    except InvalidValueError:
        return
    if record.digest is not None:
        _assert_same(load_frame(store, record), frame)

"""A fingerprint says the same about the same content and something else about anything else."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlops_nb
from mlops_nb.data import fingerprint


def _frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "i": np.arange(6, dtype=np.int64),
            "f": [0.5, np.nan, 2.0, -0.0, 4.0, 5.5],
            "s": ["a", "bb", None, "", "ä", "a"],
            "b": [True, False, True, True, False, False],
            "t": pd.date_range("2026-01-01", periods=6, freq="D"),
            "z": pd.date_range("2026-01-01", periods=6, freq="h", tz="Europe/Paris"),
            "c": pd.Categorical(list("xyxyxx"), categories=["x", "y", "unused"]),
            "n": pd.array([1, None, 3, 4, 5, 6], dtype="Int64"),
            "d": pd.to_timedelta(range(6), unit="s"),
        }
    )


def _print(obj: Any) -> str:
    record = fingerprint(obj)
    assert record is not None
    return record.fingerprint


SAME: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "copy": lambda df: df.copy(),
    "shallow copy": lambda df: df.copy(deep=False),
    "pickle": lambda df: pickle.loads(pickle.dumps(df)),
    "row slices put together": lambda df: pd.concat([df.iloc[:2], df.iloc[2:]]),
    "every second row taken out and back": lambda df: pd.concat(
        [df.iloc[::2], df.iloc[1::2]]
    ).sort_index(),
    "object text": lambda df: df.assign(s=df["s"].astype(object)),
    "arrow text": lambda df: df.assign(s=df["s"].astype(pd.ArrowDtype(pa.string()))),
    "arrow large text": lambda df: df.assign(s=df["s"].astype(pd.ArrowDtype(pa.large_string()))),
    "nanoseconds": lambda df: df.assign(t=df["t"].astype("datetime64[ns]")),
    "seconds": lambda df: df.assign(t=df["t"].astype("datetime64[s]")),
    "zoned seconds": lambda df: df.assign(z=df["z"].dt.as_unit("s")),
    "durations in ns": lambda df: df.assign(d=df["d"].astype("timedelta64[ns]")),
    "another NaN": lambda df: df.assign(
        f=np.array([0.5, np.copysign(np.nan, -1.0), 2.0, -0.0, 4.0, 5.5])
    ),
    "big endian": lambda df: df.assign(f=df["f"].to_numpy().astype(">f8")),
    "arrow integers": lambda df: df.assign(i=df["i"].astype(pd.ArrowDtype(pa.int64()))),
    "index spelled out": lambda df: df.set_axis(np.arange(6, dtype=np.int64), axis=0),
}

DIFFERENT: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "last value of a float": lambda df: df.assign(f=[0.5, np.nan, 2.0, -0.0, 4.0, 5.6]),
    "one text": lambda df: df.assign(s=pd.Series(["a", "bb", None, "", "a", "a"])),
    "empty text for missing": lambda df: df.assign(s=df["s"].fillna("")),
    "text moved over a border": lambda df: df.assign(s=pd.Series(["ab", "b", None, "", "ä", "a"])),
    "one flag": lambda df: df.assign(b=[True, False, True, True, False, True]),
    "shifted times": lambda df: df.assign(t=df["t"] + pd.Timedelta(seconds=1)),
    "another zone": lambda df: df.assign(z=df["z"].dt.tz_convert("UTC")),
    "order of categories": lambda df: df.assign(
        c=df["c"].cat.reorder_categories(["y", "x", "unused"])
    ),
    "unused category dropped": lambda df: df.assign(c=df["c"].cat.remove_unused_categories()),
    "ordered": lambda df: df.assign(c=df["c"].cat.as_ordered()),
    "text for category": lambda df: df.assign(c=df["c"].astype(object)),
    "narrower integers": lambda df: df.assign(i=df["i"].astype("int32")),
    "missing for a number": lambda df: df.assign(n=pd.array([1, 2, 3, 4, 5, 6], dtype="Int64")),
    "column name": lambda df: df.rename(columns={"i": "j"}),
    "column name of another type": lambda df: df.rename(columns={"i": 1}),
    "column order": lambda df: df[list(df.columns[::-1])],
    "row order": lambda df: df.iloc[::-1].reset_index(drop=True),
    "index": lambda df: df.set_axis(range(1, 7), axis=0),
    "index name": lambda df: df.rename_axis("row"),
    "fewer rows": lambda df: df.iloc[:5],
    "no rows": lambda df: df.iloc[:0],
}


@pytest.mark.parametrize("change", SAME)
def test_same_content_same_fingerprint(change: str) -> None:
    """How the values lie in memory is not part of the identity."""
    frame = _frame()
    assert _print(SAME[change](frame)) == _print(frame)


@pytest.mark.parametrize("change", DIFFERENT)
def test_other_content_other_fingerprint(change: str) -> None:
    """Every value, name, type, category and index row is part of the identity."""
    frame = _frame()
    assert _print(DIFFERENT[change](frame)) != _print(frame)


def test_equal_in_another_process() -> None:
    """Another hash seed in another process gives the same digest."""
    code = (
        "import pandas as pd\nfrom mlops_nb.data import fingerprint\n"
        "f = pd.DataFrame({'a': [1, 2], 'b': ['x', None], 'o': [{'k': 1}, [2]]})\n"
        "print(fingerprint(f).fingerprint)"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(mlops_nb.__file__).parents[1],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_record_describes_the_data() -> None:
    """Kind, shape, columns, name and role are in the record."""
    record = fingerprint(_frame(), "train", "X")
    assert record is not None
    assert (record.kind, record.name, record.role, record.shape) == ("frame", "train", "X", (6, 9))
    assert record.columns[0] == ("i", "int64")
    assert record.columns[6] == ("c", "category")
    assert record.size_bytes > 6 * 8


def test_repeated_labels_multiindex_and_no_columns() -> None:
    """Frames with labels that occur twice, several index levels or no column have a fingerprint."""
    twice = pd.DataFrame(np.eye(3), columns=["a", "a", "b"])
    assert _print(twice) != _print(twice.iloc[:, [0, 2, 1]])
    rows = pd.MultiIndex.from_product([["x", "y"], [1, 2]], names=["k", None])
    deep = pd.DataFrame({("p", 1): range(4), ("p", 2): range(4)}, index=rows)
    assert _print(deep) == _print(deep.copy())
    assert _print(deep) != _print(deep.rename_axis(["k", "l"]))
    assert _print(pd.DataFrame(index=range(3))) != _print(pd.DataFrame(index=range(4)))


def test_other_pandas_types() -> None:
    """Periods, intervals, sparse columns, dates, decimals, lists and dicts have a fingerprint."""
    import datetime
    import decimal

    columns: list[Any] = [
        pd.period_range("2026-01", periods=2, freq="M"),
        pd.interval_range(0, 2),
        pd.arrays.SparseArray([0.0, 1.0]),
        [datetime.date(2026, 1, 1), None],
        [decimal.Decimal("1.5"), decimal.Decimal(2)],
        [[1, 2], [3]],
        [{"a": 1}, {"a": None}],
        [b"x", b"yy"],
    ]
    digests = set()
    for values in columns:
        record = fingerprint(pd.DataFrame({"v": values}))
        assert record is not None
        assert record == fingerprint(pd.DataFrame({"v": values}))
        digests.add(record.fingerprint)
    assert len(digests) == len(columns)


def test_values_without_an_arrow_type_are_marked() -> None:
    """Objects that had to be pickled are marked as such; what cannot be pickled has no record."""
    mixed = fingerprint(pd.DataFrame({"o": [1, "a", (2,)]}))
    assert mixed is not None
    assert mixed.kind == "object"
    assert fingerprint(pd.DataFrame({"o": [threading.Lock()]})) is None


def test_array_layout_is_not_identity() -> None:
    """Order, strides, byte order and subclasses of an array do not matter; shape and type do."""
    array = np.arange(24, dtype=np.float64).reshape(4, 6)
    same = [np.asfortranarray(array), array.astype(">f8"), np.hstack([array, array])[:, :6]]
    assert {_print(one) for one in same} == {_print(array)}
    others: list[Any] = [array.T, array.ravel(), array.astype(np.float32), array + 1, array[:3]]
    assert len({_print(one) for one in [array, *others]}) == 6


def test_array_larger_than_a_block() -> None:
    """An array of several blocks is read to its last value in any order of axes."""
    array = np.zeros((3_000_000, 2))
    before = _print(array)
    assert _print(np.asfortranarray(array)) == before
    array[-1, -1] = 1.0
    assert _print(array) != before


def test_other_arrays() -> None:
    """Zero axes, zero rows, text, bytes, times, structures, masks and objects have a fingerprint."""
    arrays: list[Any] = [
        np.array(1.5),
        np.zeros((0, 3)),
        np.array(["a", "bb"]),
        np.array([b"a", b"bb"]),
        np.array(["2026-01-01", "NaT"], dtype="datetime64[D]"),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        np.ma.masked_array([1, 2], mask=[False, True]),
        np.array([1 + 2j]),
        np.array([None, "x"], dtype=object),
        np.array([True]),
    ]
    assert len({_print(one) for one in arrays}) == len(arrays)
    assert _print(np.array(["a", "bb"], dtype="<U9")) == _print(np.array(["a", "bb"]))
    hidden = np.ma.masked_array([1, 99], mask=[False, True])
    assert _print(hidden) == _print(arrays[6])


def test_sparse_matrices() -> None:
    """Formats, order and stored zeros do not matter, values do; the matrix keeps its attributes."""
    from scipy import sparse  # type: ignore[import-untyped]

    dense = np.array([[0.0, 1.0, 0.0], [2.0, 0.0, 3.0]])
    rows = sparse.csr_matrix(dense)
    unsorted = sparse.csr_matrix((rows.data[[0, 2, 1]], rows.indices[[0, 2, 1]], rows.indptr))
    stored = sparse.coo_matrix(([1.0, 2.0, 3.0, 0.0], ([0, 1, 1, 0], [1, 0, 2, 0])), shape=(2, 3))
    before = dict(vars(unsorted))
    others = [sparse.csc_matrix(dense), sparse.coo_matrix(dense), sparse.csr_array(dense)]
    assert {_print(one) for one in [*others, unsorted, stored]} == {_print(rows)}
    assert vars(unsorted).keys() == before.keys()
    assert _print(rows * 2) != _print(rows)


def test_lists_and_unknown_objects() -> None:
    """A list of numbers is like its array; nested lists and unknown objects have no fingerprint."""
    assert _print([1.0, 2.0]) == _print(np.array([1.0, 2.0]))
    assert _print((1, 2)) == _print([1, 2])
    unknown: list[Any] = [[], [[1], [2]], [object()], object(), None, 3, "text", {"a": 1}]
    assert [fingerprint(one) for one in unknown] == [None] * len(unknown)


def test_tensors() -> None:
    """A tensor has its array's fingerprint; half-precision kinds are told apart."""
    torch = pytest.importorskip("torch")
    values = torch.arange(6.0).reshape(2, 3).requires_grad_()
    assert _print(values) == _print(values.detach().numpy())
    assert _print(values.T.contiguous().T) == _print(values)
    assert _print(values.to(torch.bfloat16)) != _print(values.to(torch.float16))


def test_over_the_limit_only_a_sample_is_read() -> None:
    """A sampled fingerprint says so, still sees shape and sampled rows, and is much cheaper."""
    array = np.zeros((200_000, 2))
    record = fingerprint(array, limit_bytes=1000)
    assert record is not None
    assert record.fingerprint.startswith("sampled-")
    assert (record.shape, record.size_bytes) == ((200_000, 2), array.nbytes)
    array[0, 0] = 1.0
    changed = fingerprint(array, limit_bytes=1000)
    assert changed is not None
    assert changed.fingerprint != record.fingerprint
    whole = fingerprint(array, limit_bytes=array.nbytes)
    assert whole is not None
    assert not whole.fingerprint.startswith("sampled-")


def test_large_sparse_matrix_is_sampled_without_conversion() -> None:
    """A column-wise matrix over the limit is sampled from its buffers, not turned into rows."""
    from scipy import sparse

    matrix = sparse.random(2000, 2000, density=0.05, format="csc", random_state=0)
    record = fingerprint(matrix, limit_bytes=1000)
    assert record is not None
    assert record.fingerprint.startswith("sampled-")
    assert record.kind == "sparse"
    assert record.shape == (2000, 2000)


def test_arrow_table_equals_pandas_frame() -> None:
    """A table of PyArrow has the fingerprint of the same frame, however its columns are chunked."""
    frame = pd.DataFrame({"a": [1.5, 2.5, 3.5], "b": ["x", "y", None]})
    table = pa.Table.from_pandas(frame, preserve_index=False)
    record = fingerprint(table)
    assert record is not None
    assert (record.kind, record.shape) == ("frame", (3, 2))
    assert record.fingerprint == _print(frame)
    assert _print(pa.concat_tables([table.slice(0, 1), table.slice(1)])) == _print(frame)
    assert _print(table.slice(1)) != _print(frame)


def test_polars_frame_equals_pandas_frame() -> None:
    """Where polars is loaded its frames have the fingerprint of the same pandas frame."""
    polars = pytest.importorskip("polars")
    values = {"a": [1, 2], "b": ["x", None], "c": [0.5, 1.5]}
    assert _print(polars.DataFrame(values)) == _print(pd.DataFrame(values))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.text(max_size=4)), max_size=8),
    st.lists(st.one_of(st.none(), st.text(max_size=4)), max_size=8),
)
def test_text_columns_agree_with_equality(one: list[str | None], other: list[str | None]) -> None:
    """Two text columns have one fingerprint exactly when they hold the same texts."""
    first = pd.Series(one, dtype=object)
    second = pd.Series(other, dtype=object)
    assert (_print(first) == _print(second)) == (one == other)


def test_golden_value() -> None:
    """The digest of a fixed frame never changes: pandas 2 and 3 and every later release agree on it."""
    golden = "1da6d17bbfb5482e4b03c666e6ea23ad97e21e916d09613b27f1750953770c47"
    assert _print(_frame()) == golden

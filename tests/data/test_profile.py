"""What a kept data set holds is told by column."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import sparse  # type: ignore[import-untyped]

from mlops_nb.data import store_frame
from mlops_nb.data.profile import profile_data
from mlops_nb.errors import InvalidValueError, NotFoundError
from mlops_nb.store import Store


def test_columns_are_told_apart(store: Store) -> None:
    """Numbers have mean and range, infinities left out; all have missing and distinct values."""
    frame = pd.DataFrame(
        {
            "a": [1.0, np.nan, 3.0, np.inf],
            "b": ["x", "x", None, "y"],
            "c": [True, False, True, True],
        }
    )
    found = profile_data(store, store_frame(store, frame))
    assert (found.rows, found.column_count) == (4, 3)
    a, b, c = found.columns
    assert (a.missing, a.distinct, a.mean, a.least, a.greatest) == (1, 3, 2.0, 1.0, 3.0)
    assert (b.name, b.missing, b.distinct, b.mean) == ("b", 1, 2, None)
    assert (c.type, c.distinct, c.mean) == ("bool", 2, None)


def test_arrays_series_and_matrices_are_tables(store: Store) -> None:
    """Whatever is kept has columns; very wide data show their first."""
    for data, shape in (
        (np.arange(6.0).reshape(3, 2), (3, 2)),
        (pd.Series([1, 2, 3], name="y"), (3, 1)),
        (sparse.csr_matrix(np.eye(3)), (3, 3)),
        (np.zeros((2, 300)), (2, 300)),
    ):
        found = profile_data(store, store_frame(store, data))
        assert (found.rows, found.column_count) == shape
        assert len(found.columns) == min(shape[1], 200)


def test_what_cannot_be_told_is_refused(store: Store) -> None:
    """Three axes, data too large, and data of which only the fingerprint is kept."""
    with pytest.raises(InvalidValueError, match="axes"):
        profile_data(store, store_frame(store, np.zeros((2, 2, 2))))
    record = store_frame(store, np.zeros(3))
    with pytest.raises(InvalidValueError, match="size"):
        profile_data(store, dataclasses.replace(record, size_bytes=1 << 40))
    with pytest.raises(NotFoundError, match="snapshot of data"):
        profile_data(store, dataclasses.replace(record, digest=None))

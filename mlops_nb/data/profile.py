"""What a kept data set holds, column by column."""

from __future__ import annotations

from typing import Any

from mlops_nb.data.snapshot import load_frame
from mlops_nb.errors import InvalidValueError
from mlops_nb.records import ColumnProfile, DatasetProfile, DatasetRecord
from mlops_nb.store import Store

_MOST_COLUMNS = 200
_MOST_BYTES = 256 << 20


def profile_data(store: Store, record: DatasetRecord) -> DatasetProfile:
    """Describe the columns of data whose bytes are kept.

    Parameters
    ----------
    store
        Where the bytes are.
    record
        As `store_frame` gave it.

    Returns
    -------
    DatasetProfile
        Of arrays, each column of the first two axes; of series, one column.

    Raises
    ------
    NotFoundError
        Only the fingerprint was kept.
    InvalidValueError
        The data are too large, or no table.
    """
    if record.size_bytes > _MOST_BYTES:
        raise InvalidValueError("size of the data in bytes", record.size_bytes, f"<= {_MOST_BYTES}")
    frame = _make_frame(load_frame(store, record))
    columns = [
        _profile(frame.iloc[:, place]) for place in range(min(frame.shape[1], _MOST_COLUMNS))
    ]
    return DatasetProfile(len(frame), frame.shape[1], tuple(columns))


def _make_frame(data: Any) -> Any:
    import pandas as pd

    if isinstance(data, pd.Series):
        return data.to_frame()
    if isinstance(data, pd.DataFrame):
        return data
    if hasattr(data, "tocsc"):
        data = data.tocsc()[:, :_MOST_COLUMNS].toarray()
    if data.ndim not in (1, 2):
        raise InvalidValueError("shape of the data", data.shape, "one or two axes")
    return pd.DataFrame(data.reshape(len(data), -1))


def _profile(column: Any) -> ColumnProfile:
    import numpy as np
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    values = column.dropna()
    try:
        distinct = int(values.nunique())
    except TypeError:  # lists and the like cannot be told apart
        distinct = len(values)
    figures: dict[str, float] = {}
    kind = column.dtype
    if is_numeric_dtype(kind) and not is_bool_dtype(kind) and getattr(kind, "kind", "") != "c":
        finite = values.astype(float)
        finite = finite[np.isfinite(finite)]
        if len(finite):
            figures = {
                "mean": float(finite.mean()),
                "least": float(finite.min()),
                "greatest": float(finite.max()),
            }
    missing = len(column) - len(values)
    return ColumnProfile(str(column.name), str(kind), missing, distinct, **figures)

"""Fingerprint of data: one digest over every value, whatever object holds them."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

from mlops_nb.data.values import Hasher, add_array, add_arrow, add_objects
from mlops_nb.records import DatasetRecord

_SAMPLE_ROWS = 16_384
SAMPLED = "sampled-"


def fingerprint(
    obj: Any, name: str = "", role: str = "", *, limit_bytes: int | None = None
) -> DatasetRecord | None:
    """Identify data by their content.

    Two objects with the same values, names and types have the same fingerprint, however they lie
    in memory; the text types of pandas 2 and 3 count as one.

    Parameters
    ----------
    obj
        pandas frame, series or index, NumPy array, SciPy sparse matrix, torch tensor, polars
        frame or series, PyArrow table, or a list or tuple of numbers or texts.
    name, role
        Kept in the record, not part of the fingerprint.
    limit_bytes
        Above this size only evenly spread rows are read; the fingerprint then begins with
        ``sampled-`` and proves nothing about the rows between.

    Returns
    -------
    DatasetRecord or None
        None where `obj` is not data of a known kind. Kind ``object`` says that some values had to
        be pickled: equal data may then have different fingerprints.
    """
    if _choose_reader(obj) is None:
        return None
    sampled = limit_bytes is not None and _measure(obj) > limit_bytes
    source = _take_rows(obj) if sampled else obj
    record: DatasetRecord | None = _choose_reader(source)(source)
    if record is None:
        return None
    changes: dict[str, Any] = {"name": name, "role": role}
    if sampled:
        hasher = Hasher()
        hasher.add_text(f"{SAMPLED}{_shape(obj)}")
        hasher.add_text(record.fingerprint)
        changes["fingerprint"] = SAMPLED + hasher.hexdigest()
        changes["shape"], changes["size_bytes"] = _shape(obj), _measure(obj)
        changes["kind"] = "sparse" if hasattr(obj, "tocsr") else record.kind
    return dataclasses.replace(record, **changes)


def _choose_reader(obj: Any) -> Any:
    """Find the reader without importing a library: what is not loaded cannot have made `obj`."""
    pandas, numpy = sys.modules.get("pandas"), sys.modules.get("numpy")
    if pandas is not None and hasattr(pandas, "DataFrame"):
        if isinstance(obj, pandas.DataFrame):
            return _read_frame
        if isinstance(obj, pandas.Series):
            return _read_series
        if isinstance(obj, pandas.Index):
            return _read_index
    if numpy is not None and hasattr(numpy, "ndarray") and isinstance(obj, numpy.ndarray):
        return _read_array
    module = type(obj).__module__.partition(".")[0]
    known = {
        "scipy": ("tocsr", _read_sparse),
        "torch": ("detach", _read_tensor),
        "polars": ("to_arrow", _read_polars),
        "pyarrow": ("column_names", _read_table),
    }
    if module in known and hasattr(obj, known[module][0]):
        return known[module][1]
    return _read_list if (type(obj) is list or type(obj) is tuple) and obj else None


def _finish(hasher: Hasher, kind: str, obj: Any, columns: Any) -> DatasetRecord | None:
    if hasher.failed:
        return None
    return DatasetRecord(
        fingerprint=hasher.hexdigest(),
        kind="object" if hasher.opaque else kind,
        shape=_shape(obj),
        columns=tuple((str(label), str(dtype)) for label, dtype in columns),
        size_bytes=_measure(obj),
    )


def _shape(obj: Any) -> tuple[int, ...]:
    return tuple(int(n) for n in obj.shape) if hasattr(obj, "shape") else (len(obj),)


def _measure(obj: Any) -> int:
    """Give the size in bytes as far as it is known without looking at values."""
    if hasattr(obj, "memory_usage"):
        usage = obj.memory_usage(deep=False)
        return int(usage.sum()) if hasattr(usage, "sum") else int(usage)
    if hasattr(obj, "estimated_size"):
        return int(obj.estimated_size())
    if hasattr(obj, "tocsr"):
        return sum(int(getattr(part, "nbytes", 0)) for part in _list_parts(obj))
    return int(obj.nbytes) if hasattr(obj, "nbytes") else 8 * len(obj)


def _list_parts(matrix: Any) -> list[Any]:
    names = ("data", "indices", "indptr", "row", "col")
    return [getattr(matrix, name) for name in names if hasattr(matrix, name)]


def _take_rows(obj: Any) -> Any:
    count = _shape(obj)[0]
    step = max(1, count // _SAMPLE_ROWS)
    if hasattr(obj, "tocsr"):
        return _sample_sparse(obj)
    if hasattr(obj, "iloc"):
        return obj.iloc[::step]
    return obj[::step]


def _sample_sparse(obj: Any) -> Any:
    """Spread over the stored buffers: slicing rows of a column-wise matrix would read all of it."""
    import numpy as np

    chosen = [
        part[:: max(1, len(part) // _SAMPLE_ROWS)].astype(np.float64).ravel()
        for part in _list_parts(obj)
        if isinstance(part, np.ndarray) and part.dtype.kind in "biuf"
    ]
    return np.concatenate(chosen) if chosen else np.zeros(0)


def _add_index(hasher: Hasher, index: Any) -> None:
    import numpy as np
    import pandas as pd

    for name in index.names:
        _add_label(hasher, name)
    if isinstance(index, pd.MultiIndex):
        for level in range(index.nlevels):
            _add_column(hasher, index.get_level_values(level))
        return
    if isinstance(index, pd.RangeIndex):
        plain = index.start == 0 and index.step == 1
    else:
        plain = index.dtype == np.int64 and bool(
            (index.to_numpy() == np.arange(len(index), dtype=np.int64)).all()
        )
    if plain:
        hasher.add_text(f"rows 0 to {len(index)}")
    else:
        _add_column(hasher, index)


def _add_label(hasher: Hasher, label: Any) -> None:
    if isinstance(label, tuple):
        hasher.add_text(f"tuple {len(label)}")
        for part in label:
            _add_label(hasher, part)
        return
    plain = label.item() if hasattr(label, "item") else label
    hasher.add_text(f"{type(plain).__name__}:{plain}")


def _add_column(hasher: Hasher, column: Any) -> None:
    """Add one pandas series or index."""
    import numpy as np
    import pandas as pd

    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        if dtype.kind == "O":
            add_objects(hasher, column.to_numpy())
        else:
            add_array(hasher, column.to_numpy())
    elif isinstance(dtype, pd.CategoricalDtype):
        hasher.add_text(f"category ordered={bool(dtype.ordered)}")
        _add_column(hasher, dtype.categories)
        codes = column.cat.codes if hasattr(column, "cat") else pd.Series(column.codes)
        add_array(hasher, codes.to_numpy().astype(np.int32))
    elif isinstance(dtype, pd.SparseDtype):
        hasher.add_text("sparse")
        add_array(hasher, np.asarray(column))
    else:
        _add_extension(hasher, column)


def _add_extension(hasher: Hasher, column: Any) -> None:
    import pyarrow as pa

    try:
        converted = pa.array(column, from_pandas=True)
    except (pa.ArrowException, ValueError, TypeError):
        converted = None
    if converted is None or not add_arrow(hasher, converted):
        hasher.add_text(str(column.dtype))
        add_objects(hasher, column.to_numpy(dtype=object))


def _read_frame(frame: Any) -> DatasetRecord | None:
    hasher = Hasher()
    hasher.add_text(f"frame {frame.shape[0]} {frame.shape[1]}")
    for name in frame.columns.names:
        _add_label(hasher, name)
    for label, column in frame.copy(deep=False).items():  # pandas 2 caches columns in the frame
        _add_label(hasher, label)
        _add_column(hasher, column)
    _add_index(hasher, frame.index)
    return _finish(hasher, "frame", frame, zip(frame.columns, frame.dtypes, strict=True))


def _read_series(series: Any) -> DatasetRecord | None:
    hasher = Hasher()
    hasher.add_text("series")
    _add_label(hasher, series.name)
    _add_column(hasher, series)
    _add_index(hasher, series.index)
    return _finish(hasher, "series", series, [(series.name, series.dtype)])


def _read_index(index: Any) -> DatasetRecord | None:
    return _read_series(index.to_series(index=range(len(index))))


def _read_array(array: Any) -> DatasetRecord | None:
    hasher = Hasher()
    hasher.add_text("array")
    add_array(hasher, array)
    return _finish(hasher, "array", array, [("", array.dtype)])


def _read_sparse(matrix: Any) -> DatasetRecord | None:
    import numpy as np
    from scipy import sparse  # type: ignore[import-untyped]

    if len(matrix.shape) != 2:
        return None
    rows = matrix.tocsr()
    # Our own header over the same buffers: asking a matrix for its form writes flags into it.
    rows = sparse.csr_matrix((rows.data, rows.indices, rows.indptr), shape=rows.shape, copy=False)
    if not rows.has_canonical_format or (rows.data == 0).any():
        rows = rows.copy()
        rows.sum_duplicates()
        rows.eliminate_zeros()
    hasher = Hasher()
    hasher.add_text(f"sparse {matrix.shape[0]} {matrix.shape[1]}")
    add_array(hasher, rows.indptr.astype(np.int64))
    add_array(hasher, rows.indices.astype(np.int64))
    add_array(hasher, rows.data)
    return _finish(hasher, "sparse", matrix, [("", matrix.dtype)])


def _read_tensor(tensor: Any) -> DatasetRecord | None:
    import torch

    if tensor.layout is not torch.strided:
        return None
    plain = tensor.detach().cpu()
    name = str(tensor.dtype)
    if plain.dtype == torch.bfloat16:  # NumPy has no such type; its bits stand for it
        plain = plain.view(torch.int16)
    hasher = Hasher()
    if tensor.dtype == torch.bfloat16:
        hasher.add_text(name)
    hasher.add_text("array")
    add_array(hasher, plain.numpy())
    return _finish(hasher, "array", tensor, [("", name)])


def _read_polars(obj: Any) -> DatasetRecord | None:
    hasher = Hasher()
    is_frame = len(obj.shape) == 2
    parts = list(obj.get_columns()) if is_frame else [obj]
    hasher.add_text(f"frame {obj.shape[0]} {obj.shape[1]}" if is_frame else "series")
    if is_frame:
        _add_label(hasher, None)
    for part in parts:
        _add_label(hasher, part.name)
        if not add_arrow(hasher, part.to_arrow()):
            return None
    _add_label(hasher, None)
    hasher.add_text(f"rows 0 to {obj.shape[0]}")
    kind = "frame" if is_frame else "series"
    return _finish(hasher, kind, obj, [(part.name, part.dtype) for part in parts])


def _read_table(obj: Any) -> DatasetRecord | None:
    hasher = Hasher()
    hasher.add_text(f"frame {obj.num_rows} {obj.num_columns}")
    _add_label(hasher, None)
    for name, part in zip(obj.column_names, obj.columns, strict=True):
        _add_label(hasher, name)
        if not add_arrow(hasher, part):
            return None
    _add_label(hasher, None)
    hasher.add_text(f"rows 0 to {obj.num_rows}")
    return _finish(hasher, "frame", obj, [(each.name, each.type) for each in obj.schema])


def _read_list(values: Any) -> DatasetRecord | None:
    if not all(type(value) in {int, float, bool, str, complex} for value in values):
        return None  # nested or of unknown types: not data that a digest could be sure of
    import numpy as np

    array = np.asarray(values)
    return None if array.dtype.kind == "O" else _read_array(array)

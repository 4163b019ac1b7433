"""Snapshots of frames and arrays: bytes that read back to exactly what was kept, or no bytes."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable
from typing import Any

from mlops_nb.data.fingerprint import fingerprint
from mlops_nb.errors import InvalidValueError, NotFoundError
from mlops_nb.records import DatasetRecord
from mlops_nb.store import Store

DEFAULT_LIMIT_BYTES = 256 << 20
_HEADER = b"mlops_nb.data.1 "


def store_frame(
    store: Store,
    obj: Any,
    name: str = "",
    *,
    role: str = "",
    limit_bytes: int = DEFAULT_LIMIT_BYTES,
) -> DatasetRecord:
    """Keep the bytes of data together with their fingerprint.

    The bytes are read back and compared before they count: what would not come back with the same
    values, types, labels and index is recorded by fingerprint only.

    Parameters
    ----------
    store
        Where the bytes go.
    obj
        What `fingerprint` takes. Frames and series are kept as Arrow, arrays as npy, sparse
        matrices by their parts. Nothing is pickled.
    name, role
        Kept in the record.
    limit_bytes
        Larger data are recorded by fingerprint only.

    Returns
    -------
    DatasetRecord
        ``digest`` names the kept object; None where only the fingerprint is kept.

    Raises
    ------
    InvalidValueError
        `obj` is not data of a known kind.
    """
    record = fingerprint(obj, name, role)
    if record is None:
        expected = "a frame, series, array, sparse matrix, tensor or list of numbers"
        raise InvalidValueError("data", type(obj).__name__, expected)
    if record.size_bytes > limit_bytes or record.kind == "object":
        return record
    data = _encode(obj)
    if data is None or len(data) > 2 * limit_bytes + 4096 or not _reads_back(data, obj, record):
        return record
    return dataclasses.replace(record, digest=store.objects.put_bytes(data))


def load_frame(store: Store, record: DatasetRecord) -> Any:
    """Read data back exactly as they were kept.

    Parameters
    ----------
    store
        Where the bytes are.
    record
        As `store_frame` gave it.

    Returns
    -------
    DataFrame, Series, ndarray or csr_matrix
        The data; lists and tensors come back as arrays.

    Raises
    ------
    NotFoundError
        Only the fingerprint was kept, or the store does not have the bytes.
    InvalidValueError
        The object is not a data snapshot.
    CorruptObjectError
        The bytes are not those that were kept.
    """
    if record.digest is None:
        hint = "Keep the bytes with: %mlops snapshot NAME"
        raise NotFoundError("snapshot of data", record.name or record.fingerprint, (), hint)
    return _decode(store.objects.read_bytes(record.digest))


def _encode(obj: Any) -> bytes | None:
    writers: tuple[tuple[Callable[[Any], bool], Callable[[Any], bytes | None]], ...] = (
        (lambda o: type(o).__name__ in {"DataFrame", "Series"} and _is_pandas(o), _encode_pandas),
        (lambda o: hasattr(o, "tocsr"), _encode_sparse),
        (lambda o: _is_pandas(o) or hasattr(o, "to_arrow"), lambda _: None),
        (lambda _: True, _encode_array),
    )
    return next(write(obj) for fits, write in writers if fits(obj))


def _is_pandas(obj: Any) -> bool:
    return type(obj).__module__.partition(".")[0] == "pandas"


def _pack(kind: str, facts: dict[str, Any], body: bytes) -> bytes:
    facts = {"kind": kind, **facts}
    return _HEADER + json.dumps(facts, sort_keys=True).encode() + b"\n" + body


def _encode_pandas(obj: Any) -> bytes | None:
    import pandas as pd
    import pyarrow as pa

    is_series = type(obj).__name__ == "Series"
    frame = obj.to_frame(name=0) if is_series else obj
    if pd.api.types.infer_dtype(frame.columns).startswith("mixed"):
        return None  # Arrow has text labels only, and says so in a warning nobody asked for
    facts: dict[str, Any] = {"freq": getattr(frame.index, "freqstr", None)}
    if isinstance(frame.columns, pd.RangeIndex):
        facts["columns"] = [frame.columns.start, frame.columns.stop, frame.columns.step]
    if is_series:
        if obj.name is not None and not isinstance(obj.name, str):
            return None
        facts["name"] = obj.name
    try:
        table = pa.Table.from_pandas(frame, preserve_index=None)
    except (pa.ArrowException, ValueError, TypeError):
        return None  # labels that occur twice, objects without an Arrow type
    objects = _describe_objects(frame, table)
    if objects is None:
        return None
    facts["objects"] = objects
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        if table.num_rows == 0:  # no batch would be written, and no categories with it
            empty = [column.combine_chunks() for column in table.columns]
            empty = [c.chunk(0) if isinstance(c, pa.ChunkedArray) else c for c in empty]
            writer.write_batch(pa.RecordBatch.from_arrays(empty, schema=table.schema))
        writer.write_table(table)
    return _pack("series" if is_series else "frame", facts, sink.getvalue().to_pybytes())


def _describe_objects(frame: Any, table: Any) -> dict[str, str] | None:
    """Tell for each column of objects what stands for a missing text; None if it holds no text."""
    import pyarrow as pa

    known = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.null())
    found: dict[str, str] = {}
    for position, dtype in enumerate(frame.dtypes):
        if dtype.kind != "O" or not hasattr(dtype, "byteorder"):
            continue
        if table.schema.field(position).type not in known:
            return None  # lists and numbers among objects come back as something else
        column = frame.iloc[:, position]
        kinds = {type(value) for value in column[column.isna().to_numpy()]}
        if not kinds <= {type(None)} and not kinds <= {float}:
            return None
        found[str(position)] = "nan" if float in kinds else "none"
    return found


def _encode_array(obj: Any) -> bytes | None:
    import numpy as np

    plain = obj.detach().cpu() if hasattr(obj, "detach") else obj
    try:
        array = np.asarray(plain)
    except (TypeError, ValueError, RuntimeError):
        return None  # a tensor type that NumPy does not have
    if array.dtype.kind not in "biufcmMSU" or isinstance(plain, np.ma.MaskedArray):
        return None
    return _pack("array", {}, _write_npy(array))


def _write_npy(array: Any) -> bytes:
    import numpy as np

    body = io.BytesIO()
    np.lib.format.write_array(body, np.asarray(array), allow_pickle=False)
    return body.getvalue()


def _encode_sparse(obj: Any) -> bytes | None:
    if len(obj.shape) != 2:
        return None
    rows = obj.tocsr()
    parts = [_write_npy(part) for part in (rows.data, rows.indices, rows.indptr)]
    facts = {"shape": list(obj.shape), "sizes": [len(part) for part in parts]}
    return _pack("sparse", facts, b"".join(parts))


def _decode(data: bytes) -> Any:
    head, newline, body = data.partition(b"\n")
    if not newline or not head.startswith(_HEADER):
        raise InvalidValueError("object", head[:40], "a data snapshot of this package")
    facts = json.loads(head[len(_HEADER) :])
    if facts["kind"] == "array":
        return _read_npy(body)
    if facts["kind"] == "sparse":
        return _decode_sparse(facts, body)
    return _decode_pandas(facts, body)


def _read_npy(body: bytes) -> Any:
    import numpy as np

    return np.lib.format.read_array(io.BytesIO(body), allow_pickle=False)


def _decode_sparse(facts: dict[str, Any], body: bytes) -> Any:
    from scipy import sparse  # type: ignore[import-untyped]

    parts, start = [], 0
    for size in facts["sizes"]:
        parts.append(_read_npy(body[start : start + size]))
        start += size
    return sparse.csr_matrix(tuple(parts), shape=tuple(facts["shape"]))


def _decode_pandas(facts: dict[str, Any], body: bytes) -> Any:
    import pandas as pd
    import pyarrow as pa

    with pa.ipc.open_stream(body) as reader:
        table = reader.read_all()
    frame = table.to_pandas()
    for position, missing in facts["objects"].items():
        values = table.column(int(position)).to_pylist()
        if missing == "nan":
            values = [float("nan") if value is None else value for value in values]
        frame.isetitem(int(position), pd.Series(values, index=frame.index, dtype=object))
    if facts["freq"] is not None:
        frame.index = pd.DatetimeIndex(frame.index, freq=facts["freq"])
    if "columns" in facts:
        start, stop, step = facts["columns"]
        frame.columns = pd.RangeIndex(start, stop, step, name=frame.columns.name)
    if facts["kind"] == "frame":
        return frame
    series = frame.iloc[:, 0]
    series.name = facts["name"]
    return series


def _reads_back(data: bytes, obj: Any, record: DatasetRecord) -> bool:
    try:
        again = _decode(data)
    except Exception:  # noqa: BLE001  (whatever fails to read back is not a snapshot)
        return False
    found = fingerprint(again)
    if found is None or found.fingerprint != record.fingerprint or found.shape != record.shape:
        return False
    return not _is_pandas(obj) or _same_labels(obj, again)


def _same_labels(one: Any, other: Any) -> bool:
    """Compare what a fingerprint leaves open: classes, types and frequency of index and columns."""
    axes = [(one.index, other.index)]
    if hasattr(one, "columns"):
        axes.append((one.columns, other.columns))
        types = list(one.dtypes) == list(other.dtypes)
    else:
        types = one.dtype == other.dtype
    return (
        type(one) is type(other)
        and types
        and dict(one.attrs) == dict(other.attrs)
        and all(
            type(a) is type(b)
            and a.equals(b)
            and list(a.names) == list(b.names)
            and (a.dtypes.equals(b.dtypes) if hasattr(a, "dtypes") else a.dtype == b.dtype)
            and getattr(a, "freq", None) == getattr(b, "freq", None)
            for a, b in axes
        )
    )

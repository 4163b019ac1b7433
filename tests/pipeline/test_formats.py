"""Values in formats that other tools read come back exactly as a pickle would bring them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import safetensors
import torch

from mlops_nb.pipeline.comparing import compare_names
from mlops_nb.pipeline.contentfile import find_file
from mlops_nb.pipeline.digests import digest_value
from mlops_nb.pipeline.payloads import load_payload, open_payload
from mlops_nb.pipeline.rebuild import loading_into
from mlops_nb.pipeline.state import Component
from mlops_nb.pipeline.writing import write_values

KEY = bytes(range(32))
ROWS = 3000


def write(value: Any, folder: Path, *, has_nans: bool = True) -> Component:
    """Write one value as ``x``."""
    return write_values({"x": value}, {}, folder, KEY, has_nans)


def read(part: Component, folder: Path) -> Any:
    """Read ``x``."""
    with loading_into({}):
        return load_payload(part, open_payload(part, folder, KEY))[0]["x"]


def check_same(value: Any, found: Any, kind: str) -> None:
    """Compare in depth, and by content where the format is not a pickle."""
    assert type(found) is type(value)
    if kind != "pickle":  # of some types a copy by pickle has a layout of its own
        assert digest_value({"x": found}, {}) == digest_value({"x": value}, {})
    difference = compare_names({"x": value}, {"x": found}).difference
    assert difference is None, difference


def make_structured() -> Any:
    """Give an array of records."""
    kind = np.dtype([("a", "<i4"), ("b", "<f8", (2,))])
    return np.zeros(ROWS, kind)


def make_readonly() -> Any:
    """Give an array that must not be changed."""
    array = np.arange(ROWS)
    array.flags.writeable = False
    return array


def make_payload_nans() -> Any:
    """Give NaNs with bits of their own, and both zeros."""
    array = np.zeros(ROWS)
    array.view("u8")[:4] = [0x7FF8000000000001, 0xFFF8000000000000, 0x7FF0000000000F01, 1 << 63]
    return array


ARRAYS: dict[str, tuple[Callable[[], Any], str]] = {
    "floats": (lambda: np.linspace(0, 1, ROWS), "npy"),
    "nans": (make_payload_nans, "npy"),
    "rows": (lambda: np.arange(ROWS).reshape(3, -1).copy(), "npy"),
    "columns": (lambda: np.asfortranarray(np.arange(ROWS).reshape(3, -1)), "npy"),
    "reshaped": (lambda: np.arange(ROWS).reshape(3, -1), "npy"),
    "transposed": (lambda: np.arange(ROWS).reshape(3, -1).copy().T, "npy"),
    "cube": (lambda: np.asfortranarray(np.ones((10, 20, 30), "f4")), "npy"),
    "readonly": (make_readonly, "npy"),
    "big-endian": (lambda: np.arange(ROWS, dtype=">i4"), "npy"),
    "bool": (lambda: np.arange(3 * ROWS) % 3 == 0, "npy"),
    "complex": (lambda: np.full(ROWS, 1 + 2j), "npy"),
    "half": (lambda: np.ones(2 * ROWS, "f2"), "npy"),
    "times": (lambda: np.full(ROWS, "NaT", "M8[ns]"), "npy"),
    "spans": (lambda: np.arange(ROWS).astype("m8[D]"), "npy"),
    "texts": (lambda: np.full(ROWS, "héllo"), "npy"),
    "bytes": (lambda: np.full(ROWS, b"hello"), "npy"),
    "records": (make_structured, "npy"),
    "long double": (lambda: np.ones(ROWS, np.longdouble), "npy"),
    "small": (lambda: np.arange(10), "pickle"),
    "empty": (lambda: np.empty((0, 5)), "pickle"),
    "part of another": (lambda: np.arange(2 * ROWS)[:ROWS], "pickle"),
    "with gaps": (lambda: np.arange(2 * ROWS)[::2], "pickle"),
    "backwards": (lambda: np.arange(ROWS)[::-1], "pickle"),
    "repeated": (lambda: np.broadcast_to(np.arange(10), (ROWS, 10)), "pickle"),
    "objects": (lambda: np.array([[1, 2], "a"] * ROWS, dtype=object), "pickle"),
    "named type": (lambda: np.zeros(ROWS, np.dtype("f8", metadata={"unit": "m"})), "pickle"),
    "over bytes": (lambda: np.frombuffer(bytearray(8 * ROWS)), "pickle"),
    "subclass": (lambda: np.zeros(ROWS).view(np.recarray), "pickle"),
    "masked": (lambda: np.ma.masked_less(np.arange(ROWS), 5), "pickle"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_come_back(name: str, tmp_path: Path) -> None:
    """Order, flags, owner, type and every bit of an array stay; the manifest says how it is kept."""
    make, kind = ARRAYS[name]
    array = make()
    part = write(array, tmp_path)
    found = read(part, tmp_path)
    assert part.format == kind
    check_same(array, found, kind)
    if kind == "npy":
        for flag in ("c_contiguous", "f_contiguous", "owndata", "writeable", "aligned"):
            assert getattr(found.flags, flag) == getattr(array.flags, flag), flag
        assert found.strides == array.strides
        assert found.tobytes() == array.tobytes()
        path = find_file(tmp_path, part.file)
        opened = np.load(path, allow_pickle=False)
        assert (opened.dtype, opened.shape) == (array.dtype, array.shape)
        assert opened.tobytes() == array.tobytes()


def test_array_that_came_back_can_grow(tmp_path: Path) -> None:
    """An array of a file owns its memory: it may be resized and changed, and the file stays."""
    array = np.arange(ROWS)
    part = write(array, tmp_path)
    found = read(part, tmp_path)
    found[:] = 0
    found.resize(2 * ROWS, refcheck=False)
    assert found.sum() == 0
    assert read(part, tmp_path).sum() == array.sum()


def make_times() -> Any:
    """Give a frame of dates with an index of dates, gaps and zones."""
    index = pd.date_range("2020-01-31", periods=ROWS, freq="D", unit="s", name="day")
    frame = pd.DataFrame({"naive": index.as_unit("ns"), "zone": index.tz_localize("Europe/Paris")})
    frame["span"] = frame["naive"] - frame["naive"].iloc[0]
    frame.loc[3, ["naive", "zone", "span"]] = pd.NaT
    return frame.set_index(index)


def make_categories() -> Any:
    """Give a frame of categories, ordered or not, with gaps and words that are not used."""
    words = np.array(["low", "high"])[np.arange(ROWS) % 2]
    ordered = pd.CategoricalDtype(["low", "mid", "high"], ordered=True)
    frame = pd.DataFrame({"o": pd.Series(words, dtype=ordered), "w": np.arange(ROWS)})
    frame["n"] = pd.Categorical(np.where(np.arange(ROWS) % 3, 7.5, np.nan))
    return frame


def make_shared() -> Any:
    """Give a frame two columns of which are the same memory until one is written."""
    frame = pd.DataFrame({"a": np.arange(ROWS)})
    frame["b"] = frame["a"]
    return frame


def make_flagged() -> Any:
    """Give a frame with attributes, a flag, and numbers as labels."""
    frame = pd.DataFrame(np.ones((ROWS, 3)), columns=pd.Index([3, 1, 2], name=("the", "labels")))
    frame.attrs["source"] = ["here"]
    return frame.set_flags(allows_duplicate_labels=False)


def make_mixed() -> Any:
    """Give a frame of many types, not consolidated."""
    frame = pd.DataFrame({"f": make_payload_nans(), "i": np.arange(ROWS), "h": np.ones(ROWS, "f2")})
    frame["b"] = frame["i"] % 2 == 0
    frame["u"] = np.arange(ROWS, dtype="u1")
    frame["s"] = pd.Series(["ä", "", None] * (ROWS // 3), dtype="str")
    frame.insert(0, "last", 1.5)
    return frame


FRAMES: dict[str, tuple[Callable[[], Any], str]] = {
    "mixed": (make_mixed, "arrow"),
    "one block": (lambda: pd.DataFrame(np.arange(4.0 * ROWS).reshape(-1, 4)), "arrow"),
    "times": (make_times, "arrow"),
    "categories": (make_categories, "arrow"),
    "flagged": (make_flagged, "arrow"),
    "twice the label": (lambda: pd.DataFrame(np.ones((ROWS, 2)), columns=["a", "a"]), "arrow"),
    "index of texts": (
        lambda: pd.DataFrame({"a": np.arange(ROWS)}, index=list(map(str, range(ROWS)))),
        "arrow",
    ),
    "index of floats": (
        lambda: pd.DataFrame({"a": np.arange(ROWS)}, index=pd.Index(np.ones(ROWS), name=("x", 1))),
        "arrow",
    ),
    "nullable texts": (lambda: pd.DataFrame({"a": ["x", pd.NA] * ROWS}, dtype="string"), "arrow"),
    "arrow types": (
        lambda: pd.DataFrame({"a": pd.array(range(ROWS), dtype="int64[pyarrow]")}),
        "arrow",
    ),
    "series": (lambda: pd.Series(np.arange(ROWS), name=("a", 1)), "arrow"),
    "series of texts": (lambda: pd.Series(["x", None] * ROWS, dtype="str"), "arrow"),
    "transposed": (lambda: pd.DataFrame(np.ones((3, ROWS))).T, "pickle"),
    "shared": (make_shared, "arrow"),
    "part of another": (lambda: pd.DataFrame(np.ones((ROWS, 3))).iloc[10:2000], "pickle"),
    "wide": (lambda: pd.DataFrame(np.ones((2, ROWS))), "pickle"),
    "levels": (
        lambda: pd.DataFrame(
            {"a": np.arange(ROWS)}, index=pd.MultiIndex.from_product([range(ROWS // 2), [1, 2]])
        ),
        "pickle",
    ),
    "objects": (lambda: pd.DataFrame({"a": pd.Series([[1], "b"] * ROWS)}), "pickle"),
    "nullable": (lambda: pd.DataFrame({"a": [1, pd.NA] * ROWS * 10}, dtype="Int64"), "pickle"),
    "complex": (lambda: pd.DataFrame({"a": np.full(ROWS, 1j)}), "pickle"),
    "periods": (lambda: pd.DataFrame({"a": pd.period_range("2000", periods=ROWS)}), "pickle"),
    "sparse": (lambda: pd.DataFrame({"a": pd.arrays.SparseArray([0, 1] * ROWS)}), "pickle"),
    "small": (lambda: pd.DataFrame({"a": [1]}), "pickle"),
}


@pytest.mark.filterwarnings("ignore::pandas.errors.PerformanceWarning")
@pytest.mark.parametrize("name", FRAMES)
def test_frames_come_back(name: str, tmp_path: Path) -> None:
    """Types, labels, blocks, flags, missing values and shared memory of a frame stay."""
    make, kind = FRAMES[name]
    frame = make()
    part = write(frame, tmp_path)
    found = read(part, tmp_path)
    assert part.format == kind
    check_same(frame, found, kind)
    assert found.attrs == frame.attrs
    assert found.flags == frame.flags
    assert [
        b.values.flags.f_contiguous for b in found._mgr.blocks if hasattr(b.values, "flags")
    ] == [b.values.flags.f_contiguous for b in frame._mgr.blocks if hasattr(b.values, "flags")]
    pd.testing.assert_index_equal(found.index, frame.index, exact=True)
    assert getattr(found.index, "freq", None) == getattr(frame.index, "freq", None)
    if kind == "arrow":
        check_opened(frame, find_file(tmp_path, part.file))


def test_trouble_with_a_format_leaves_a_pickle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a column of a library answers while a format is sought, the frame still crosses."""

    def refuse(column: Any) -> int:
        raise NotImplementedError(type(column))

    frame = pd.DataFrame({"a": pd.Series(["x", None] * ROWS, dtype="str")})
    monkeypatch.setattr(type(frame["a"].array), "nbytes", property(refuse))
    part = write(frame, tmp_path)
    assert part.format == "pickle"
    assert read(part, tmp_path).equals(frame)


def test_memory_of_columns_stays_shared(tmp_path: Path) -> None:
    """Columns that are one piece of memory are one again, until one of them is written."""
    frame = make_shared()
    found = read(write(frame, tmp_path), tmp_path)
    first, second = (block.values for block in found._mgr.blocks)
    assert np.shares_memory(first, second)
    found.loc[0, "b"] = -1
    assert found["a"].tolist() == frame["a"].tolist()


def check_opened(frame: Any, path: Path) -> None:
    """Open a file of Arrow with nothing but pyarrow."""
    with pa.memory_map(str(path)) as source:
        table = pa.ipc.open_file(source).read_all()
        table.validate(full=True)
        columns = [frame] if frame.ndim == 1 else [frame.iloc[:, i] for i in range(frame.shape[1])]
        for number, column in enumerate(columns):
            opened = table.column(number).to_pandas()
            assert table.field(number).name == str(column.name)
            assert opened.isna().tolist() == column.isna().tolist()
            known = ~column.isna().to_numpy()
            assert opened[known].tolist() == column[known].tolist()
        del table, opened


def make_views() -> Any:
    """Give two tensors over the same memory."""
    whole = torch.arange(ROWS)
    return {"whole": whole, "half": whole[: ROWS // 2]}


def make_graded() -> Any:
    """Give a tensor with a gradient."""
    leaf = torch.ones(ROWS, requires_grad=True)
    leaf.grad = torch.full((ROWS,), 2.0)
    return leaf


TENSORS: dict[str, tuple[Callable[[], Any], str]] = {
    "state": (lambda: torch.nn.Linear(100, 100).state_dict(), "safetensors"),
    "types": (
        lambda: {
            str(t): torch.ones(3, 500).to(t)
            for t in (torch.float64, torch.bfloat16, torch.float16, torch.int8, torch.bool)
        },
        "safetensors",
    ),
    "tensor": (lambda: torch.arange(ROWS).reshape(2, -1).clone(), "safetensors"),
    "learned": (lambda: torch.ones(ROWS, requires_grad=True), "safetensors"),
    "with empty": (lambda: {"a": torch.ones(ROWS), "b": torch.empty(0, 3)}, "safetensors"),
    "graded": (make_graded, "safetensors"),
    "views": (make_views, "pickle"),
    "transposed": (lambda: torch.ones(30, 100).T, "pickle"),
    "part of another": (lambda: torch.ones(2 * ROWS)[:ROWS], "pickle"),
    "module": (lambda: torch.nn.Linear(100, 100), "pickle"),
    "complex": (lambda: torch.ones(ROWS, dtype=torch.complex64), "pickle"),
    "numbers as names": (lambda: {1: torch.ones(ROWS)}, "pickle"),
    "other values": (lambda: {"a": torch.ones(ROWS), "b": [1]}, "pickle"),
}


@pytest.mark.parametrize("name", TENSORS)
def test_tensors_come_back(name: str, tmp_path: Path) -> None:
    """Tensors with memory of their own are opened by safetensors; all come back as they were."""
    make, kind = TENSORS[name]
    value = make()
    part = write(value, tmp_path)
    found = read(part, tmp_path)
    assert part.format == kind
    check_same(value, found, kind)
    if kind == "safetensors":
        tensors = value if isinstance(value, dict) else {"tensor": value}
        with safetensors.safe_open(find_file(tmp_path, part.file), "pt") as opened:
            assert sorted(opened.keys()) == sorted(tensors)
            for key, tensor in tensors.items():
                assert torch.equal(opened.get_tensor(key), tensor)
                assert opened.get_tensor(key).dtype == tensor.dtype


def test_order_and_versions_of_a_state_stay(tmp_path: Path) -> None:
    """A ``state_dict`` is ordered and knows the versions of its modules, which the format does not."""
    state = torch.nn.Sequential(torch.nn.Linear(60, 60), torch.nn.BatchNorm1d(60)).state_dict()
    found = read(write(state, tmp_path), tmp_path)
    assert type(found) is OrderedDict
    assert list(found) == list(state)
    assert vars(found) == vars(state)

"""Files of values are verified before they are used, and those of earlier versions are read."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import blake3
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mlops_nb.errors import CorruptObjectError
from mlops_nb.pipeline import boundary, items, layouts, sealing
from mlops_nb.pipeline.contentfile import find_file
from mlops_nb.pipeline.digests import digest_value
from mlops_nb.pipeline.identities import load_identities
from mlops_nb.pipeline.payloads import load_payload, open_payload
from mlops_nb.pipeline.rebuild import loading_into
from mlops_nb.pipeline.state import Component, State, read_state
from mlops_nb.pipeline.writing import pickle_values, write_values

KEY = bytes(range(32))
# Made anew for each test: what a module of the project holds crosses together with it.
VALUES: dict[str, Callable[[], Any]] = {
    "npy": lambda: np.arange(5000),
    "arrow": lambda: pd.DataFrame({"a": np.arange(5000), "s": ["text", None] * 2500}),
    "safetensors": lambda: {"w": torch.ones(50, 50)},
    "pickle": lambda: [np.arange(20_000), "text" * 5000],
}


def make_namespace(**values: Any) -> dict[str, Any]:
    """Give a namespace like a kernel's."""
    return {"__name__": "__main__", "In": [""], **values}


def dump(namespace: dict[str, Any], folder: Path, loaded: Any = None) -> boundary.BoundaryReport:
    """Write what a namespace holds."""
    given: Any = {"key": KEY, "start": items.read_start()}
    return boundary.dump_boundary(namespace, loaded or boundary.Loaded(), folder, **given)


@pytest.mark.parametrize("kind", VALUES)
def test_format_stands_in_the_manifest(kind: str, tmp_path: Path) -> None:
    """The manifest names format and file; the file's name is the digest of its bytes."""
    state = dump(make_namespace(x=VALUES[kind]()), tmp_path).state
    part = next(
        p for p in json.loads(json.dumps(state.to_json()))["components"] if "x" in p["names"]
    )
    content = find_file(tmp_path, part["file"]).read_bytes()
    assert part["format"] == kind
    assert part["file"] == f"{blake3.blake3(content).hexdigest()}.{kind}"
    assert part["size_bytes"] == len(content)


@pytest.mark.parametrize("kind", VALUES)
def test_unchanged_value_keeps_its_file(kind: str, tmp_path: Path) -> None:
    """A value that was loaded and left alone is not written again; a changed one is noticed."""
    state = read_state(
        json.loads(json.dumps(dump(make_namespace(x=VALUES[kind]()), tmp_path).state.to_json()))
    )
    target = make_namespace()
    loaded = boundary.load_boundary(state, {"x"}, target, tmp_path, key=KEY)
    after = dump(target, tmp_path, loaded)
    assert "x" not in after.changed
    assert after.state.find_owners()["x"] == state.find_owners()["x"]
    change(target["x"])
    assert "x" in dump(target, tmp_path, loaded).changed
    again = make_namespace()
    boundary.load_boundary(state, {"x"}, again, tmp_path, key=KEY)
    assert digest_value({"x": again["x"]}, again) == digest_value({"x": VALUES[kind]()}, again)


def change(value: Any) -> None:
    """Change a single number of a value."""
    if isinstance(value, pd.DataFrame):
        value.iloc[-1, 0] = 7
    elif isinstance(value, dict):
        value["w"][-1, -1] = 7
    else:
        (value if isinstance(value, np.ndarray) else value[0])[-1] = 7


@pytest.mark.parametrize("where", [0, 70, 0.5, -9, -1])
@pytest.mark.parametrize("kind", VALUES)
def test_flipped_bit_is_found(kind: str, where: float, tmp_path: Path) -> None:
    """One flipped bit in a file of any format is found before anything is made of it."""
    state = dump(make_namespace(x=VALUES[kind]()), tmp_path).state
    path = find_file(tmp_path, state.find_owners()["x"].file)
    content = bytearray(path.read_bytes())
    content[int(where * len(content)) if isinstance(where, float) else where] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptObjectError, match="changed"):
        boundary.load_boundary(state, {"x"}, make_namespace(), tmp_path, key=KEY)
    with pytest.raises(CorruptObjectError, match="changed"):
        sealing.open_component(state.find_owners()["x"], tmp_path, KEY)


@pytest.mark.parametrize("kind", VALUES)
def test_other_length_is_found(kind: str, tmp_path: Path) -> None:
    """A file that ends early, goes on, or is gone is not loaded."""
    part = dump(make_namespace(x=VALUES[kind]()), tmp_path).state.find_owners()["x"]
    path = find_file(tmp_path, part.file)
    content = path.read_bytes()
    for damaged in (b"", content[:100], content[:-1], content + b"\0"):
        path.write_bytes(damaged)
        with pytest.raises(CorruptObjectError):
            open_payload(part, tmp_path, KEY)
    path.unlink()
    with pytest.raises(CorruptObjectError, match="cannot be read"):
        open_payload(part, tmp_path, KEY)


@pytest.mark.parametrize("where", [0, 30, 60, 100, 150, -1])
@pytest.mark.parametrize("kind", VALUES)
def test_flipped_bit_in_the_manifest_is_found(kind: str, where: int, tmp_path: Path) -> None:
    """What the manifest says of a file is signed."""
    part = dump(make_namespace(x=VALUES[kind]()), tmp_path).state.find_owners()["x"]
    inline = bytearray(part.inline)
    inline[where] ^= 1
    with pytest.raises(CorruptObjectError):
        open_payload(replace(part, inline=bytes(inline)), tmp_path, KEY)


def test_layout_belongs_to_one_file(tmp_path: Path) -> None:
    """A signed layout does not open another file, nor one of another store."""
    owners = dump(make_namespace(x=np.arange(5000), y=np.ones(5000)), tmp_path).state.find_owners()
    swapped = replace(owners["x"], file=owners["y"].file)
    with pytest.raises(CorruptObjectError, match="not the file that was signed"):
        open_payload(swapped, tmp_path, KEY)
    with pytest.raises(CorruptObjectError, match="not written by this store"):
        open_payload(owners["x"], tmp_path, b"x" * 32)


def test_files_of_earlier_versions_are_read(tmp_path: Path) -> None:
    """A pickle behind its signature in one file, named in a manifest of version 2, loads."""
    stream = io.BytesIO()
    pickle_values({"x": np.arange(5000)}, stream, {})
    payload = stream.getvalue()
    name = blake3.blake3(payload).hexdigest()
    path = find_file(tmp_path, name)
    path.parent.mkdir()
    path.write_bytes(sealing.seal(payload, KEY))
    digest = digest_value({"x": np.arange(5000)}, {})
    document = State((Component(("x",), digest, len(payload), name),), ("x",)).to_json()
    document["version"] = 2
    del document["components"][0]["format"]
    state = read_state(json.loads(json.dumps(document)))
    target = make_namespace()
    loaded = boundary.load_boundary(state, {"x"}, target, tmp_path, key=KEY)
    assert target["x"].sum() == np.arange(5000).sum()
    assert "x" not in dump(target, tmp_path, loaded).changed
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(CorruptObjectError):
        boundary.load_boundary(state, {"x"}, make_namespace(), tmp_path, key=KEY)


def test_layout_is_written_and_read() -> None:
    """A layout comes back, with its pickle beside it or in the file."""
    piece = layouts.Piece("array", ((64, 8), (128, 8)), "<f8", (2,), "F")
    for stream in (b"a\nb", (0, 5)):
        layout = layouts.Layout("ab.npy", 200, stream, (piece, layouts.Piece("bytes", ((0, 3),))))
        assert layouts.read_layout(layouts.write_layout(layout)) == layout
    assert piece.size_bytes == 16


def cross(value: Any, folder: Path, *, has_nans: bool) -> tuple[Component, Any]:
    """Write and read one value."""
    part = write_values({"x": value}, {}, folder, KEY, has_nans)
    with loading_into({}):
        return part, load_payload(part, open_payload(part, folder, KEY))[0]["x"]


ELEMENTS = hnp.scalar_dtypes() | hnp.unicode_string_dtypes(max_len=5)
SOME = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@SOME
@given(data=st.data(), kind=ELEMENTS, order=st.sampled_from("CF"), writeable=st.booleans())
def test_any_array_comes_back(
    data: st.DataObject, kind: Any, order: Any, writeable: bool, tmp_path: Path
) -> None:
    """Whatever its type, shape and order, an array comes back bit by bit."""
    shape = data.draw(hnp.array_shapes(max_dims=3, max_side=4))
    small = data.draw(hnp.arrays(kind, shape))
    array = np.asarray(np.repeat(small, 3000, axis=-1), order=order)
    array.flags.writeable = writeable
    part, found = cross(array, tmp_path, has_nans=False)
    assert part.format == "npy" or array.nbytes <= sealing.INLINE_BYTES
    assert (found.dtype, found.shape, found.strides) == (array.dtype, array.shape, array.strides)
    assert found.tobytes() == array.tobytes()
    assert found.flags.writeable == writeable
    assert found.flags.owndata


COLUMNS = st.sampled_from(
    [
        "i1",
        "u2",
        "i4",
        "i8",
        "f2",
        "f4",
        "f8",
        "bool",
        "M8[s]",
        "M8[ns]",
        "m8[us]",
        "str",
        "category",
        "Int16",
        "boolean",
        "object",
        "complex128",
        "datetime64[ms, UTC]",
    ]
)


@SOME
@given(
    kinds=st.lists(st.tuples(st.text(max_size=3), COLUMNS), min_size=1, max_size=6),
    seed=st.integers(0, 2**32 - 1),
    gaps=st.booleans(),
    consolidate=st.booleans(),
)
def test_any_frame_comes_back(
    kinds: list[tuple[str, str]], seed: int, gaps: bool, consolidate: bool, tmp_path: Path
) -> None:
    """Whatever its columns, a frame is what a pickle of our own makes of it: the same content."""
    generator = np.random.default_rng(seed)
    columns = [make_column(kind, generator, gaps) for _, kind in kinds]
    frame = pd.concat(columns, axis=1)
    frame.columns = pd.Index([label for label, _ in kinds], dtype=object)
    frame = frame.copy() if consolidate else frame
    _, found = cross(frame, tmp_path, has_nans=True)
    pd.testing.assert_frame_equal(found, frame, check_flags=True, check_freq=True)
    assert [b.mgr_locs.as_array.tolist() for b in found._mgr.blocks] == [
        b.mgr_locs.as_array.tolist() for b in frame._mgr.blocks
    ]
    stream = io.BytesIO()
    pickle_values({"x": frame}, stream, {}, has_nans=True)
    with loading_into({}):
        pickled = load_identities(stream.getvalue())[0]["x"]
    assert digest_value(found, {}) == digest_value(pickled, {})


def make_column(kind: str, generator: np.random.Generator, gaps: bool) -> Any:
    """Give a column of some type, with missing values where the type has them."""
    numbers = generator.integers(0, 100, 2000)
    column: Any = pd.Series(numbers)
    if kind in ("str", "category", "object"):
        column = pd.Series([f"wörd {number}" for number in numbers])
    elif kind.startswith(("bool", "f")):
        column = column % 2
    column = (
        column.astype(kind) if kind != "datetime64[ms, UTC]" else pd.to_datetime(column, utc=True)
    )
    can_miss = kind not in ("i1", "u2", "i4", "i8", "bool", "f2")
    return column.where(numbers > 5) if gaps and can_miss else column

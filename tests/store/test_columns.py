"""Files of chunks: damage is noticed, and what the first version wrote is read for ever."""

from __future__ import annotations

import base64
import math
from pathlib import Path

import pytest

from mlops_nb.store import Store, open_store
from mlops_nb.store.columns import open_columns, read_column_series
from tests.store.apart import read_all, write_apart


def spoil(data: bytes, place: float) -> bytes:
    """Flip one bit."""
    spoiled = bytearray(data)
    spoiled[int(place * (len(data) - 1))] ^= 0x10
    return bytes(spoiled)


@pytest.mark.parametrize("place", [number / 30 for number in range(31)])
def test_a_flipped_bit_is_noticed(store_at_rest: tuple[Store, str], place: float) -> None:
    """Any bit that turns is counted as damage, and what is still read is right."""
    store, run_id = store_at_rest
    path = store.root / "runs" / run_id / "metrics.1.col"
    before, good = read_all(store, run_id), path.read_bytes()
    path.write_bytes(spoil(good, place))
    try:
        assert store.read_run(run_id).dropped_records > 0 or read_all(store, run_id) == before
        assert set(read_some(store, run_id)) <= set(before)
        assert not open_columns(path).chunks or len(read_some(store, run_id)) > 0
    finally:
        path.write_bytes(good)


@pytest.mark.parametrize("kept", [number / 10 for number in range(10)])
def test_a_truncated_file_gives_what_it_has(store_at_rest: tuple[Store, str], kept: float) -> None:
    """From a file cut anywhere, whole chunks are read and the damage is counted."""
    store, run_id = store_at_rest
    path = store.root / "runs" / run_id / "metrics.1.col"
    before, good = read_all(store, run_id), path.read_bytes()
    path.write_bytes(good[: int(kept * len(good))])
    try:
        assert store.read_run(run_id).dropped_records > 0
        assert set(read_some(store, run_id)) <= set(before)
    finally:
        path.write_bytes(good)


def read_some(store: Store, run_id: str) -> list[str]:
    """Give every point that can still be read, as text."""
    keys = store.read_run(run_id).metrics
    return [repr(point) for key in keys for point in store.read_metric_history(run_id, key)]


@pytest.fixture(scope="module")
def store_at_rest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str]:
    """Give a store with one compacted run of several chunks."""
    folder = tmp_path_factory.mktemp("rest")
    store = open_store(folder / "store", cache=folder / "cache")
    run_id = write_apart(store, 9000)
    assert store.compact().runs == 1
    return store, run_id


# Written by format 1; every later version reads it.
GOLDEN = (
    "TU5CQ09MAAFHAAAAP2mo93siZm9ybWF0IjoxLCJrZXlzIjpbImxvc3MiLCLDqSJdLCJzb3VyY2VzIjpbIm1ldHJpY3"
    "MuYmluIl0sImRyb3BwZWQiOjF9AAAAAMgAAADfAQAAYGhQYbMAAAAAAAAA+/////////9QAgAAAAAAAABo5c+LAQAA"
    "kGnlz4sBAACQaeXPiwEAAAAAAAAAAMA/AAAAAADgOEAAAAAAAOA4QCM9iXUSAAAAHwAAAGoBAAA0AAAAAgj7//////"
    "///wMAAAAAAAAAAQEAaOXPiwEAACi1L/0gx2UAACgBAgMEAAEAP1BFCwMIAAAAAAAAAAAotS/9YEAFtQoA1tNDN1CF"
    "OB0AEz0RnTfThYj6ycx0ZGZWqmRmOjIzq5cWa9qN7KL/DXqiEeg5s8F+MAVeMfFpLHCLUQY0AEAAOAAFJxgQCNAAB/"
    "ANjQyMX1h8FRTz3yzp1E91spJUakm/qZLkSaeqpU5VS9UprVOtU1qqqlQN13V13ulYlmWdw+FsNptXVVVpNNdQFEVl"
    "nslM0zRdAoO5XCJusVQqFMohJhOJ5OGRCATyeNzB4WhgWLhCAsKBQV7Xveu6rhNd9IlzHMdx3Llt27bt26ZpmnZN02"
    "KMjzFGCA8hhDD0UCjLsuwgEOjz+RzDMMzjuecKtte27fV6vV6v1+v1er1er9fr9Xq9Xq/X67Vtj3a0o/U8757nBS8g"
    "4IUOgg83LPhww4Idbljw4YYFH9aw4MMNCz7csGCH2xHsGGvYRZGHGyJrAnHDgh22OHfZtNtG9L0mB42EQA1NwA+w+/"
    "////////97AQAAAAAAAAAAAAAAAMA/AAAAAAAAMEAAAAAAAMAvQAAAAAAA4DhAP5yRcwEAAAABAAAAYgAAAHqodNDu"
    "AgAAAAAAAAcAAAAAAAAABwAAAAAAAAB7aOXPiwEAAHto5c+LAQAAe2jlz4sBAAAAAAAAAAAAgAAAAAAAAACAAAAAAA"
    "AAAIDF4WrxEgAAABIAAAASAAAAHAAAAAIIBwAAAAAAAAAAAAAAAAAAAAIIe2jlz4sBAAAAAAAAAAAAAAAIAAAAAAAA"
    "AAAAAAAAAAAAgAcAAAAAAAAAAAAAAAAAAIAAAAAAAAAAgDh+NBlHAAAAP2mo93siZm9ybWF0IjoxLCJrZXlzIjpbIm"
    "xvc3MiLCLDqSJdLCJzb3VyY2VzIjpbIm1ldHJpY3MuYmluIl0sImRyb3BwZWQiOjF9AAAAAMgAAADfAQAAYGhQYbMA"
    "AAAAAAAA+/////////9QAgAAAAAAAABo5c+LAQAAkGnlz4sBAACQaeXPiwEAAAAAAAAAAMA/AAAAAADgOEAAAAAAAO"
    "A4QCM9iXUBAAAAAQAAAGIAAAB6qHTQ7gIAAAAAAAAHAAAAAAAAAAcAAAAAAAAAe2jlz4sBAAB7aOXPiwEAAHto5c+L"
    "AQAAAAAAAAAAAIAAAAAAAAAAgAAAAAAAAACAxeFq8VADAAAAAAAATwAAAAAAAACmoew6TU5CQ09MAAE="
)


def test_files_of_format_1_are_read(tmp_path: Path) -> None:
    """A file that the first version wrote reads the same for ever."""
    (tmp_path / "metrics.1.col").write_bytes(base64.b64decode(GOLDEN))
    file = open_columns(tmp_path / "metrics.1.col")
    assert (file.keys, file.sources, file.dropped) == (["loss", "é"], ["metrics.bin"], 1)
    (points,), lost = read_column_series(file, "loss")
    order = range(200)
    assert lost == 0
    assert points.steps.tolist() == [number * 3 - 5 for number in order]
    values = [math.nan if number % 7 == 0 else number / 8 for number in order]
    assert str(points.values.tolist()) == str(values)
    times = [1_700_000_000_000 + sum(n % 5 for n in range(number + 1)) for number in order]
    assert points.times.tolist() == times
    (other,), _ = read_column_series(file, "é")
    assert str(other.values.tolist()) == "[-0.0]"

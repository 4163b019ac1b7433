"""Metrics are read by columns exactly as they were written, whatever file they lie in."""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mlops_nb.errors import InvalidValueError, NotFoundError, StoreError
from mlops_nb.store import RunLog, Store, open_store
from mlops_nb.store.chunks import (
    Points,
    count_block_bytes,
    pack_chunk,
    unpack_blocks,
    unpack_chunk,
)
from mlops_nb.store.compaction import compact_run
from mlops_nb.store.metricfile import (
    RECORD,
    RECORD_BYTES,
    unpack_columns,
    unpack_records,
)
from mlops_nb.store.series import LARGE_BYTES

PROJECT = Path(__file__).resolve().parents[2]
META = {"name": "r", "experiment": "e"}
int64 = st.integers(-(1 << 63), (1 << 63) - 1)
values = st.floats(width=64) | st.sampled_from([math.nan, math.inf, -math.inf, -0.0, 5e-324])


def pack_records(records: list[tuple[int, int, float, int]]) -> bytes:
    """Give records as a writer writes them."""
    packed = [RECORD.pack(*record) for record in records]
    return b"".join(data + struct.pack("<I", zlib.crc32(data)) for data in packed)


def bits(found: list[float]) -> list[bytes]:
    """Give floats so that NaN equals NaN and 0.0 is not -0.0."""
    return [struct.pack("<d", value) for value in found]


def write_long(store: Store, count: int, key: str = "m") -> RunLog:
    """Write a run whose log is worth an index."""
    log = store.start_run(META)
    log.log_metric(key, 0.0, 0)
    records = [(0, step, math.sin(step), 10**15 + step * 10**6) for step in range(1, count)]
    with (log.folder / "metrics.bin").open("ab") as file:
        file.write(pack_records(records))
    return log


def kill_writer(log: RunLog) -> None:
    """Make a run look as if the process that wrote it was gone."""
    path = log.folder / "run.json"
    document = json.loads(path.read_text())
    document["writer"]["start_time"] = 1
    path.write_text(json.dumps(document))


@given(
    st.lists(st.tuples(st.integers(0, 3), int64, values, int64), max_size=40),
    st.binary(max_size=31),
    st.lists(st.integers(0, 10_000), max_size=3),
)
@settings(max_examples=100, deadline=None)
def test_both_ways_to_read_records_agree(
    records: list[tuple[int, int, float, int]], torn: bytes, flips: list[int]
) -> None:
    """With numpy and without, the same records are read, also from damaged files."""
    data = bytearray(pack_records(records))
    for flip in flips:
        if data:
            data[flip % len(data)] ^= 1 << flip % 8
    plain = unpack_records(bytes(data) + torn)
    columns = unpack_columns(bytes(data) + torn)
    assert len(plain) == len(columns.numbers)
    assert len(plain) >= len(records) - len(flips)
    assert [record[:2] for record in plain] == list(
        zip(columns.numbers.tolist(), columns.steps.tolist(), strict=True)
    )
    assert bits([record[2] for record in plain]) == bits(columns.values.tolist())
    assert [record[3] for record in plain] == columns.times.tolist()


@given(st.lists(st.tuples(int64, values, int64), min_size=1, max_size=300))
@example([(step, 0.5, step) for step in range(-100, 200)])
@example([(-(1 << 63), math.nan, (1 << 63) - 1), ((1 << 63) - 1, -0.0, -(1 << 63))])
@settings(max_examples=150, deadline=None)
def test_chunks_give_back_every_bit(points: list[tuple[int, float, int]]) -> None:
    """Any steps, times and values come back from a chunk as they went in, with true ranges."""
    steps, floats, times = zip(*points, strict=True)
    whole = Points(
        np.array(steps, np.int64), np.array(floats, np.float64), np.array(times, np.int64)
    )
    head, data = pack_chunk(whole)
    found = unpack_chunk(data, head.count)
    assert found.steps.tolist() == list(steps)
    assert found.times.tolist() == list(times)
    assert bits(found.values.tolist()) == bits(list(floats))
    assert (head.step_min, head.step_max) == (min(steps), max(steps))
    numbers = [value for value in floats if not math.isnan(value)]
    assert (
        (head.low, head.high) == (min(numbers), max(numbers)) if numbers else math.isnan(head.low)
    )
    blocks = unpack_blocks(data[-count_block_bytes(head.count) :])
    assert blocks is not None
    assert blocks.shape == (3, -(-len(points) // 128))


@given(st.binary(max_size=300), st.integers(1, 8192))
@settings(max_examples=100, deadline=None)
def test_bytes_that_are_no_chunk_are_refused(data: bytes, count: int) -> None:
    """Garbage gives our error or arrays of the asked length, never another failure."""
    with contextlib.suppress(StoreError):
        assert len(unpack_chunk(data, count)) == count


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("abc"), st.integers(-5, 5), values), max_size=30),
        max_size=4,
    ),
    st.booleans(),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_run_reads_as_a_model_of_it(
    store: Store, batches: list[list[tuple[str, int, float]]], is_compacted: bool
) -> None:
    """Points of several writers, as logs or compacted, read as a list sorted by step and time."""
    log = store.start_run(META)
    expected: list[tuple[str, int, int, float]] = []
    for at, batch in enumerate(batches, 1):
        writer = log if at == 1 else store.reopen_run(log.run_id)
        for key, step, value in batch:
            writer.log_metrics({key: value}, step, at * 10**9)
            expected.append((key, step, at * 1000, value))
        if at > 1:
            writer.close()
    if is_compacted:
        kill_writer(log)
        for path in (store.root / "late").glob("*"):
            path.write_text(json.dumps({"host": platform.node(), "boot_id": "gone"}))
        compact_run(log.folder, 1)
        assert not list(log.folder.glob("metrics*.bin"))
    for key in "abc":
        wanted = [point for point in expected if point[0] == key]
        if not wanted:
            with pytest.raises(NotFoundError):
                store.read_metric_history(log.run_id, key)
            continue
        ordered = sorted(wanted, key=lambda point: point[1:3])
        history = store.read_metric_history(log.run_id, key)
        assert [(p.step, p.timestamp) for p in history] == [p[1:3] for p in ordered]
        assert bits([p.value for p in history]) == bits([p[3] for p in ordered])
        series = store.read_series(log.run_id, key, -2, 3)
        middle = [point for point in ordered if -2 <= point[1] <= 3]
        assert series.steps.tolist() == [point[1] for point in middle]
        assert bits(series.values.tolist()) == bits([point[3] for point in middle])
        last = store.read_run(log.run_id).metrics[key]
        assert bits([last]) == bits([ordered[-1][3]])


def test_a_growing_series_is_followed(either: Store) -> None:
    """What is added to a long log is read from where the last look ended, and nothing is lost."""
    count = LARGE_BYTES // RECORD_BYTES
    log = write_long(either, count)
    assert len(either.read_series(log.run_id, "m").steps) == count
    for step in range(count, count + 20_000, 1):
        log.log_metric("m", float(step), step)
        if step % 5000 == 0:
            assert either.read_series(log.run_id, "m").values[-1] == step
    series = either.read_series(log.run_id, "m")
    assert series.steps.tolist() == list(range(count + 20_000))
    assert either.read_run(log.run_id).metrics == {"m": float(count + 19_999)}
    assert len(either.read_metric_history(log.run_id, "m")) == count + 20_000
    part = either.read_series(log.run_id, "m", 8000, 9000)
    assert part.steps.tolist() == list(range(8000, 9001))


def test_steps_that_go_back_are_put_in_order(either: Store) -> None:
    """A long log whose steps begin again is read by step all the same, and previewed so."""
    count = LARGE_BYTES // RECORD_BYTES
    log = write_long(either, count)
    either.read_series(log.run_id, "m")
    log.log_metric("m", 9.0, 0)
    series = either.read_series(log.run_id, "m")
    assert series.steps[:3].tolist() == [0, 0, 1]
    preview = either.preview_series(log.run_id, "m", 10)
    assert (preview.steps[0], preview.highs.max(), preview.count) == (0, 9.0, count + 1)


def test_a_log_that_was_cut_is_read_anew(either: Store) -> None:
    """An index that knows more than the file has forgets it."""
    count = LARGE_BYTES // RECORD_BYTES
    log = write_long(either, count + 10)
    either.read_series(log.run_id, "m")
    os.truncate(log.folder / "metrics.bin", count * RECORD_BYTES)
    assert len(either.read_series(log.run_id, "m").steps) == count
    assert either.read_run(log.run_id).metrics == {"m": math.sin(count - 1)}


@pytest.mark.parametrize("is_compacted", [False, True])
@pytest.mark.parametrize("pixels", [1, 7, 300, 5000, 1_000_000])
def test_a_preview_leaves_no_value_out(either: Store, is_compacted: bool, pixels: int) -> None:
    """Lows and highs of a preview are those of the series, in at most as many entries as pixels."""
    count = LARGE_BYTES // RECORD_BYTES + 5
    log = write_long(either, count)
    if is_compacted:
        kill_writer(log)
        assert compact_run(log.folder) is not None
    series = either.read_series(log.run_id, "m")
    preview = either.preview_series(log.run_id, "m", pixels)
    assert len(preview.steps) <= pixels
    assert preview.count == count
    assert preview.lows.min() == series.values.min()
    assert preview.highs.max() == series.values.max()
    assert preview.steps[0] == 0
    assert (np.diff(preview.steps) > 0).all()
    width = count / pixels + 128
    for start, low, high in zip(preview.steps[:50], preview.lows, preview.highs, strict=False):
        near = series.values[int(start) : int(start + width) + 1]
        assert near.min() <= low <= high <= near.max()


def test_any_name_and_any_step_is_followed(either: Store) -> None:
    """Names that are alike but for odd characters are different series, at the ends of int64 too."""
    count = LARGE_BYTES // RECORD_BYTES
    log = write_long(either, count)
    names = ["a\0", "a\ufffd", "a\ud800", "a?", "\n", "k" * 5000, "k" * 5001, "sha256:" + "0" * 64]
    for number, name in enumerate(names):
        log.log_metric(name, float(number), -(1 << 63))
        log.log_metric(name, math.nan, (1 << 63) - 1)
    for number, name in enumerate(names):
        series = either.read_series(log.run_id, name, -(1 << 70), 1 << 70)
        assert series.steps.tolist() == [-(1 << 63), (1 << 63) - 1]
        assert bits(series.values.tolist()) == bits([float(number), math.nan])
    assert len(either.read_series(log.run_id, "m", 1 << 64, 1 << 70).steps) == 0


def test_a_preview_of_gaps(store: Store) -> None:
    """NaN is a gap only where nothing else is; a width of nothing is refused."""
    log = store.start_run(META)
    for step, value in enumerate([math.nan, 1.0, math.nan, math.nan]):
        log.log_metric("m", value, step)
    preview = store.preview_series(log.run_id, "m", 2)
    assert preview.lows[0] == preview.highs[0] == 1.0
    assert math.isnan(preview.lows[1])
    with pytest.raises(InvalidValueError, match="pixels is 0"):
        store.preview_series(log.run_id, "m", 0)
    with pytest.raises(NotFoundError, match="Did you mean 'm'"):
        store.read_series(log.run_id, "mm")


def test_few_points_load_no_arrays(store: Store) -> None:
    """Reading small runs does not import numpy."""
    log = store.start_run(META)
    log.log_metrics({"m": 1.0}, 0)
    code = (
        "import sys; from pathlib import Path; from mlops_nb.store import open_store;"
        "s = open_store(Path(sys.argv[1]), cache=Path(sys.argv[1]) / 'c');"
        "s.search(); s.read_run(sys.argv[2]); s.read_metric_history(sys.argv[2], 'm');"
        "print('numpy' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(store.root), log.run_id]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT)
    assert done.stdout.strip() == "False"


def test_an_unusable_index_costs_time_only(tmp_path: Path) -> None:
    """Long series are read from the log where no index can be kept."""
    (tmp_path / "file").write_text("")
    store = open_store(tmp_path / "s", cache=tmp_path / "cache")
    log = write_long(store, LARGE_BYTES // RECORD_BYTES)
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    store.index.path.mkdir(parents=True)  # a folder where the file should be
    assert len(store.read_series(log.run_id, "m").steps) == LARGE_BYTES // RECORD_BYTES
    assert store.preview_series(log.run_id, "m", 5).count == LARGE_BYTES // RECORD_BYTES
    assert store.read_run(log.run_id).metrics

"""How long a folder's time of change is doubted depends on how finely its file system's clock ticks."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mlops_nb.store import Store, looked


@pytest.mark.parametrize(
    ("age_ns", "fraction_ns", "is_trusted"),
    [
        (30_000_000, 123_456, False),
        (1_000_000_000, 123_456, True),
        (1_000_000_000, 0, False),
        (3_000_000_000, 0, True),
        (-1_000_000_000, 123_456, False),
    ],
)
def test_times_are_trusted_after_a_tick(
    tmp_path: Path, age_ns: int, fraction_ns: int, is_trusted: bool
) -> None:
    """A clock with parts of a millisecond ticks often, others may tick each two seconds."""
    then = (time.time_ns() - age_ns) // 1_000_000 * 1_000_000 + fraction_ns
    os.utime(tmp_path, ns=(then, then))
    changed = tmp_path.stat().st_mtime_ns
    if changed != then:
        pytest.skip("a file system of coarse times")
    assert looked.stamp_folder(tmp_path) == (changed, changed if is_trusted else 0)


def test_a_run_begun_a_moment_ago_costs_one_list(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks again and again after a run has begun has the folder listed once."""
    log = store.start_run({"name": "r", "experiment": "e"})
    runs = store.root / "runs"
    then = time.time_ns() - 500_000_000
    os.utime(runs, ns=(then, then | 1))
    listed: list[Path] = []
    listdir = os.listdir

    def list_folder(path: Path) -> list[str]:
        listed.append(path)
        return listdir(path)

    monkeypatch.setattr(os, "listdir", list_folder)
    for _ in range(3):
        assert [run.run_id for run in store.search()] == [log.run_id]
    log.close()
    assert listed.count(runs) == 1

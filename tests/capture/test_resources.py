"""What the process and the machine use is read truly, and cheaply enough to go unnoticed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from mlops_nb.capture import resources
from mlops_nb.capture.resources import ResourceReader


def test_readings_agree_with_psutil() -> None:
    """Memory of the machine and of the process is what psutil reads, from sources of its own."""
    import psutil

    reader = ResourceReader()
    found = reader.read()
    memory, own = psutil.virtual_memory(), psutil.Process().memory_info().rss
    reader.close()
    used = (memory.total - memory.available) / 1e6
    assert found["system_memory_usage_megabytes"] == pytest.approx(used, rel=0.1)
    assert found["process_memory_usage_megabytes"] == pytest.approx(own / 1e6, rel=0.1)
    assert 0 < found["system_memory_usage_percentage"] < 100
    assert "process_cpu_utilization_percentage" not in found


@pytest.mark.parametrize("is_linux", [True, False])
def test_shares_are_those_since_the_reading_before(
    is_linux: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that computes has a share of the processor; where there is no /proc as well."""
    if not is_linux:
        monkeypatch.setattr(resources, "_open_proc", lambda: None)
    reader = ResourceReader()
    reader.read()
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    found = reader.read()
    reader.close()
    assert found["process_cpu_utilization_percentage"] > 1
    assert 0 <= found["cpu_utilization_percentage"] <= 100


def count_files() -> int:
    """Count the files that this process has open; 0 where the system does not tell."""
    place = Path("/proc/self/fd")
    return sum(1 for _ in place.iterdir()) if place.exists() else 0


def test_reader_imports_nothing_that_computes_and_gives_files_back() -> None:
    """A device is no reason to import torch, and a closed reader holds no file."""
    loaded = "torch" in sys.modules
    before = count_files()
    reader = ResourceReader()
    reader.read()
    reader.close()
    after = count_files()
    assert after == before
    assert ("torch" in sys.modules) is loaded


@pytest.mark.parametrize(
    ("text", "chosen"),
    [(None, None), ("", []), ("0,2", [0, 2]), ("1,-1,0", [1]), ("GPU-5f, 3", ["GPU-5f", 3])],
)
def test_only_devices_that_the_process_may_use(
    text: str | None, chosen: list[int | str] | None
) -> None:
    """CUDA_VISIBLE_DEVICES is read as CUDA reads it."""
    assert resources._list_chosen(text) == chosen

"""What the process and the machine use is read truly, and cheaply enough to go unnoticed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from mlops_nb.capture import resources
from mlops_nb.capture.resources import ResourceReader


def test_readings_agree_with_psutil() -> None:
    """Memory of the machine and of the process is what psutil reads, from sources of its own."""
    import psutil

    reader = ResourceReader()
    first = reader.read()
    # What others take or give back between the two readings may be much: then both are read anew.
    for _ in range(50):
        found = reader.read()
        memory, own = psutil.virtual_memory(), psutil.Process().memory_info().rss
        used = (memory.total - memory.available) / 1e6
        wanted = pytest.approx([used, own / 1e6], rel=0.1)
        names = "system_memory_usage_megabytes", "process_memory_usage_megabytes"
        if [found[name] for name in names] == wanted:
            break
    reader.close()
    assert [found[name] for name in names] == wanted
    assert 0 < found["system_memory_usage_percentage"] < 100
    assert "process_cpu_utilization_percentage" not in first


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


PROJECT = Path(__file__).resolve().parents[2]
READ_AND_CLOSE = """
import os, sys
from mlops_nb.capture.resources import ResourceReader
def count(): return len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
before = count()
reader = ResourceReader()
reader.read()
between = count()
reader.close()
print(before, between, count(), "torch" in sys.modules)
"""


def test_reader_imports_nothing_that_computes_and_gives_files_back() -> None:
    """A device is no reason to import torch, and a closed reader holds no file."""
    # In a process of its own: what else runs here opens and closes files too.
    told = subprocess.run(
        [sys.executable, "-c", READ_AND_CLOSE],
        capture_output=True,
        text=True,
        check=True,
        cwd=PROJECT,
    )
    before, between, after, has_torch = told.stdout.split()
    assert (after, has_torch) == (before, "False")
    assert int(between) > int(before) or sys.platform != "linux"


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Put a driver with two devices in the place of NVML, as no machine of the tests has one."""
    memory = SimpleNamespace(used=2_000_000_000, total=8_000_000_000)
    asked = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: None,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda number: f"device {number}",
        nvmlDeviceGetHandleByUUID=lambda name: name,
        nvmlDeviceGetMemoryInfo=lambda handle: memory,
        nvmlDeviceGetUtilizationRates=lambda handle: SimpleNamespace(gpu=75),
    )
    monkeypatch.setitem(sys.modules, "pynvml", asked)
    monkeypatch.setattr(Path, "exists", lambda path: True)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return asked


def test_devices_are_read_through_nvml(
    driver: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each device that the process may use has memory and use, under MLflow's names."""
    reader = ResourceReader()
    found = {key: value for key, value in reader.read().items() if key.startswith("gpu_")}
    reader.close()
    assert found == {
        f"gpu_{number}_{name}": value
        for number in (0, 1)
        for name, value in (
            ("memory_usage_megabytes", 2000.0),
            ("memory_usage_percentage", 25.0),
            ("utilization_percentage", 75.0),
        )
    }
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    reader = ResourceReader()
    assert "gpu_1_utilization_percentage" not in reader.read()
    reader.close()


def test_a_driver_that_fails_is_none(
    driver: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the driver cannot tell is left out; processor and memory are read all the same."""
    monkeypatch.setattr(driver, "nvmlDeviceGetUtilizationRates", lambda handle: 1 / 0)
    reader = ResourceReader()
    found = reader.read()
    reader.close()
    assert "gpu_0_memory_usage_megabytes" in found
    assert "gpu_0_utilization_percentage" not in found
    monkeypatch.setattr(driver, "nvmlInit", lambda: 1 / 0)
    reader = ResourceReader()
    assert not [key for key in reader.read() if key.startswith("gpu_")]
    reader.close()


@pytest.mark.parametrize(
    ("text", "chosen"),
    [(None, None), ("", []), ("0,2", [0, 2]), ("1,-1,0", [1]), ("GPU-5f, 3", ["GPU-5f", 3])],
)
def test_only_devices_that_the_process_may_use(
    text: str | None, chosen: list[int | str] | None
) -> None:
    """CUDA_VISIBLE_DEVICES is read as CUDA reads it."""
    assert resources._list_chosen(text) == chosen

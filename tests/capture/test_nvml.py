"""Graphics devices are read through NVIDIA's own binding, from a library that stands for a driver."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPILER = shutil.which("cc") or ""

# What libnvidia-ml.so.1 exports of what is asked: two devices, one without a rate of use.
DRIVER = """
#include <string.h>
typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned int gpu, memory; } rates_t;
static int devices[2];
int nvmlInitWithFlags(unsigned int flags) { return 0; }
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) {
    if (index > 1) return 2;
    *device = &devices[index];
    return 0;
}
int nvmlDeviceGetHandleByUUID(const char *uuid, void **device) {
    *device = &devices[1];
    return strcmp(uuid, "GPU-5f") ? 6 : 0;
}
int nvmlDeviceGetMemoryInfo(void *device, memory_t *memory) {
    memory->total = 8000000000ULL;
    memory->used = device == &devices[0] ? 2000000000ULL : 4000000000ULL;
    memory->free = memory->total - memory->used;
    return 0;
}
int nvmlDeviceGetUtilizationRates(void *device, rates_t *rates) {
    rates->gpu = 75;
    rates->memory = 10;
    return device == &devices[0] ? 0 : 3;
}
"""
READ = (
    "import json, sys\n"
    "from pathlib import Path\n"
    "exists = Path.exists\n"
    "Path.exists = lambda path: str(path) == '/dev/nvidiactl' or exists(path)\n"
    "from mlops_nb.capture.resources import ResourceReader\n"
    "reader = ResourceReader()\n"
    "found = [reader.read() for _ in range(2)][-1]\n"
    "reader.close()\n"
    "print(json.dumps({key: value for key, value in found.items() if key.startswith('gpu_')}))\n"
)


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not COMPILER, reason="a driver is made with cc"
)
@pytest.mark.skipif(
    importlib.util.find_spec("pynvml") is None, reason="nvidia-ml-py is not installed"
)
@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (
            None,
            {
                "gpu_0_memory_usage_megabytes": 2000.0,
                "gpu_0_memory_usage_percentage": 25.0,
                "gpu_0_utilization_percentage": 75.0,
                "gpu_1_memory_usage_megabytes": 4000.0,
                "gpu_1_memory_usage_percentage": 50.0,
            },
        ),
        ("GPU-5f", {"gpu_0_memory_usage_megabytes": 4000.0, "gpu_0_memory_usage_percentage": 50.0}),
        ("", {}),
        ("7", {}),
    ],
)
def test_devices_of_a_driver(
    tmp_path: Path, chosen: str | None, expected: dict[str, float]
) -> None:
    """NVIDIA's binding gives what the driver says, of the devices that the process may use."""
    (tmp_path / "driver.c").write_text(DRIVER)
    made = [COMPILER, "-shared", "-fPIC", "-o", str(tmp_path / "libnvidia-ml.so.1")]
    subprocess.run([*made, str(tmp_path / "driver.c")], check=True)
    places = (str(ROOT), os.environ.get("PYTHONPATH", ""))
    variables = {
        **{name: each for name, each in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"},
        "LD_LIBRARY_PATH": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(filter(None, places)),
    }
    if chosen is not None:
        variables["CUDA_VISIBLE_DEVICES"] = chosen
    done = subprocess.run(
        [sys.executable, "-c", READ], env=variables, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert json.loads(done.stdout) == expected

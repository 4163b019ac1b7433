"""What the process and the machine use at this moment: processor, memory, graphics devices.

Names are those of MLflow's system metrics, without their ``system/``; what only the process uses
begins with ``process_``.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_MB = 1e6
_MOST_DEVICES = 16


class ResourceReader:
    """Reads what is used now; one is for one thread.

    Notes
    -----
    On Linux three files of ``/proc`` are kept open and read again. Elsewhere psutil is asked, which
    ipykernel brings. Shares of the processor are those since the reading before. No library is
    imported that computes: graphics devices are read through NVML where ``nvidia-ml-py`` is
    installed, else through torch where it has begun to use them.
    """

    def __init__(self) -> None:
        self._read_machine = _open_proc() or _open_psutil()
        self._devices = _Devices()
        self._before: tuple[float, float, float, float] | None = None

    def read(self) -> dict[str, float]:
        """Give what is used now.

        Returns
        -------
        dict
            Percentages and megabytes (of 1,000,000 bytes). The first reading has no shares of the
            processor, as there is nothing to compare with.
        """
        found: dict[str, float] = {}
        machine = None if self._read_machine is None else self._read_machine()
        now, own = time.monotonic(), time.process_time()
        busy, total, size, left, resident = machine or (0.0, 0.0, 0.0, 0.0, 0.0)
        before, self._before = self._before, (now, own, busy, total)
        if before is not None and now > before[0]:
            share = 100 * (own - before[1]) / (now - before[0])
            found["process_cpu_utilization_percentage"] = share
            if total > before[3]:
                share = 100 * (busy - before[2]) / (total - before[3])
                found["cpu_utilization_percentage"] = min(100.0, max(0.0, share))
        if resident:
            found["process_memory_usage_megabytes"] = resident / _MB
        if size:
            found["system_memory_usage_megabytes"] = (size - left) / _MB
            found["system_memory_usage_percentage"] = 100 * (size - left) / size
        found.update(self._devices.read())
        return found

    def close(self) -> None:
        """Give back what is held open."""
        close = getattr(self._read_machine, "close", None)
        if close is not None:
            close()
        self._read_machine = None
        self._devices.close()


Machine = Callable[[], tuple[float, float, float, float, float]]


class _Proc:
    """Busy and whole time of all processors; memory, what is left of it, and what we have."""

    def __init__(self) -> None:
        self._files: list[int] = []
        self._page = os.sysconf("SC_PAGE_SIZE")
        for name in ("/proc/stat", "/proc/meminfo", "/proc/self/statm"):
            self._files.append(os.open(name, os.O_RDONLY | os.O_CLOEXEC))

    def __call__(self) -> tuple[float, float, float, float, float]:
        stat, memory, own = self._files
        # user, nice, system, idle, iowait, irq, softirq, steal; guests are counted in user
        times = [float(word) for word in os.pread(stat, 256, 0).split(b"\n")[0].split()[1:9]]
        total = sum(times)
        size = left = 0.0
        for line in os.pread(memory, 256, 0).split(b"\n"):
            if line.startswith(b"MemTotal:"):
                size = float(line.split()[1]) * 1024
            elif line.startswith(b"MemAvailable:"):
                left = float(line.split()[1]) * 1024
        resident = float(os.pread(own, 128, 0).split()[1]) * self._page
        return total - times[3] - times[4], total, size, left, resident

    def close(self) -> None:
        """Close the files."""
        while self._files:
            os.close(self._files.pop())


def _open_proc() -> Machine | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        proc = _Proc()
        proc()
    except (OSError, ValueError, IndexError):
        return None  # a sandbox without /proc
    return proc


def _open_psutil() -> Machine | None:
    try:
        import psutil
    except ImportError:
        return None
    process = psutil.Process()

    def read() -> tuple[float, float, float, float, float]:
        times, memory = psutil.cpu_times(), psutil.virtual_memory()
        total = float(sum(times))
        return (
            total - times.idle,
            total,
            float(memory.total),
            float(memory.available),
            float(process.memory_info().rss),
        )

    return read


class _Devices:
    """NVIDIA devices, looked for until something of this process uses them."""

    def __init__(self) -> None:
        self._nvml: Any = None
        self._handles: list[tuple[int, Any]] = []
        self._is_known = False

    def read(self) -> dict[str, float]:
        """Give use and memory of each device; nothing where there is none."""
        if not self._is_known:
            self._is_known = True
            with contextlib.suppress(Exception):  # a driver that answers wrongly is not there
                self._open()
        found: dict[str, float] = {}
        if self._handles:
            for number, handle in self._handles:
                with contextlib.suppress(Exception):
                    used = self._nvml.nvmlDeviceGetMemoryInfo(handle)
                    _add_memory(found, number, float(used.used), float(used.total))
                    rates = self._nvml.nvmlDeviceGetUtilizationRates(handle)
                    found[f"gpu_{number}_utilization_percentage"] = float(rates.gpu)
            return found
        with contextlib.suppress(Exception):
            for number, used, total in _ask_torch():
                _add_memory(found, number, used, total)
        return found

    def _open(self) -> None:
        # Loading the driver's library where there is no device costs more than all readings.
        if sys.platform.startswith("linux") and not Path("/dev/nvidiactl").exists():
            return
        try:
            import pynvml
        except ImportError:
            return
        pynvml.nvmlInit()
        self._nvml = pynvml
        chosen = _list_chosen(os.environ.get("CUDA_VISIBLE_DEVICES"))
        if chosen is None:
            chosen = list(range(min(pynvml.nvmlDeviceGetCount(), _MOST_DEVICES)))
        for number, name in enumerate(chosen):
            if isinstance(name, int):
                handle = pynvml.nvmlDeviceGetHandleByIndex(name)
            else:
                handle = pynvml.nvmlDeviceGetHandleByUUID(name)
            self._handles.append((number, handle))

    def close(self) -> None:
        """Let go of the driver."""
        self._handles.clear()
        nvml, self._nvml = self._nvml, None
        if nvml is not None:
            with contextlib.suppress(Exception):
                nvml.nvmlShutdown()


def _list_chosen(text: str | None) -> list[int | str] | None:
    """Read which devices the process may use; None for all of them."""
    if text is None:
        return None
    chosen: list[int | str] = []
    for part in text.split(","):
        word = part.strip()
        if not word or word == "-1":
            break  # CUDA sees what stands before it
        chosen.append(int(word) if word.isdecimal() else word)
    return chosen[:_MOST_DEVICES]


def _ask_torch() -> Iterator[tuple[int, float, float]]:
    """Give memory in use and in all of each device that torch has opened; it is never imported."""
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    if cuda is None or not cuda.is_initialized():
        return
    for number in range(min(cuda.device_count(), _MOST_DEVICES)):
        left, total = cuda.mem_get_info(number)
        yield number, float(total - left), float(total)


def _add_memory(found: dict[str, float], number: int, used: float, total: float) -> None:
    found[f"gpu_{number}_memory_usage_megabytes"] = used / _MB
    if total:
        found[f"gpu_{number}_memory_usage_percentage"] = 100 * used / total

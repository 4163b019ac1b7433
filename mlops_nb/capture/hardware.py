"""The machine: operating system, processor, memory, graphics devices, threads."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)
_COMMAND_TIMEOUT_S = 5.0


def _read_text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _read_processor() -> str:
    for line in _read_text("/proc/cpuinfo").splitlines():
        key, _, value = line.partition(":")
        if key.strip() in {"model name", "Processor", "cpu model"}:
            return value.strip()
    if sys.platform == "darwin":
        return _run(["sysctl", "-n", "machdep.cpu.brand_string"]).strip()
    return platform.processor()


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_COMMAND_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _read_memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None  # not known on this platform without a library


def _count_usable() -> int | None:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def list_gpus() -> list[dict[str, str]]:
    """List NVIDIA devices, asking the driver only where a device file exists.

    Returns
    -------
    list of dict
        ``name``, ``driver`` and ``memory`` of each device; empty where there is none.
    """
    # Starting the driver's library on a machine without a device costs more than all other readers.
    if sys.platform.startswith("linux") and not Path("/dev/nvidiactl").exists():
        return []
    if sys.platform == "darwin":
        return []
    query = "--query-gpu=name,driver_version,memory.total"
    rows = _run(["nvidia-smi", query, "--format=csv,noheader"]).splitlines()
    parts = ([part.strip() for part in row.split(",")] for row in rows)
    return [{"name": row[0], "driver": row[1], "memory": row[2]} for row in parts if len(row) == 3]


def capture_hardware() -> dict[str, Any]:
    """Read what the machine is.

    Returns
    -------
    dict
        ``system``, ``release``, ``machine``, ``libc``, ``processor``, ``cpu_count`` (logical),
        ``cpu_usable`` (this process may run on), ``memory_bytes``, ``gpus``.
    """
    return {
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "libc": "-".join(part for part in platform.libc_ver() if part),
        "distribution": _read_distribution(),
        "processor": _read_processor(),
        "cpu_count": os.cpu_count(),
        "cpu_usable": _count_usable(),
        "memory_bytes": _read_memory(),
        "gpus": list_gpus(),
    }


def _read_distribution() -> str:
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    if os.name == "nt":
        return f"Windows {platform.version()}"
    for line in _read_text("/etc/os-release").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip().strip('"')
    return ""


def capture_threads() -> dict[str, Any]:
    """Read how many threads the numeric libraries of this process use.

    Returns
    -------
    dict
        ``variables``: the thread variables that are set; ``pools``: one dict per loaded library
        with ``library``, ``version``, ``threads`` and ``architecture``; ``torch`` where torch is
        loaded. The results of linear algebra depend on the count and on the architecture.
    """
    document: dict[str, Any] = {
        "variables": {name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ},
        "pools": _read_pools(),
    }
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_num_threads"):
        document["torch"] = int(torch.get_num_threads())
    return document


def _read_pools() -> list[dict[str, Any]]:
    if "numpy" not in sys.modules and "torch" not in sys.modules:
        return []  # nothing with a thread pool of its own is loaded yet
    try:
        import threadpoolctl  # 12 ms, wanted only off the user's thread
    except ImportError:
        return []
    pools = [
        {
            "library": str(info.get("internal_api", "")),
            "version": str(info.get("version") or ""),
            "threads": int(info.get("num_threads") or 0),
            "architecture": str(info.get("architecture") or ""),
        }
        for info in threadpoolctl.threadpool_info()
    ]
    return sorted(pools, key=lambda pool: (pool["library"], pool["version"], pool["threads"]))

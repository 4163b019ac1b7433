"""Measures what starting kernels and saving notebooks costs, ours beside papermill's; prints a table.

Each way runs in a process of its own, the ways in turn, with papermill's function and so without
the start of a command. Wall time counts, for that is what one waits; the load is printed beside it.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPEATS = 5
HEAVY = "import pandas, sklearn.ensemble, torch"
# What each way does before its notebooks: ours starts every kernel afresh, or forks from a server.
WAYS = {
    "papermill": "engine = None",
    "ours, cold": "os.environ['MLOPS_NB_FORK'] = '0'\nengine = register_engine()",
    "ours, forked": "engine = register_engine()",
}
_PROGRAM = """
import json, os, resource, sys, time, warnings
from pathlib import Path
warnings.simplefilter("ignore")
import nbformat, papermill, logging
from mlops_nb.pipeline.engine import register_engine
from mlops_nb.pipeline.forkserver import close_servers
logging.getLogger("papermill").setLevel(logging.ERROR)
{way}
cells, repeats, warm = json.loads(sys.argv[1])
node = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
node.metadata.kernelspec = {{"name": "python3", "display_name": "Python 3", "language": "python"}}
nbformat.write(node, "in.ipynb")
times = []
for number in range(warm + repeats):
    started = time.perf_counter()
    papermill.execute_notebook("in.ipynb", "out.ipynb", engine_name=engine, progress_bar=False)
    times.append(time.perf_counter() - started)
close_servers()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([times[warm:], used.ru_utime + used.ru_stime]))
"""

_KERNEL = """
import json, sys, time
from pathlib import Path
from mlops_nb.pipeline.kernels import StepKernel
modules, fork, times = sys.argv[2:], sys.argv[1], []
for number in range(8):
    started = time.perf_counter()
    kernel = StepKernel(
        Path.cwd(), {"PYTHONHASHSEED": "0"}, preload=modules, wanted=modules, fork=fork
    )
    kernel.start()
    kernel._execute("import " + ", ".join(modules or ["sys"]))
    kernel.stop()
    times.append(time.perf_counter() - started)
print(json.dumps(times[1:]))
"""


def measure_kernel(fork: str, modules: list[str]) -> list[float]:
    """Start a step's kernel, let it import, end it; give wall times without the first."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", _KERNEL, fork, *modules],
            capture_output=True,
            text=True,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            check=True,
        )
    return list(json.loads(done.stdout))


def measure(way: str, cells: list[str], repeats: int, warm: int) -> tuple[list[float], float]:
    """Run one notebook again and again; give wall times, and CPU seconds of all kernels."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "MLOPS_NB_STORE": str(Path(folder, "store")),
            "MLOPS_NB_CACHE": str(Path(folder, "cache")),
        }
        environment.pop("MLOPS_NB_FORK", None)
        program = textwrap.dedent(_PROGRAM).format(way=WAYS[way])
        done = subprocess.run(
            [sys.executable, "-c", program, json.dumps([cells, repeats, warm])],
            capture_output=True,
            text=True,
            cwd=folder,
            env=environment,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"{way}: {done.stderr}")
    times, used = json.loads(done.stdout.splitlines()[-1])
    return times, used


def main() -> None:
    """Print the tables."""
    print(f"{platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print("\n| kernel of a step: start, import, end; wall min / median (s) | cold | forked |")
    print("| --- | ---: | ---: |")
    for name, modules in {"nothing": [], f"`{HEAVY}`": HEAVY.split(" ", 1)[1].split(", ")}.items():
        found = [measure_kernel(fork, modules) for fork in ("off", "on")]
        shown = [f"{min(times):.2f} / {statistics.median(times):.2f}" for times in found]
        print(f"| {name} | " + " | ".join(shown) + " |", flush=True)
    print("\n| one notebook, wall min / median (s) | " + " | ".join(WAYS) + " |")
    print("| --- |" + " ---: |" * len(WAYS))
    for name, cells in {"`1`": ["1"], f"`{HEAVY}`": [HEAVY]}.items():
        found = [measure(way, cells, REPEATS, 2)[0] for way in WAYS]
        shown = [f"{min(times):.2f} / {statistics.median(times):.2f}" for times in found]
        print(f"| {name} | " + " | ".join(shown) + " |", flush=True)
    found = [measure(way, [HEAVY], 8, 0) for way in WAYS]
    shown = [f"{sum(times):.1f} ({used:.1f})" for times, used in found]
    print(
        "| 8 notebooks with these imports, from nothing: wall (CPU) | " + " | ".join(shown) + " |"
    )
    for count in (20, 60):
        cells = ["print('x' * 1_000_000)"] * count
        found = [measure(way, cells, 1, 0) for way in WAYS]
        shown = [f"{times[0]:.1f}" for times, _ in found]
        print(f"| {count} cells with 1 MB of output each | " + " | ".join(shown) + " |", flush=True)
    print(f"\nload at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()

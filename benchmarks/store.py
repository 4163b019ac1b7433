"""Measures the store: what logging costs, what points weigh, how long reading takes; prints a table.

Every figure is CPU time of this process, the least of several because other work on the machine only
ever adds; but the 99th percentile with eight processes at once is wall time of single calls, through
the public verb. ``run.py`` measures what peers can do as well. ``--quick`` uses a tenth of the runs.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from mlops_nb.store import Store, open_store  # noqa: E402 - the package beside this script

SCALE = 10 if "--quick" in sys.argv else 1
BUDGETS: dict[str, tuple[str, float]] = {
    "log_metric": ("us", 2),
    "log_metrics, dict of 10": ("us", 6),
    "log_metric, p99, 8 processes at once (wall)": ("us", 20),
    "start a run": ("ms", 5),
    "audit record, formed and written": ("us", 5),
    "audit record, on the disk": ("us", 5),
    "audit record, on the disk (wall)": ("us", 5),
    "1e7 points at rest, normal values": ("bytes each", 10),
    "1e7 points at rest, float32 values": ("bytes each", 10),
    "1 M points: load, running": ("ms", 25),
    "1 M points: preview of 1,000 pixels, running": ("ms", 5),
    "1 M points: load, compacted": ("ms", 25),
    "1 M points: preview of 1,000 pixels, compacted": ("ms", 5),
    "100,000 runs: page of 50 by a metric": ("ms", 10),
    "100,000 runs: the same with two filters": ("ms", 20),
    "100,000 runs: two filters that keep few": ("ms", 20),
    "100,000 runs: newest 50": ("ms", 10),
    "rebuild the index of 10,000 runs": ("s", 5),
}


def best(call: Callable[[], Any], repeats: int = 5) -> float:
    """Give the least CPU time in s of several calls."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def run_apart(code: str, *words: object) -> str:
    """Run code in a process of its own, which is gone afterwards."""
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def measure_logging(folder: Path) -> dict[str, float]:
    """Measure what the user's loop pays."""
    store = open_store(folder / "logging")
    log = store.start_run({"name": "r", "experiment": "e"})
    log.log_metric("a", 0.5, 0)
    ten = {f"m{number}": 0.5 for number in range(10)}
    log.log_metrics(ten, 0)
    log_metric, log_metrics = log.log_metric, log.log_metrics

    def one() -> None:
        for step in range(100_000):
            log_metric("a", 0.5, step)

    def dict_of_ten() -> None:
        for step in range(20_000):
            log_metrics(ten, step)

    def start() -> None:
        for _ in range(100):
            store.start_run({"name": "r", "experiment": "e"}).log_metric("a", 1.0, 0)

    return {
        "log_metric": best(one) * 1e6 / 100_000,
        "log_metrics, dict of 10": best(dict_of_ten) * 1e6 / 20_000,
        "start a run": best(start) * 1e3 / 100,
    }


def measure_audit(folder: Path) -> dict[str, float]:
    """Measure what a change costs, with and without the wait for the disk."""
    from mlops_nb.store import auditwriter
    from mlops_nb.store.audit import AuditLog

    log = AuditLog(folder / "audit" / "audit.log")
    change = {"name": "m", "alias": "champion", "version": 3, "digest": "a" * 64, "before": 2}
    log.append("alias.set", change)

    def add(times: int) -> None:
        for _ in range(times):
            log.append("alias.set", change)

    start = time.perf_counter()
    spent = best(lambda: add(200)) * 1e6 / 200
    waited = (time.perf_counter() - start) * 1e6 / 1000
    sync, auditwriter.sync_data = auditwriter.sync_data, lambda handle: None
    try:
        formed = best(lambda: add(20_000)) * 1e6 / 20_000
    finally:
        auditwriter.sync_data = sync
    return {
        "audit record, formed and written": formed,
        "audit record, on the disk": spent,
        "audit record, on the disk (wall)": waited,
    }


CROWD = """
import time
import mlops_nb
mlops_nb.start_run()
mlops_nb.log_metric("a", 0.5, 0)
times = []
for step in range(50_000):
    start = time.perf_counter_ns()
    mlops_nb.log_metric("a", 0.5, step)
    times.append(time.perf_counter_ns() - start)
times.sort()
print(times[int(len(times) * 0.99)] / 1e3)
"""


def measure_crowd(folder: Path) -> dict[str, float]:
    """Measure single calls while eight processes log as fast as they can."""
    open_store(folder / "crowd")
    command = [sys.executable, "-W", "ignore", "-c", CROWD]
    places = {"MLOPS_NB_STORE": f"{folder}/crowd", "MLOPS_NB_CACHE": f"{folder}/crowd-cache"}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **places}
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(8)
    ]
    found = [float(process.communicate()[0]) for process in running]
    return {"log_metric, p99, 8 processes at once (wall)": max(found)}


# One series of a million points and 9 runs of 10 metrics with 100,000 points each, a training step
# of about 1.5 ms with a jitter, as a loop on this machine has it.
POINTS = """
import sys, random, struct, zlib
from pathlib import Path
import numpy as np
from mlops_nb.store import open_store
store, kind = open_store(Path(sys.argv[1])), sys.argv[2]
rng = np.random.default_rng(0)
for number in range(10):
    log = store.start_run({"name": f"r{number}", "experiment": "e"})
    keys = ["loss"] if number == 0 else [f"m{k}" for k in range(10)]
    steps = 1_000_000 if number == 0 else 100_000
    values = rng.normal(size=(steps, len(keys)))
    if kind == "float32":
        values = values.astype(np.float32).astype(float)
    now = 1_790_000_000_000_000_000
    times = now + np.cumsum(rng.normal(1.5e6, 2e5, steps).astype(np.int64))
    for step, (row, at) in enumerate(zip(values.tolist(), times.tolist())):
        log.log_metrics(dict(zip(keys, row)), step, at)
    log.end("finished")
"""


def size_of(folder: Path) -> int:
    """Add up the bytes of all files of runs."""
    return sum(path.stat().st_size for path in (folder / "runs").rglob("*") if path.is_file())


def measure_points(folder: Path) -> dict[str, float]:
    """Measure long series as they run and at rest, and what points weigh."""
    figures = {}
    for kind in ("normal", "float32"):
        place = folder / kind
        run_apart(POINTS, place, kind)
        store = open_store(place)
        run_id = store.list_run_ids()[0]

        def read(name: str, store: Store = store, run_id: str = run_id) -> dict[str, float]:
            store.preview_series(run_id, "loss", 1000)
            load = best(lambda: store.read_series(run_id, "loss"))
            preview = best(lambda: store.preview_series(run_id, "loss", 1000))
            return {
                f"1 M points: load, {name}": load * 1e3,
                f"1 M points: preview of 1,000 pixels, {name}": preview * 1e3,
            }

        if kind == "normal":
            figures |= read("running")
        store.compact()
        figures[f"1e7 points at rest, {kind} values"] = size_of(place) / 1e7
        if kind == "normal":
            figures |= read("compacted")
        shutil.rmtree(place)
    return figures


RUNS = """
import sys, random
from pathlib import Path
from mlops_nb.store import open_store
store = open_store(Path(sys.argv[1]))
rng = random.Random(0)
for number in range(int(sys.argv[2])):
    log = store.start_run({"name": f"r{number}", "experiment": f"e{number % 10}"})
    log.append({"type": "params", "params": {f"p{k}": rng.random() for k in range(8)}
                | {"model": rng.choice(["rf", "svm", "mlp", "lr"]), "depth": rng.randrange(1, 20)}})
    log.log_metrics({f"m{k}": rng.random() for k in range(9)} | {"acc": rng.random()}, 0)
    log.end("finished")
    log.close()
"""


def measure_runs(folder: Path) -> dict[str, float]:
    """Measure pages and the rebuild of the index."""
    figures = {}
    place = folder / "ten"
    run_apart(RUNS, place, 10_000 // SCALE)
    store = open_store(place)

    def rebuild() -> None:
        store.index.close()
        shutil.rmtree(store.index.path.parent, ignore_errors=True)
        store.search(None, None, 1)

    figures["rebuild the index of 10,000 runs"] = best(rebuild, 3) * SCALE
    shutil.rmtree(place)
    place = folder / "hundred"
    run_apart(RUNS, place, 100_000 // SCALE)
    store = open_store(place)
    start = time.process_time()
    store.search(None, None, 1)
    print(f"(first look at {100_000 // SCALE:,} runs: {time.process_time() - start:.1f} s)")
    time.sleep(2.5)  # the time of a folder just changed is not trusted
    store.search(None, None, 1)
    two = "metrics.m1 > 0.5 and params.model = 'rf'"
    few = "metrics.m1 > 0.99 and params.model = 'rf'"
    for name, text, order in (
        ("page of 50 by a metric", None, ["metrics.acc DESC"]),
        ("the same with two filters", two, ["metrics.acc DESC"]),
        ("two filters that keep few", few, ["metrics.acc DESC"]),
        ("newest 50", None, None),
    ):
        spent = best(lambda text=text, order=order: store.search(text, order, 50))
        figures[f"100,000 runs: {name}"] = spent * 1e3
    print(f"(index of {100_000 // SCALE:,} runs: {store.index.path.stat().st_size / 1e6:.0f} MB)")
    return figures


def main() -> None:
    """Measure everything and print the table; ``--json`` prints the figures."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for measure in (
            measure_logging,
            measure_audit,
            measure_crowd,
            measure_points,
            measure_runs,
        ):
            figures |= measure(folder)
    if "--json" in sys.argv:
        print(json.dumps(figures))
        return
    load = os.getloadavg()[1] if hasattr(os, "getloadavg") else float("nan")
    print(
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, load {load:.1f}; CPU time"
    )
    print("| the store | measured | budget |\n| --- | ---: | ---: |")
    for title, (unit, budget) in BUDGETS.items():
        print(f"| {title} | {figures[title]:,.2f} {unit} | {budget:g} |")


if __name__ == "__main__":
    main()

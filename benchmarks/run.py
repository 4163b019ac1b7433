"""Measures what users feel beside the peers, and prints two tables: CPU time and wall time.

Every figure is the median of rounds in which all subjects take their turn, each in a fresh process
and a fresh folder, and does the operation so often that it can be told from noise. CPU time is that
of the process and all below it, background services too. Wall time is what the caller waited for
one operation. Telemetry is off, all else is at its default.

``make bench-peers`` installs the peers. ``--only start,metric,bytes`` measures these operations;
``--quick`` takes one round of a tenth; ``--json`` prints the figures.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(Path(__file__).resolve().parent))

from peers import find_folder, find_peers  # noqa: E402 - the script beside this one

QUICK = "--quick" in sys.argv
OURS = "ours"
SCRIPTS = {OURS: "of_ours.py", "MLflow": "of_mlflow.py", "W&B": "of_wandb.py",
           "DVCLive": "of_dvclive.py", "Aim": "of_aim.py"}  # fmt: skip
# Calls that make the same points for all, whose bytes are then counted.
CALLS, POINTS = (200, 2_000) if QUICK else (2_000, 20_000)


@dataclass(frozen=True)
class Row:
    """One operation: what it is called, in which unit, and how often each subject does it."""

    title: str
    operation: str
    unit: str
    counts: dict[str, int]
    data: str = ""
    budget: str = ""
    rounds: int = 3


def _each(
    ours: int, mlflow: int = 0, wandb: int = 0, dvclive: int = 0, aim: int = 0
) -> dict[str, int]:
    counts = zip(SCRIPTS, (ours, mlflow, wandb, dvclive, aim), strict=True)
    return {name: max(1, count // 10) if QUICK else count for name, count in counts if count}


ROWS = (
    Row("import", "import", "ms", _each(1, 1, 1, 1, 1)),
    Row("`%load_ext mlops_nb`, in what a kernel has loaded", "extension", "ms", _each(1), budget="60"),
    Row("start and end a run", "start", "ms", _each(500, 20, 10, 10, 20), budget="5"),
    Row("log one metric", "metric", "us", _each(500_000, 300, 20_000, 300, 10_000), budget="2"),
    Row("log a dict of 10 metrics", "ten", "us", _each(200_000, 200, 5_000, 100, 1_000), budget="6"),
    Row("load a series of 100,000 points", "load", "ms", _each(200, 2, 0, 5, 10), "write_series"),
    Row("the same as 1,000 points to draw", "preview", "ms", _each(500, 10, 0, 0, 100), "write_series"),
    Row("newest 50 of 1,000 runs (10 metrics, 10 params)", "newest", "ms", _each(200, 20, 0, 0, 10), "write_runs"),
    Row("50 of them, two filters, best first", "page", "ms", _each(200, 20, 0, 0, 2), "write_runs"),
    Row("rebuild the index of 1,000 runs", "rebuild", "ms", _each(1, 0, 0, 0, 1), "write_runs", rounds=1),
)  # fmt: skip
ONLY = sys.argv[sys.argv.index("--only") + 1].split(",") if "--only" in sys.argv else None
WANTED = tuple(row for row in ROWS if ONLY is None or row.operation in ONLY)
SCALES = {"s": 1.0, "ms": 1e3, "us": 1e6}


class Bench:
    """Runs subjects in folders of their own below one that is thrown away."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.home = top / "home"
        self.home.mkdir()
        self.pythons = {OURS: Path(sys.executable)}
        self.missing: dict[str, str] = {}
        self.titles = {OURS: "ours"}
        for name, peer in find_peers(find_folder([])).items():
            self.titles[name] = peer.title
            if name in SCRIPTS and peer.python:
                self.pythons[name] = peer.python
            elif name in SCRIPTS:
                self.missing[name] = peer.reason

    def _environment(self, name: str) -> dict[str, str]:
        bin_folder = str(self.pythons[name].parent)
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(
                ("MLOPS_NB_", "PYTHON", "MLFLOW_", "WANDB_", "DVC", "AIM", "XDG_")
            )
        }
        return {
            **kept, "HOME": str(self.home), "PATH": bin_folder + os.pathsep + os.environ["PATH"],
            "PYTHONPATH": str(ROOT) if name == OURS else "", "PYTHONWARNINGS": "ignore",
            "IPYTHONDIR": str(self.home / "ipython"), "MLOPS_NB_STORE": "store", "MLOPS_NB_CACHE": "cache",
            "WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false",
            "DVC_NO_ANALYTICS": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "AIM_UI_TELEMETRY_ENABLED": "0",
            "GIT_AUTHOR_NAME": "b", "GIT_AUTHOR_EMAIL": "b@b", "GIT_COMMITTER_NAME": "b", "GIT_COMMITTER_EMAIL": "b@b",
        }  # fmt: skip

    def call(self, name: str, folder: Path, operation: str, count: int) -> tuple[float, float]:
        """Do an operation so many times and give CPU and wall seconds of all of them."""
        script = Path(__file__).with_name("subjects") / SCRIPTS[name]
        command = [self.pythons[name], "-W", "ignore", script, operation, str(count)]
        done = subprocess.run(
            command, cwd=folder, env=self._environment(name), capture_output=True, text=True, check=False
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{name} {operation}: {done.stderr[-3000:]}")
        cpu, wall = done.stdout.rsplit("SPENT", 1)[1].split()[:2]
        return float(cpu), float(wall)

    def command(self, name: str, folder: Path, *words: str) -> None:
        """Run another program for a subject."""
        subprocess.run(
            words, cwd=folder, env=self._environment(name), check=True, capture_output=True
        )

    def prepare(self, name: str) -> None:
        """Make the folder in which a subject begins, with what it makes on first use."""
        folder = self.top / f"{name}-empty"
        folder.mkdir()
        if name == "DVCLive":
            self.command(name, folder, "git", "init", "-q")
            self.command(name, folder, "dvc", "init", "-q")
            self.command(name, folder, "git", "commit", "-q", "-m", "begin")
        if name == "Aim":
            self.command(name, folder, "aim", "init")
        for operation in ("start", "import", "extension") if name == OURS else ("start",):
            self.call(name, folder, operation, 1)  # bytecode is written, as pip does for a package

    def fill(self, name: str, operation: str) -> Path:
        """Make a folder that holds what is read."""
        folder = self.top / f"{name}-{operation}"
        if not folder.exists():
            shutil.copytree(self.top / f"{name}-empty", folder)
            self.call(name, folder, operation, 0)
            if name == "Aim":
                self.call(name, folder, "index", 0)
        return folder

    def measure(self, name: str, row: Row) -> tuple[float, float]:
        """Give CPU and wall time of one operation, in the row's unit."""
        count = row.counts[name]
        if row.data:
            cpu, wall = self.call(name, self.fill(name, row.data), row.operation, count)
        else:
            folder = self.top / "fresh"
            shutil.copytree(self.top / f"{name}-empty", folder)
            cpu, wall = self.call(name, folder, row.operation, count)
            shutil.rmtree(folder)
        scale = SCALES[row.unit] / count
        return cpu * scale, wall * scale

    def weigh(self, name: str) -> dict[str, float]:
        """Give the bytes of a point, of the same points for all."""
        sizes = []
        for times in (0, CALLS):
            folder = self.top / "fresh"
            shutil.copytree(self.top / f"{name}-empty", folder)
            self.call(name, folder, "points", times)
            sizes.append(_size_of(folder))
            if name == OURS:
                self.call(name, folder, "rest", 0)
                sizes.append(_size_of(folder))
            shutil.rmtree(folder)
        if name == OURS:
            return {
                "as logged": (sizes[2] - sizes[0]) / POINTS,
                "at rest": (sizes[3] - sizes[1]) / POINTS,
            }
        return {"as logged": (sizes[1] - sizes[0]) / POINTS}


def _size_of(folder: Path) -> int:
    # Our index can be made again at any time; everything else counts.
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files if path.parts[len(folder.parts)] != "cache")


def measure_all(bench: Bench) -> dict[str, dict[str, list[float]]]:
    """Measure every row: CPU and wall time by subject."""
    figures: dict[str, dict[str, list[float]]] = {}
    for name in bench.pythons:
        bench.prepare(name)
    for row in WANTED:
        names = [name for name in row.counts if name in bench.pythons]
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
        for turn in range(1 if QUICK else row.rounds):
            start = turn % len(names)
            for name in names[start:] + names[:start]:
                found[name].append(bench.measure(name, row))
        figures[row.title] = {
            name: [*map(statistics.median, zip(*times, strict=True)), min(times)[0]]
            for name, times in found.items()
        }
        print(f"({row.title}: {figures[row.title]})", file=sys.stderr, flush=True)
    return figures


def show_table(
    title: str, which: int, figures: dict[str, dict[str, list[float]]], bench: Bench
) -> None:
    """Print one table: ours, each peer, and how many times our median that is."""
    peers = [name for name in bench.pythons if name != OURS]
    heads = ["ours", *(["least", "budget"] if which == 0 else [])]
    heads += [bench.titles[name] for name in peers]
    print(f"\n| {title} | {' | '.join(heads)} |\n| --- |" + " ---: |" * len(heads))
    for row in WANTED:
        found = figures[row.title]
        mine, least = found[OURS][which], found[OURS][2]
        cells = [
            f"{show(found[name][which])} {row.unit}, {show(found[name][which] / mine)} x" if name in found else ""
            for name in peers
        ]  # fmt: skip
        if which == 0:
            cells.insert(0, f"{show(least)} | {row.budget}")
        print(f"| {row.title} | {show(mine)} {row.unit} | {' | '.join(cells)} |")


def show(value: float) -> str:
    """Give three digits of a figure."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def main() -> None:
    """Measure everything and print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        figures = measure_all(bench)
        weighed = list(bench.pythons) if ONLY is None or "bytes" in ONLY else []
        weights = {name: bench.weigh(name) for name in weighed}
    if "--json" in sys.argv:
        print(json.dumps({"figures": figures, "bytes": weights, "missing": bench.missing}))
        return
    load = os.getloadavg()[1] if hasattr(os, "getloadavg") else float("nan")
    print(
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, load {load:.1f}; "
        "medians of rounds in turn"
    )
    show_table("CPU time of all processes", 0, figures, bench)
    show_table("wall time of the caller", 1, figures, bench)
    print(f"\n| bytes of a point, {POINTS:,} points of 10 metrics | |\n| --- | ---: |")
    for name, found in weights.items():
        for kind, weight in found.items():
            print(f"| {bench.titles[name]}, {kind} | {weight:.1f} |")
    for name, reason in bench.missing.items():
        print(f"\n{bench.titles[name]}: {reason}")


if __name__ == "__main__":
    main()

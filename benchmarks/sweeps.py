"""Measures sweeps: what the loop costs a trial, and how near each sampler comes in how many trials.

    python benchmarks/sweeps.py [--notebook]

Nothing is executed but the loop, the sampler and the store: trials are functions in this process,
and their own CPU time is taken off. With ``--notebook`` a real notebook is swept as well.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from mlops_nb.config import load_settings  # noqa: E402 - the package beside this script
from mlops_nb.notebook.document import new_code_cell, new_notebook, write_notebook  # noqa: E402
from mlops_nb.pipeline import plan  # noqa: E402
from mlops_nb.pipeline.sweep_ledger import SweepLedger  # noqa: E402
from mlops_nb.pipeline.sweep_plan import Goal, make_plan  # noqa: E402
from mlops_nb.pipeline.sweep_result import SweepResult  # noqa: E402
from mlops_nb.pipeline.sweep_runner import run_sweep  # noqa: E402
from mlops_nb.pipeline.sweep_trials import TrialOutcome  # noqa: E402
from mlops_nb.store import Store, open_store  # noqa: E402
from mlops_nb.tracking import start_run  # noqa: E402

Objective = Callable[[Mapping[str, Any]], float]
SEEDS = range(5)
SAMPLERS = ("tpe", "random", "grid")

HARTMANN_ALPHA = (1.0, 1.2, 3.0, 3.2)
HARTMANN_A = (
    (10, 3, 17, 3.5, 1.7, 8), (0.05, 10, 17, 0.1, 8, 14),
    (3, 3.5, 1.7, 10, 17, 8), (17, 8, 0.05, 10, 0.1, 14),
)  # fmt: skip
HARTMANN_P = (
    (1312, 1696, 5569, 124, 8283, 5886), (2329, 4135, 8307, 3736, 1004, 9991),
    (2348, 1451, 3522, 2883, 3047, 6650), (4047, 8828, 8732, 5743, 1091, 381),
)  # fmt: skip


def hartmann(params: Mapping[str, Any]) -> float:
    """Give Hartmann's function of six variables, least -3.3224 (Surjanovic and Bingham 2013)."""
    x = [params[f"x{axis}"] for axis in range(6)]
    total = 0.0
    for alpha, row, places in zip(HARTMANN_ALPHA, HARTMANN_A, HARTMANN_P, strict=True):
        inner = sum(a * (v - p / 10_000) ** 2 for a, v, p in zip(row, x, places, strict=True))
        total -= alpha * math.exp(-inner)
    return total


def mixed(params: Mapping[str, Any]) -> float:
    """Give a function of a rate, a depth and a kind of model, least 0, as tuning meets them."""
    gap = {"a": 0.0, "b": 0.3, "c": 0.6}[params["kind"]]
    best_rate = {"a": -1.0, "b": -2.0, "c": 0.0}[params["kind"]]
    return float(
        gap + (math.log10(params["rate"]) - best_rate) ** 2 + ((params["depth"] - 6) / 6) ** 2
    )


PROBLEMS: dict[str, tuple[Objective, str, dict[str, str], dict[str, str]]] = {
    "hartmann6": (
        hartmann,
        "\n".join(f"x{axis} = 0.5" for axis in range(6)),
        {f"x{axis}": "lin:0:1" for axis in range(6)},
        {f"x{axis}": "lin:0:1:3" for axis in range(6)},
    ),
    "mixed": (
        mixed,
        "rate = 0.1\ndepth = 3\nkind = 'a'",
        {"rate": "log:0.0001:10", "depth": "int:1:16", "kind": "a,b,c"},
        {"rate": "log:0.0001:10:6", "depth": "int:1:16:3", "kind": "a,b,c"},
    ),
}


class Bench:
    """A store and notebooks in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store: Store = open_store(folder / "store", cache=folder / "cache")
        self.settings = load_settings(folder)
        self.own_s = 0.0
        self._lock = threading.Lock()

    def sweep(self, problem: str, sampler: str, trials: int, seed: int) -> SweepResult:
        """Sweep one problem; the CPU time of the trials themselves is added up."""
        objective, source, space, grid = PROBLEMS[problem]
        cells = [new_code_cell(source, ["parameters"]), new_code_cell("pass", ["step:a"])]
        path = write_notebook(new_notebook(cells), self.folder / f"{problem}.ipynb")
        made = make_plan(
            plan(path),
            grid if sampler == "grid" else space,
            Goal("loss", "minimize"),
            sampler=sampler,
            trials=trials,
            seed=seed,
        )

        def evaluate(params: Mapping[str, Any], out_dir: Path) -> TrialOutcome:
            started = time.thread_time()
            run = start_run(self.store, self.settings, problem, nested=False, is_active=False)
            value = objective(params)
            run.end()
            with self._lock:
                self.own_s += time.thread_time() - started
            return TrialOutcome({"loss": value}, run.run_id)

        ledger = SweepLedger.start(self.store, self.settings, made)
        return run_sweep(ledger, evaluate, out_dir=self.folder / "out")


def measure_overhead(bench: Bench) -> None:
    """Print the CPU time of the loop, per trial."""
    print("\nCPU ms a trial, without the trial itself (sampler, loop, records)\n")
    print(f"{'sampler':<10}{'50 trials':>12}{'200 trials':>12}")
    for sampler in SAMPLERS:
        row = []
        for trials in (50, 200):
            bench.own_s = 0.0
            started = time.process_time()
            bench.sweep("hartmann6", sampler, trials, 0)
            row.append((time.process_time() - started - bench.own_s) / trials * 1000)
        print(f"{sampler:<10}{row[0]:>12.1f}{row[1]:>12.1f}")


def measure_convergence(bench: Bench) -> None:
    """Print the best value after so many trials, the median of several seeds."""
    counts = (10, 20, 40, 80)
    for problem in PROBLEMS:
        print(f"\nbest of {problem} after so many trials, median of {len(SEEDS)} seeds\n")
        print(f"{'sampler':<10}" + "".join(f"{count:>10}" for count in counts))
        for sampler in SAMPLERS:
            rows = []
            for seed in SEEDS:
                values = [
                    trial.value or 0.0
                    for trial in bench.sweep(problem, sampler, counts[-1], seed).records
                ]
                rows.append([min(values[:count]) for count in counts])
            best = [statistics.median(column) for column in zip(*rows, strict=True)]
            print(f"{sampler:<10}" + "".join(f"{value:>10.3f}" for value in best))


def measure_notebook(folder: Path) -> None:
    """Print the wall time a trial of a real notebook takes, shared step and all."""
    cells = [
        new_code_cell("rate = 0.1\ndepth = 3\nkind = 'a'", ["parameters"]),
        new_code_cell(
            "import math\nimport mlops_nb as mlops\ntable = list(range(1000))", ["step:load"]
        ),
        new_code_cell(
            "gap = {'a': 0.0, 'b': 0.3, 'c': 0.6}[kind]\n"
            "least = {'a': -1.0, 'b': -2.0, 'c': 0.0}[kind]\n"
            "loss = gap + (math.log10(rate) - least) ** 2 + ((depth - 6) / 6) ** 2\n"
            "mlops.log_metric('loss', loss)",
            ["step:fit"],
        ),
    ]
    write_notebook(new_notebook(cells), folder / "real.ipynb")
    words = [f"{name}={text}" for name, text in PROBLEMS["mixed"][2].items()]
    print("\na real notebook of two steps, 20 trials: wall s a trial\n")
    for jobs in (1, 2):
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "mlops_nb", "--store", str(folder / f"s{jobs}"), "sweep",
             "real.ipynb", *words, "--minimize", "loss", "--json", "--jobs", str(jobs)],
            cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        wall = time.perf_counter() - started
        trials = json.loads(done.stdout)["trials"]
        middle = statistics.median(trial["duration_s"] for trial in trials)
        print(f"--jobs {jobs}: {wall / len(trials):.2f} (median of one trial {middle:.2f})")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name))
        bench.sweep("mixed", "tpe", 12, 0)  # imports are not what is measured
        measure_overhead(bench)
        measure_convergence(bench)
        if "--notebook" in sys.argv[1:]:
            measure_notebook(Path(name))


if __name__ == "__main__":
    main()

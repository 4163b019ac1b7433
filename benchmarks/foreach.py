"""Measures a loop of eight rounds as it stands and shared by two kernels (``--jobs 2``).

Each round waits for a second, computes for about a second, or does nothing. Told is the time of
the whole step, its kernel included; the least of some runs. ``--quick`` takes one.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from mlops_nb import pipeline  # noqa: E402 - the package of this folder
from mlops_nb.config import load_settings  # noqa: E402
from mlops_nb.notebook.document import (  # noqa: E402
    new_code_cell,
    new_notebook,
    write_notebook,
)
from mlops_nb.store import open_store  # noqa: E402

ROUNDS, RUNS = 8, 1 if "--quick" in sys.argv else 3
WORK = {
    "waiting 1 s": "time.sleep(1); value = n",
    "computing": "value = sum(k * k % 7 for k in range(12_000_000))",
    "nothing": "value = n",
}


def measure(body: str, folder: Path) -> dict[int, float]:
    """Give the seconds of the step by number of jobs."""
    cells = [
        new_code_cell("import time", ["imports"]),
        new_code_cell("found = {}", ["step:load"]),
        new_code_cell(
            f"for n in range({ROUNDS}):\n    {body}\n    found[n] = value", ["step:loop", "foreach"]
        ),
        new_code_cell("print(len(found))", ["step:show"]),
    ]
    path = write_notebook(new_notebook(cells), folder / "nb.ipynb")
    store, told = open_store(folder / "store"), []
    taken: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(RUNS):
        for jobs, found in taken.items():
            result = pipeline.run(
                path,
                out_dir=folder / "out",
                store=store,
                settings=load_settings(folder),
                force=True,
                jobs=jobs,
                on_progress=lambda event: told.append(event.message),
            )
            assert result.status == "finished", result.steps
            found.append(result.steps[1].duration_s)
    assert told.count(f"loop: {ROUNDS} rounds in 2 processes") == RUNS, told
    return {jobs: min(found) for jobs, found in taken.items()}


def main() -> None:
    """Print one line for each kind of work."""
    print(f"{ROUNDS} rounds of".ljust(16), "the loop", "  --jobs 2", " quotient", sep="  ")
    for name, body in WORK.items():
        with tempfile.TemporaryDirectory() as folder:
            taken = measure(body, Path(folder))
        quotient = taken[1] / taken[2]
        print(f"{name:16}  {taken[1]:6.2f} s  {taken[2]:8.2f} s  {quotient:8.2f}")


if __name__ == "__main__":
    main()

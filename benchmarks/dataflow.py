"""Measures the analysis of cells on notebooks: CPU time per cell, and of a compile of 100 cells.

Give folders or notebooks as arguments; without any, the notebooks of this repository are taken.
Every cell is analysed after the ones above it, as a plan does. The best of several rounds counts.
"""

from __future__ import annotations

import gc
import math
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from mlops_nb.errors import NotebookError  # noqa: E402 - the path comes first
from mlops_nb.notebook.dataflow import FlowTable, analyze_cell  # noqa: E402
from mlops_nb.notebook.document import (  # noqa: E402
    NotebookDocument,
    new_code_cell,
    new_notebook,
    write_notebook,
)
from mlops_nb.pipeline import plan  # noqa: E402

ROUNDS = 3


def find_notebooks(arguments: list[str]) -> list[Path]:
    places = [Path(word) for word in arguments] or [ROOT / "example_notebooks", ROOT / "tests"]
    files = [place for place in places if place.suffix == ".ipynb"]
    return files + sorted(f for place in places if place.is_dir() for f in place.rglob("*.ipynb"))


def time_cells(sources: list[str], *, explains: bool) -> list[float]:
    table = FlowTable(explains=explains)
    times = []
    for source in sources:
        start = time.process_time_ns()
        table.add(source)
        times.append((time.process_time_ns() - start) / 1e6)
    return times


def measure(run: Callable[[], object]) -> float:
    best = math.inf
    for _ in range(ROUNDS):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return best


def describe(label: str, times: list[float]) -> None:
    ordered = sorted(times)
    p95 = ordered[min(len(ordered) - 1, math.ceil(0.95 * len(ordered)) - 1)]
    median = statistics.median(times)
    print(f"{label:28} median {median:6.2f} ms   p95 {p95:6.2f} ms   max {ordered[-1]:7.2f} ms")


def main() -> None:
    notebooks = []
    for path in find_notebooks(sys.argv[1:]):
        try:
            notebooks.append(NotebookDocument.load(path))
        except NotebookError as error:
            print(f"left out: {error.message}", file=sys.stderr)
    sources = [[cell.source for cell in each.code_cells] for each in notebooks]
    analyze_cell("%matplotlib inline")  # loads IPython's transformer, once a process
    gc.collect()
    print(f"python {platform.python_version()}, {len(notebooks)} notebooks, ", end="")
    print(f"{sum(map(len, sources))} code cells")
    for label, explains in (("analysis of one cell", False), ("the same with reasons", True)):
        rounds = [
            [t for each in sources for t in time_cells(each, explains=explains)]
            for _ in range(ROUNDS)
        ]
        describe(label, [min(times) for times in zip(*rounds, strict=True)])
    opaque = sum(flow.is_opaque for each in sources for flow in map(FlowTable().add, each))
    print(f"barriers                     {opaque} cells")
    work = [text for each in sources for text in each if text.strip()]
    cells = [work[index * len(work) // 100] for index in range(100)] if len(work) >= 100 else work
    nodes = [
        new_code_cell(text, [f"step:s{index // 10}"] if index % 10 == 0 else [])
        for index, text in enumerate(cells)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = write_notebook(new_notebook(nodes), Path(folder) / "hundred.ipynb")
        print(f"compile of {len(cells)} cells         {measure(lambda: plan(path)) * 1e3:6.0f} ms")


if __name__ == "__main__":
    main()

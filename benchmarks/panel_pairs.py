"""Measures what the open panel costs who types and who executes cells, beside a page without us.

Run: ``python benchmarks/panel_pairs.py [--rounds N] [--quick]``, after ``python labextension/build.py``.
Three JupyterLabs take turns in random order, two of them without the extension: the difference of
those two is what the machine itself does. In all three the kernel has loaded mlops_nb.
"""

from __future__ import annotations

import contextlib
import os
import random
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from panel import browse, open_notebook, serve
from playwright.sync_api import CDPSession, Page

ROUNDS = 6 if "--quick" in sys.argv else 40
if "--rounds" in sys.argv:
    ROUNDS = int(sys.argv[sys.argv.index("--rounds") + 1])
WARM_UP = 3
TEXT = "value = other + 1  # typed"
CELLS = 10
WITHOUT, AGAIN, OPEN = "without us", "without us, again", "panel open"
# From each key to the frame that shows it.
KEYS = """() => {
  window.keys = [];
  addEventListener('keydown', event => requestAnimationFrame(() => setTimeout(
    () => window.keys.push(performance.now() - event.timeStamp))), true);
}"""
# From the command to the end that the kernel tells, with what the cell printed in view.
RUN = """async count => {
  const {commands} = window.jupyterapp;
  const took = [];
  for (let each = 0; each < count; each++) {
    const began = performance.now();
    await commands.execute('notebook:run-cell');
    await new Promise(requestAnimationFrame);
    took.push(performance.now() - began);
  }
  return took;
}"""


class Bench:
    """A notebook in a page of its own, and the processor time of its main thread."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.session: CDPSession = page.context.new_cdp_session(page)
        self.session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.evaluate(KEYS)

    def read_busy(self) -> float:
        """Give the CPU time of the main thread's tasks so far, in ms."""
        found: dict[str, Any] = self.session.send("Performance.getMetrics")
        times = {each["name"]: each["value"] for each in found["metrics"]}
        return float(times["TaskDuration"]) * 1000

    def measure(self, work: Callable[[], list[float]], count: int) -> tuple[float, float]:
        """Give the median wall time of many, and the CPU time of each, in ms."""
        self.page.bring_to_front()
        before = self.read_busy()
        wall = statistics.median(work())
        return wall, (self.read_busy() - before) / count

    def type_keys(self) -> list[float]:
        """Type a line into the last cell, and empty it again."""
        self.page.locator(".jp-Notebook .jp-CodeCell").last.locator(".cm-content").click()
        self.page.evaluate("window.keys = []")
        self.page.keyboard.type(TEXT, delay=20)
        self.page.wait_for_timeout(100)
        found: list[float] = self.page.evaluate("window.keys")
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        return found

    def run_cells(self) -> list[float]:
        """Execute the first cell again and again."""
        self.page.locator(".jp-Notebook .jp-CodeCell").first.locator(".jp-InputPrompt").click()
        found: list[float] = self.page.evaluate(RUN, CELLS)
        return found


def compare(pairs: list[tuple[float, float]]) -> tuple[float, float, float]:
    """Give the median difference of pairs in percent, and where it lies with 95 % certainty."""
    shares = [100 * (after - before) / before for before, after in pairs]
    chance = random.Random(0)
    drawn = sorted(statistics.median(chance.choices(shares, k=len(shares))) for _ in range(4000))
    return statistics.median(shares), drawn[100], drawn[-101]


def report(title: str, rows: dict[str, list[float]]) -> None:
    """Print the medians, and both differences."""
    middle = {name: statistics.median(values) for name, values in rows.items()}
    print(f"\n{title}: " + ", ".join(f"{name} {value:.2f} ms" for name, value in middle.items()))
    for name, budget in ((AGAIN, "what the machine does"), (OPEN, "budget 2 %")):
        share, low, high = compare(list(zip(rows[WITHOUT], rows[name], strict=True)))
        print(f"  {name} less {WITHOUT}: {share:+.1f} % ({low:+.1f} to {high:+.1f}), {budget}")


def show_panel(page: Page) -> None:
    """Open the panel with the runs and the notebook's section, as who watches has it."""
    page.get_by_role("tab", name="MLOps").click()
    panel = page.locator("#jp-mlops-panel")
    panel.get_by_role("heading", name="This notebook").first.click()
    panel.get_by_role("switch").wait_for()


def main() -> None:
    """Measure in turns, and print the differences."""
    titles = ("a key, to the next frame", "CPU of a key", "a cell", "CPU of a cell")
    found: dict[str, dict[str, list[float]]] = {
        title: {WITHOUT: [], AGAIN: [], OPEN: []} for title in titles
    }
    with contextlib.ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        benches: dict[str, Bench] = {}
        for name in (WITHOUT, AGAIN, OPEN):
            folder = place / name.replace(" ", "")
            folder.mkdir()
            jupyter = stack.enter_context(serve(folder / "lab", is_disabled=name != OPEN))
            page = stack.enter_context(browse()) if not benches else new_page(benches)
            open_notebook(page, jupyter, "print(1)", "%load_ext mlops_nb", "")
            page.locator(".jp-Notebook .jp-CodeCell").nth(1).locator(".jp-InputPrompt").click()
            page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell')")
            if name == OPEN:
                show_panel(page)
            benches[name] = Bench(page)
        for turn in range(-WARM_UP, ROUNDS):
            for name in random.sample(list(benches), len(benches)):
                bench = benches[name]
                typed = bench.measure(bench.type_keys, len(TEXT))
                ran = bench.measure(bench.run_cells, CELLS)
                if turn >= 0:
                    for title, value in zip(titles, (*typed, *ran), strict=True):
                        found[title][name].append(value)
        print(f"{ROUNDS} rounds, load {os.getloadavg()[0]:.1f}")
        for title in titles:
            report(title, found[title])


def new_page(benches: dict[str, Bench]) -> Page:
    """Open another page of the same browser, in a session of its own."""
    browser = next(iter(benches.values())).page.context.browser
    assert browser is not None
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(120_000)
    return page


if __name__ == "__main__":
    main()

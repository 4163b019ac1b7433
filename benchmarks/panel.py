"""Measures the panel in a real JupyterLab and Chromium; prints a table beside the issue's budgets.

Run: ``python benchmarks/panel.py [--quick] [--runs N]``, after ``python labextension/build.py``. Wall
times on a machine that does other work are too long; ``--quick`` takes a hundredth of the runs.
``--place FOLDER`` keeps the store there, and takes the runs that it finds; ``--live`` measures only
how old values are, ``--full`` all else. ``--activation [BUNDLE ...]`` measures only what opening a page
costs, with bundles of several versions in turns where their folders are given. What typing and cells
lose is measured by ``panel_pairs.py``, what the server does by ``panel_server.py``.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Page, sync_playwright  # noqa: E402 - after the path

from mlops_nb.store import open_store  # noqa: E402 - the package beside this script
from tests.browser import conftest  # noqa: E402
from tests.browser.conftest import (  # noqa: E402 - what starts JupyterLab for the tests
    CHROMIUM_ARGUMENTS,
    CHROMIUM_NAMES,
    Jupyter,
    isolate,
    run_cell,
    wait_for_server,
)

RUNS = 1000 if "--quick" in sys.argv else 100_000
if "--runs" in sys.argv:
    RUNS = int(sys.argv[sys.argv.index("--runs") + 1])
BUDGETS = {
    f"first rows of {RUNS:,} runs, after the click, first time": ("ms", 300),
    f"first rows of {RUNS:,} runs, after the click, again": ("ms", 300),
    "next page, after the click": ("ms", None),
    "scrolling: frames that came late": ("%", 1),
    "nothing at all: frames that came late": ("%", None),
    "scrolling: CPU of the main thread for a frame": ("ms", 16.7),
    "log in the kernel to visible, median": ("ms", 100),
    "log in the kernel to visible, 95th percentile": ("ms", None),
    "activation, main thread": ("ms", 30),
    "heap: page with the panel open less page without us": ("MB", 30),
}
PAIRS = 12
ROUNDS = 2 if "--quick" in sys.argv else 5
OURS = "mlops-nb-labextension"
LOG = """\
%load_ext mlops_nb
import random, time
import mlops_nb as mlops
with mlops.start_run("latency"):
    for step in range(60):
        time.sleep(0.2 + random.random() / 5)
        mlops.log_metric("at", time.time() * 1000, step=step)"""
# Each new value is a time: how long ago it was, is read in the frame that shows it.
WATCH = """() => {
  window.seen = [];
  let last = '';
  const look = () => {
    const text = document.querySelector('.jp-MLOpsLive-line strong')?.title ?? '';
    if (text !== last) {
      last = text;
      window.seen.push(performance.timeOrigin + performance.now() - Number(text));
    }
    requestAnimationFrame(look);
  };
  look();
}"""
ROWS = """async () => {
  const began = performance.now();
  document.querySelector('[data-id="jp-mlops-panel"]').dispatchEvent(
    new PointerEvent('pointerdown', {bubbles: true, button: 0}));
  window.jupyterapp.shell.activateById('jp-mlops-panel');
  while (!document.querySelector('.jp-MLOpsRun')) await new Promise(requestAnimationFrame);
  return performance.now() - began;
}"""


# From the click on "Older" to another page of rows.
TURN = """async () => {
  const first = () => document.querySelector('.jp-MLOpsRun').dataset.runId;
  const before = first();
  const began = performance.now();
  document.querySelector('.jp-MLOpsPager button:last-of-type').click();
  while (first() === before) await new Promise(requestAnimationFrame);
  return performance.now() - began;
}"""
# Times between frames, while the list is scrolled by so many pixels in each, up and down.
FRAMES = """async ([count, pixels]) => {
  const row = document.querySelector('.jp-MLOpsRun');
  let list = row.parentElement;
  while (list.scrollHeight <= list.clientHeight + 1 && list.parentElement) list = list.parentElement;
  const frames = [];
  let last = await new Promise(requestAnimationFrame);
  let way = pixels;
  for (let frame = 0; frame < count; frame++) {
    const at = list.scrollTop;
    list.scrollTop += way;
    if (way !== 0 && list.scrollTop === at) way = -way;
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - last);
    last = now;
  }
  return frames;
}"""
# A frame that took the time of two.
LATE_MS = 25
Found = dict[str, list[float]]


@contextlib.contextmanager
def serve(place: Path, is_disabled: bool = False, has_routes: bool = True) -> Iterator[Jupyter]:
    """Run JupyterLab on an empty folder, with or without our page and our routes."""
    place.mkdir()
    root = place / "notebooks"
    root.mkdir()
    environment = isolate(place)
    environment["MLOPS_NB_STORE"] = str(place.parent / "store")
    environment["MLOPS_NB_CACHE"] = str(place.parent / "cache")
    if is_disabled:
        shutil.rmtree(place / "share" / "labextensions" / OURS)
        settings = place / "jupyter_config_dir" / "labconfig" / "page_config.json"
        page = json.loads(settings.read_text())
        page["disabledExtensions"][OURS] = True
        settings.write_text(json.dumps(page))
    options = [
        "--no-browser",
        "--allow-root",
        "--expose-app-in-browser",
        f"--ServerApp.root_dir={root}",
        "--ServerApp.port=0",
        f"--ServerApp.jpserver_extensions={{'mlops_nb': {has_routes}}}",
    ]
    command = [sys.executable, "-m", "jupyterlab", *options]
    with (place / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=log)
    try:
        yield wait_for_server(server, place, root)
    finally:
        server.terminate()
        server.wait(30)


@contextlib.contextmanager
def browse() -> Iterator[Page]:
    """Open a fresh browser."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)))
    arguments = [*CHROMIUM_ARGUMENTS, "--enable-precise-memory-info"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=arguments)
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(120_000)
        yield page
        chromium.close()


def open_notebook(page: Page, jupyter: Jupyter, *sources: str, workspace: str = "one") -> None:
    """Open a notebook and wait for its kernel; in another workspace no panel is open yet."""
    name = jupyter.write_notebook("a.ipynb", *sources)
    page.goto(jupyter.address(f"lab/workspaces/{workspace}/tree", name))
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()


def measure_heap(page: Page) -> float:
    """Give what the page holds after a collection, in MB."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.enable")
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    used: float = session.send("Runtime.getHeapUsage")["usedSize"]
    return used / 1e6


def sum_ours(profile: dict[str, Any], deltas: list[int]) -> float:
    """Give the time of samples in our files, and of all that our ``activate`` calls, in ms.

    What our files load of JupyterLab's own is left out: JupyterLab loads it without us too.
    """
    nodes = {node["id"]: node for node in profile["nodes"]}
    ours: set[int] = set()
    stack = [(profile["nodes"][0]["id"], False, False)]
    while stack:
        at, is_ours, is_activation = stack.pop()
        frame = nodes[at]["callFrame"]
        if frame["url"]:  # what the browser itself does counts to its caller
            is_ours = OURS in frame["url"]
        is_activation |= is_ours and frame["functionName"] == "activate"
        if is_ours or is_activation:
            ours.add(at)
        stack += [(child, is_ours, is_activation) for child in nodes[at].get("children", [])]
    return sum(d for at, d in zip(profile["samples"], deltas, strict=True) if at in ours) / 1000


def measure_activation(page: Page, jupyter: Jupyter) -> float:
    """Give what the main thread does for us until the notebook is there, in ms."""
    session = page.context.new_cdp_session(page)
    session.send("Profiler.enable")
    session.send("Profiler.setSamplingInterval", {"interval": 200})
    session.send("Profiler.start")
    open_notebook(page, jupyter, "x = 1")
    profile = session.send("Profiler.stop")["profile"]
    return sum_ours(profile, profile["timeDeltas"])


def compare_activations(place: Path, bundles: list[Path]) -> None:
    """Measure the activation of bundles in turns, as a busy machine changes from minute to minute."""
    found: dict[Path, list[float]] = {bundle: [] for bundle in bundles}
    with contextlib.ExitStack() as stack:
        served = {}
        for number, bundle in enumerate(bundles):
            (place / f"{number}").mkdir()
            conftest.BUNDLE = bundle
            served[bundle] = stack.enter_context(serve(place / f"{number}" / "one"))
        for turn in range(PAIRS + 1):
            for bundle in bundles if turn % 2 else bundles[::-1]:
                with browse() as page:
                    took = measure_activation(page, served[bundle])
                if turn:  # the first page of a server's life is slower than all others
                    found[bundle].append(took)
    for bundle, times in found.items():
        print(
            f"{statistics.median(times):5.1f} ms ({min(times):.1f} to {max(times):.1f})  {bundle}"
        )


def fill(place: Path) -> None:
    """Record many small runs of one notebook, and index them."""
    store = open_store(place / "store", cache=place / "cache")
    meta = {"experiment": "e", "notebook": str(place / "full" / "notebooks" / "a.ipynb")}
    for number in range(len(store.list_run_ids()), RUNS):
        log = store.start_run({"name": f"run-{number}", **meta})
        log.log_metrics({"accuracy": number / RUNS, "loss": 1 - number / RUNS}, 0)
        log.end("finished")
        log.close()
    store.search(None, None, 1, 0)


def measure_full(place: Path, found: Found) -> None:
    """Measure with a full store: activation, first rows, pages, frames, heap."""
    names = list(BUDGETS)
    for turn in range(ROUNDS):
        shutil.rmtree(place / "full", ignore_errors=True)
        with serve(place / "full") as jupyter:
            with browse() as page:
                found[names[8]].append(measure_activation(page, jupyter))
                # Nobody clicks before the notebook stands there.
                page.wait_for_timeout(1500)
                found[names[0]].append(page.evaluate(ROWS))
                page.wait_for_timeout(2000)
                found[names[9]].append(measure_heap(page))
                found[names[2]].append(page.evaluate(TURN))
            with browse() as page:
                open_notebook(page, jupyter, "x = 1", workspace=f"another{turn}")
                page.wait_for_timeout(1500)
                found[names[1]].append(page.evaluate(ROWS))
                if turn == 0:
                    measure_frames(page, found)


def measure_frames(page: Page, found: Found) -> None:
    """Measure the frames while the list is scrolled, and while nothing is done."""
    names = list(BUDGETS)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def read_busy() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(each["value"] for each in metrics if each["name"] == "TaskDuration") * 1000

    section = page.locator(".jp-MLOpsRuns:has(.jp-MLOpsRun)").first
    section.hover()
    for _ in range(ROUNDS * 2):
        still = page.evaluate(FRAMES, [60, 0])
        before = read_busy()
        scrolled = page.evaluate(FRAMES, [180, 40])
        found[names[5]].append((read_busy() - before) / len(scrolled))
        for name, frames in ((names[3], scrolled), (names[4], still)):
            found[name].append(100 * sum(each > LATE_MS for each in frames) / len(frames))


def measure_latency(place: Path, found: Found) -> None:
    """Measure how old values are when the section "This notebook" shows them."""
    names = list(BUDGETS)
    with serve(place / "live") as jupyter, browse() as page:
        open_notebook(page, jupyter, LOG)
        page.get_by_role("tab", name="MLOps").click()
        panel = page.locator("#jp-mlops-panel")
        panel.get_by_role("heading", name="Runs of this notebook").click()
        panel.get_by_role("heading", name="This notebook").first.click()
        panel.get_by_role("switch").wait_for()
        run_cell(page)
        page.locator(".jp-MLOpsLive-line strong").first.wait_for()
        page.evaluate(WATCH)
        panel.get_by_text("Finished").wait_for()
        seen: list[float] = page.evaluate("window.seen")[1:]
    print(f"{len(seen)} values seen")
    found[names[6]].append(statistics.median(seen))
    found[names[7]].append(statistics.quantiles(seen, n=20)[18])


def main() -> None:
    """Measure all, and print medians and extremes beside the budgets."""
    names = list(BUDGETS)
    found: Found = {name: [] for name in names}
    before = os.getloadavg()[0]
    if "--activation" in sys.argv:
        given = sys.argv[sys.argv.index("--activation") + 1 :]
        with tempfile.TemporaryDirectory() as folder:
            compare_activations(Path(folder), [Path(each) for each in given] or [conftest.BUNDLE])
        print(f"load {before:.1f} at the begin, {os.getloadavg()[0]:.1f} at the end")
        return
    with contextlib.ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if "--full" not in sys.argv:
            for turn in range(min(ROUNDS, 3)):
                (place / f"{turn}").mkdir()
                measure_latency(place / f"{turn}", found)
        if "--place" in sys.argv:
            place = Path(sys.argv[sys.argv.index("--place") + 1]).absolute()
            place.mkdir(exist_ok=True)
        bare = []
        if "--live" not in sys.argv:
            fill(place)
            for _ in range(ROUNDS):
                shutil.rmtree(place / "without", ignore_errors=True)
                with serve(place / "without", is_disabled=True) as jupyter, browse() as page:
                    open_notebook(page, jupyter, "x = 1")
                    page.wait_for_timeout(3500)
                    bare.append(measure_heap(page))
            measure_full(place, found)
            found[names[9]] = [each - statistics.median(bare) for each in found[names[9]]]
    print(f"load {before:.1f} at the begin, {os.getloadavg()[0]:.1f} at the end")
    for name, (unit, most) in BUDGETS.items():
        if found[name]:
            budget = "" if most is None else f"  (budget {most} {unit})"
            low, middle, high = min(found[name]), statistics.median(found[name]), max(found[name])
            print(f"{name:62} {middle:8.1f} {unit} ({low:.1f} to {high:.1f}){budget}")


if __name__ == "__main__":
    main()

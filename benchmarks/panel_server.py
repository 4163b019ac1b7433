"""Measures what our extension costs a Jupyter server: its start, its memory, its routes.

Run: ``python benchmarks/panel_server.py [--place FOLDER] [--quick]``. ``--place`` as for ``panel.py``,
which fills the store with 100,000 runs. CPU time of the server's process; no browser is needed.
"""

from __future__ import annotations

import http.client
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode, urlparse

import psutil
from panel import fill, serve

from tests.browser.conftest import Jupyter

ROUNDS = 2 if "--quick" in sys.argv else 5
ASKED = 20
NOTEBOOK = "a.ipynb"
# What the panel asks for; the rest is asked for by hand.
ROUTES: dict[str, dict[str, str]] = {
    "status": {},
    "runs": {"limit": "25", "offset": "0"},
    "runs, all of the store": {"limit": "25", "scope": "store"},
    "runs, filter that keeps few": {"limit": "25", "filter": "metrics.accuracy > 0.995"},
    "runs, filter by text that keeps none": {"limit": "25", "filter": "name LIKE '%zzz%'"},
    "runs, best first": {"limit": "25", "order_by": "metrics.accuracy DESC"},
    "runs, filter, best first": {
        "limit": "25",
        "filter": "metrics.loss > 0.5",
        "order_by": "metrics.accuracy DESC",
    },
    "runs, by name": {"limit": "25", "order_by": "name ASC"},
    "runs, page 4,000": {"limit": "25", "offset": "99900"},
    "notebook": {"kernel": "none"},
    "data": {},
    "data, all of the store": {"scope": "store"},
    "models": {},
    "pipeline": {},
    "pipeline/run": {},
    "openapi": {},
}


class Server:
    """A Jupyter server, its process and one connection to it."""

    def __init__(self, jupyter: Jupyter) -> None:
        self.token = jupyter.token
        address = urlparse(jupyter.url)
        self.connection = http.client.HTTPConnection(str(address.hostname), address.port)
        root = f"--ServerApp.root_dir={jupyter.root}"
        self.process = next(each for each in psutil.Process().children() if root in each.cmdline())

    def ask(self, path: str) -> tuple[float, int]:
        """Ask; give the wall time in ms and the status."""
        began = time.perf_counter()
        self.connection.request("GET", path, headers={"Authorization": f"token {self.token}"})
        answer = self.connection.getresponse()
        answer.read()
        return (time.perf_counter() - began) * 1000, answer.status

    def read_cpu(self) -> float:
        """Give the CPU time of the server so far, in ms."""
        times = self.process.cpu_times()
        return (times.user + times.system) * 1000

    def read_memory(self) -> float:
        """Give what the server alone holds, in MB."""
        return float(self.process.memory_full_info().uss) / 1e6


def measure_start(place: Path) -> None:
    """Print what a server's start takes with and without us, in turns."""
    cpu: dict[bool, list[float]] = {True: [], False: []}
    memory: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(ROUNDS * 2):
        for is_disabled in (True, False):
            with serve(
                place / "start", is_disabled=is_disabled, has_routes=not is_disabled
            ) as found:
                server = Server(found)
                server.ask("/api/status")
                cpu[is_disabled].append(server.read_cpu())
                memory[is_disabled].append(server.read_memory())
            shutil.rmtree(place / "start")
    for name, found in (("start of a server, CPU in ms", cpu), ("memory in MB", memory)):
        without, ours = statistics.median(found[True]), statistics.median(found[False])
        least = min(found[False]) - min(found[True])
        print(
            f"{name:42} without us {without:8.1f}, ours {ours - without:+7.1f}, least {least:+7.1f}"
        )


def measure_routes(place: Path) -> None:
    """Print the first answer, what each route takes, the watch over a store, and the memory."""
    firsts, warm = [], []
    for _ in range(ROUNDS):
        shutil.rmtree(place / "full", ignore_errors=True)
        with serve(place / "full") as jupyter:
            server = Server(jupyter)
            jupyter.write_notebook(NOTEBOOK, "x = 1")
            query = urlencode({"notebook": NOTEBOOK, **ROUTES["runs"]})
            firsts.append(server.ask(f"/mlops-nb/runs?{query}")[0])
    for _ in range(ROUNDS):
        shutil.rmtree(place / "full", ignore_errors=True)
        with serve(place / "full") as jupyter:
            server = Server(jupyter)
            jupyter.write_notebook(NOTEBOOK, "x = 1")
            server.ask(f"/api/contents/{NOTEBOOK}")  # as a page that opens it does
            time.sleep(3)
            before = server.read_memory()
            warm.append(server.ask(f"/mlops-nb/runs?{query}")[0])
    for name, values in (("cold", firsts), ("a notebook was opened 3 s before", warm)):
        print(
            f"{'first answer, ' + name:48} {statistics.median(values):7.1f} ms, least {min(values):.1f}"
        )
    shutil.rmtree(place / "full")
    with serve(place / "full") as jupyter:
        server = Server(jupyter)
        jupyter.write_notebook(NOTEBOOK, "x = 1")
        for name, fields in ROUTES.items():
            query = urlencode({"notebook": NOTEBOOK, **fields})
            path = f"/mlops-nb/{name.partition(',')[0]}?{query}"
            server.ask(path)
            begun = server.read_cpu()
            asked = [server.ask(path) for _ in range(ASKED)]
            used = (server.read_cpu() - begun) / ASKED
            wall = statistics.median(each for each, _ in asked)
            print(f"{name:48} {used:7.1f} ms CPU, {wall:7.1f} ms wall, status {asked[0][1]}")
        time.sleep(6)
        server.ask(f"/mlops-nb/runs?{urlencode({'notebook': NOTEBOOK})}")
        begun = server.read_cpu()
        time.sleep(5)
        used = (server.read_cpu() - begun) / 5000
        print(f"{'somebody looks at a quiet store':48} {used:7.1%} of a processor")
        print(f"{'memory after all routes':48} {server.read_memory() - before:+7.1f} MB")


def main() -> None:
    """Measure all."""
    print(f"load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        measure_start(place)
        if "--place" in sys.argv:
            place = Path(sys.argv[sys.argv.index("--place") + 1]).absolute()
            place.mkdir(exist_ok=True)
        fill(place)
        measure_routes(place)
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()

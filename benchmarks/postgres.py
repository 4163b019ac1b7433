"""Measures the index of runs on SQLite and on PostgreSQL beside each other; prints a table.

Every figure is CPU time (the best of several): of this process and, for PostgreSQL, of the server's
process that serves it. The server is started here from the system's packages and listens on a
socket of its own; without one nothing is measured. ``--quick`` uses a tenth of the runs.
"""

from __future__ import annotations

import os
import platform
import sqlite3  # noqa: TID251 - asked for its version only
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.store import RUNS, SCALE, run_apart  # noqa: E402 - the package beside this script
from mlops_nb.store import Store, open_store  # noqa: E402
from mlops_nb.store.postgres import PostgresLink  # noqa: E402
from tests.store.postgres import Server, find_server, run_server  # noqa: E402

REBUILT, PAGED = 10_000 // SCALE, 20_000 // SCALE
TWO = "metrics.m1 > 0.5 and params.model = 'rf'"
FEW = "metrics.m1 > 0.99 and params.model = 'rf'"
PAGES: dict[str, tuple[str | None, list[str] | None]] = {
    "page of 50 by a metric": (None, ["metrics.acc DESC"]),
    "the same with two filters": (TWO, ["metrics.acc DESC"]),
    "two filters that keep few": (FEW, ["metrics.acc DESC"]),
    "by a parameter, one filter": ("experiment = 'e3'", ["params.depth", "metrics.acc"]),
    "newest 50": (None, None),
}
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def read_server_s(store: Store) -> float:
    """Give the CPU time in s of the server's process behind a store's index, 0 without one."""
    link = store.index.place.connect()
    if not isinstance(link, PostgresLink):
        return 0.0
    text = Path(f"/proc/{link.connection.info.backend_pid}/stat").read_text()
    fields = text[text.rindex(")") + 2 :].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def measure(store: Store, call: Callable[[], object], times: int = 1) -> tuple[float, float]:
    """Give the least CPU time in s of this process and the mean of the server's."""
    call()
    spent, server, calls = [], read_server_s(store), 0
    for _ in range(5):
        start = time.process_time()
        for _ in range(times):
            call()
            calls += 1
        spent.append((time.process_time() - start) / times)
    return min(spent), (read_server_s(store) - server) / calls


def measure_pages(store: Store) -> dict[str, tuple[float, float]]:
    """Measure pages of an index that is up to date."""
    store.search(None, None, 1)
    time.sleep(2.5)  # the time of a folder just changed is not trusted
    return {
        name: measure(store, lambda text=text, order=order: store.search(text, order, 50), 20)
        for name, (text, order) in PAGES.items()
    }


def measure_both(folder: Path, server: Server) -> dict[str, list[tuple[float, float]]]:
    """Measure the same runs with either index."""
    figures: dict[str, list[tuple[float, float]]] = {}
    for count, name in ((REBUILT, "rebuilt"), (PAGED, "paged")):
        run_apart(RUNS, folder / name, count)
        for number, url in enumerate(("", server.url())):
            store = open_store(folder / name, cache=folder / f"cache{number}", index=url)
            if name == "rebuilt":
                found = {
                    f"rebuild the index of {count:,} runs": measure(store, store.index.rebuild)
                }
            else:
                found = {f"{count:,} runs: {key}": v for key, v in measure_pages(store).items()}
                size = store.index.place.measure() / 1e6
                print(
                    f"(index of {count:,} runs on {'PostgreSQL' if url else 'SQLite'}: {size:.0f} MB)"
                )
            store.index.close()
            for key, value in found.items():
                figures.setdefault(key, []).append(value)
    return figures


def main() -> None:
    """Measure and print the table."""
    if find_server() is None:
        print(
            "The team's index was not measured: no PostgreSQL server is installed (Debian's package postgresql)."
        )
        return
    with tempfile.TemporaryDirectory() as name, run_server() as server:
        ((version,),) = server.run("SHOW server_version")
        figures = measure_both(Path(name), server)
    print(
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, CPU time;"
        f" SQLite {sqlite3.sqlite_version}, PostgreSQL {version}"
    )
    print("| | SQLite | PostgreSQL: reader | PostgreSQL: server |\n| --- | ---: | ---: | ---: |")
    for title, ((local, _), (reader, served)) in figures.items():
        unit, factor = ("s", 1) if title.startswith("rebuild") else ("ms", 1000)
        print(
            f"| {title} | {local * factor:,.2f} {unit} | {reader * factor:,.2f} {unit} | {served * factor:,.2f} {unit} |"
        )


if __name__ == "__main__":
    main()

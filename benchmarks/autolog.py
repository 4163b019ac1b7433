"""Measures what auto-logging costs the code that it records, ours beside the peers'; prints a table.

A figure is the CPU time of the thread that runs the user's code, with recording and without it in
turn within one process: the median of the differences, and the difference of the two least. Rows that
say "all" count the whole process, until everything is stored; what is done once a session, a document
of the environment, has a row of its own. Our package is compiled first, as an installed one is. MLflow's column is its autolog for the
same code, without and with the model and the data that it keeps by default; W&B and Aim record no fit
by themselves, theirs is what the same record by hand adds. Peers are those that ``make bench-peers``
installs, which have no torch, and record no plain loop.

Run: python benchmarks/autolog.py [--quick] [--no-peers] [--only WORD,WORD].
"""

from __future__ import annotations

import atexit
import compileall
import functools
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from autolog_rows import CELL, KERNEL, LOAD, MLFLOW, OURS, ROWS, Row
from peers import Peer, find_folder, find_peers

ROOT = Path(__file__).resolve().parent.parent
QUICK = "--quick" in sys.argv
WITH_PEERS = "--no-peers" not in sys.argv
ROUNDS = 3 if QUICK else 9
SCALES = {"us": 1e6, "ms": 1e3}
SIZES = {"EPOCHS": "5" if QUICK else "100", "CANDIDATES": "25" if QUICK else "500"}

CPU = """
import resource
def cpu():
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
"""
MEASURE = """
import json, statistics, sys, time, warnings
warnings.simplefilter("ignore")
def timed(step, count, warm):
    for _ in range(warm):
        step()
    started = time.thread_time()
    for _ in range(count):
        step()
    return time.thread_time() - started
def compare(work, count, rounds, is_whole):
    plain, recorded = [], []
    arm(); end(begin()); disarm()
    work(max(1, count // 20))
    if is_whole:
        arm(); cell = begin(); work(1); end(cell); disarm()
    for _ in range(rounds):
        started = time.process_time()
        found = work(count)
        plain.append((time.process_time() - started if is_whole else found) / count)
        arm(); end(begin())  # threads are started with the first cell of a session
        started = time.process_time()
        cell = begin()
        found = work(count)
        end(cell)
        if is_whole:
            disarm()  # which waits until all is stored; what switching off takes itself is taken off
            spent = time.process_time() - started
            arm(); started = time.process_time(); disarm()
            recorded.append((spent - time.process_time() + started) / count)
        else:
            recorded.append(found / count)
            disarm()
    differences = [b - a for a, b in zip(plain, recorded)]
    least = min(plain)
    return [statistics.median(plain), statistics.median(differences), min(recorded) - least, least]
def measure_first(work):
    work(1)  # the library's own first time is not ours
    found = []
    for _ in range(3):
        arm()
        started = time.process_time()
        cell = begin(); work(1); end(cell); disarm()
        found.append(time.process_time() - started)
    return [found[0] - min(found[1:])]
"""


@functools.cache
def install() -> str:
    """Copy the package and compile it, as an installation does; give the folder."""
    folder = tempfile.mkdtemp(prefix="mlops_nb-bench-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", "labextension")
    shutil.copytree(ROOT / "mlops_nb", Path(folder, "mlops_nb"), ignore=ignored)
    compileall.compile_dir(folder, quiet=2)
    return folder


def run(python: Path | str, program: str, call: str, cache: str = "") -> list[float]:
    """Run a program in a process of its own and give what its last call found."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("MLOPS_NB_", "MLFLOW_", "WANDB_", "AIM_", "PYTHONDONTWRITE"))
    }
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environment |= {
            "HOME": folder, "OMP_NUM_THREADS": "1", "PYTHONPATH": install(),
            "MLOPS_NB_STORE": f"{folder}/store", "MLOPS_NB_CACHE": cache or f"{folder}/cache",
            "AIM_TRACKING_TELEMETRY": "false", "__AIM_TELEMETRY_ENABLED__": "0",
        }  # fmt: skip
        # A file, because a notebook's cell has a source to be read as well.
        script = Path(folder, "program.py")
        script.write_text(MEASURE + program + f"\nprint('FOUND' + json.dumps({call}))\n")
        done = subprocess.run(
            [str(python), "-W", "ignore", str(script)],
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found: list[float] = json.loads(done.stdout.rsplit("FOUND", 1)[1].splitlines()[0])
    return found


def show(value: float, sign: str = "") -> str:
    """Give three digits of a figure, with its sign where asked for."""
    return f"{value:{sign},.0f}" if abs(value) >= 100 else f"{value:{sign}.3g}"


def measure_row(row: Row, peers: dict[str, Peer]) -> str:
    """Measure one row, ours and the peers, and give its line of the table."""
    code = row.code
    for name, size in SIZES.items():
        code = code.replace(name, size)
    scale = SCALES[row.unit]
    program = code if row.code is CELL else OURS + code
    if row.is_first:
        (once,) = run(sys.executable, program, "measure_first(work)")
        return f"| {row.title} | | +{show(once * scale)} {row.unit} | | | {row.budget} | | | |"
    # Of short rows more rounds: on a machine that others use, the least needs luck.
    rounds = ROUNDS if row.count == 1 else 5 * ROUNDS
    call = f"compare(work, {row.count}, {rounds}, {row.is_whole})"
    plain, median, least, least_plain = run(sys.executable, program, call)
    cells = [
        row.title,
        f"{show(plain * scale)} {row.unit}",
        f"{show(median * scale, '+')}",
        f"{show(least * scale, '+')}",
        f"{100 * median / plain:.1f} %, {100 * least / least_plain:.1f} %",
        row.budget,
        *(measure_peer(peers.get(name), row, code) for name in ("MLflow", "W&B", "Aim")),
    ]
    return f"| {' | '.join(cells)} |"


def measure_peer(peer: Peer | None, row: Row, code: str) -> str:
    """Measure what a peer adds to the same code, or what recording it by hand takes."""
    if peer is None or not WITH_PEERS or peer.python is None:
        return ""
    scale = SCALES[row.unit]
    by_hand = row.by_hand.get(peer.name)
    if by_hand is not None:
        (seconds,) = run(peer.python, by_hand, "[work(5) / 5]")
        return f"+{show(seconds * scale)} by hand"
    if peer.name != "MLflow" or not row.mlflow:
        return ""
    found = []
    for models in ("False", "True"):
        program = MLFLOW.replace("MODELS", models) + code
        call = f"compare(work, {1 if row.is_whole else 2}, {1 if QUICK else 3}, {row.is_whole})"
        median = run(peer.python, program, call)[1]
        found.append(f"+{show(median * scale)}")
    return f"{found[0]}; by default {found[1]}"


def measure_load(peers: dict[str, Peer]) -> list[str]:
    """Measure what switching on takes, all processes and threads counted, until all is done."""
    call = "[cpu(), load(), time.sleep(1.0), cpu()]"
    rows = []
    for title, before in (
        ("switch on, fresh process (CPU)", ""),
        ("switch on, in what a kernel has loaded (CPU)", KERNEL),
    ):
        with tempfile.TemporaryDirectory() as cache:
            code = CPU + before + LOAD["ours"]
            first = _count_cpu(run(sys.executable, code, call))
            run(sys.executable, code, call, cache)  # reads what is installed, for those that follow
            found = [
                _count_cpu(run(sys.executable, code, call, cache)) for _ in range(ROUNDS // 2 + 1)
            ]
        cells = [title, "", f"+{show(statistics.median(found))} ms", f"+{show(min(found))}", ""]
        cells += ["60 ms"]
        for name in ("MLflow", "W&B", "Aim"):
            peer = peers.get(name)
            is_asked = not before and WITH_PEERS and peer is not None and peer.python is not None
            times = [
                _count_cpu(run(peer.python, CPU + LOAD[name], call))  # type: ignore[union-attr,arg-type]
                for _ in range(ROUNDS // 2 + 1 if is_asked else 0)
            ]
            cells.append(show(statistics.median(times)) if times else "")
        rows.append(f"| {' | '.join(cells)} |")
        rows.append(f"| the same, first after an installation | | +{show(first)} ms | | | | | | |")
    return rows


def _count_cpu(found: list[float]) -> float:
    """Give the milliseconds between two looks, children counted."""
    return 1000 * (found[-1] - found[0])


def main() -> None:
    """Measure every row and print the table."""
    words = [
        word for each in sys.argv if each.startswith("--only=") for word in each[7:].split(",")
    ]
    peers = find_peers(find_folder([]))
    started = time.strftime("%d %B %Y, %H:%M UTC", time.gmtime())
    load = os.getloadavg()[1] if hasattr(os, "getloadavg") else float("nan")
    print(
        f"{started}; Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, "
        f"load {load:.1f}; {ROUNDS} rounds in turn, of short rows {5 * ROUNDS}\n"
    )
    titles = [peers[name].title if name in peers else name for name in ("MLflow", "W&B", "Aim")]
    head = [
        "what is recorded",
        "without",
        "ours, median",
        "ours, least",
        "share by median, by least",
        "budget",
        *titles,
    ]
    print(f"| {' | '.join(head)} |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    if not words or any(word in "load" for word in words):
        print("\n".join(measure_load(peers)), flush=True)
    for row in ROWS:
        if not words or any(word in row.title for word in words):
            print(measure_row(row, peers), flush=True)
    if hasattr(os, "getloadavg"):
        print(f"\nload at the end {os.getloadavg()[1]:.1f}")


if __name__ == "__main__":
    main()

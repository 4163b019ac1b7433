"""Measures what auto-logging costs the code that it records, ours beside the peers'; prints a table.

A figure is the CPU time of the thread that runs the user's code, with recording and without it in
turn within one process: the median of the differences, and the difference of the two least. Rows that
say "all" count the whole process, until everything is stored. MLflow's column is its autolog for the
same code, without and with the model and the data that it keeps by default; W&B and Aim record no fit
by themselves, theirs is what the same record by hand adds. Peers are those that ``make bench-peers``
installs, which have no torch, and record no plain loop.

Run: python benchmarks/autolog.py [--quick] [--no-peers] [--only WORD,WORD].
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from autolog_rows import CELL, LOAD, MLFLOW, OURS, ROWS, Row
from peers import Peer, find_folder, find_peers

ROOT = Path(__file__).resolve().parent.parent
QUICK = "--quick" in sys.argv
WITH_PEERS = "--no-peers" not in sys.argv
ROUNDS = 3 if QUICK else 9
SCALES = {"us": 1e6, "ms": 1e3}
SIZES = {"EPOCHS": "5" if QUICK else "100", "CANDIDATES": "25" if QUICK else "500"}

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
    for _ in range(rounds):
        started = time.process_time()
        found = work(count)
        plain.append((time.process_time() - started if is_whole else found) / count)
        arm()
        started = time.process_time()
        cell = begin()
        found = work(count)
        end(cell)
        if is_whole:
            disarm()
            recorded.append((time.process_time() - started) / count)
        else:
            recorded.append(found / count)
            disarm()
    differences = [b - a for a, b in zip(plain, recorded)]
    return [statistics.median(plain), statistics.median(differences), min(recorded) - min(plain)]
"""


def run(python: Path | str, program: str, call: str) -> list[float]:
    """Run a program in a process of its own and give what its last call found."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("MLOPS_NB_", "MLFLOW_", "WANDB_", "AIM_"))
    }
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environment |= {
            "HOME": folder, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT),
            "MLOPS_NB_STORE": f"{folder}/store", "MLOPS_NB_CACHE": f"{folder}/cache",
            "AIM_TRACKING_TELEMETRY": "false", "__AIM_TELEMETRY_ENABLED__": "0",
        }  # fmt: skip
        code = MEASURE + program + f"\nprint('FOUND' + json.dumps({call}))\n"
        done = subprocess.run(
            [str(python), "-W", "ignore", "-c", code],
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found: list[float] = json.loads(done.stdout.rsplit("FOUND", 1)[1].splitlines()[0])
    return found


def show(value: float) -> str:
    """Give three digits of a figure."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def measure_row(row: Row, peers: dict[str, Peer]) -> str:
    """Measure one row, ours and the peers, and give its line of the table."""
    code = row.code
    for name, size in SIZES.items():
        code = code.replace(name, size)
    scale = SCALES[row.unit]
    rounds = max(3, ROUNDS // 2) if row.is_whole else ROUNDS
    program = code if row.code is CELL else OURS + code
    call = f"compare(work, {row.count}, {rounds}, {row.is_whole})"
    plain, median, least = run(sys.executable, program, call)
    cells = [
        row.title,
        f"{show(plain * scale)} {row.unit}",
        f"+{show(median * scale)}",
        f"+{show(least * scale)}",
        f"{100 * median / plain:.1f} %",
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
        _, median, _ = run(peer.python, program, call)
        found.append(f"+{show(median * scale)}")
    return f"{found[0]}; by default {found[1]}"


def measure_load(peers: dict[str, Peer]) -> str:
    """Measure what switching on takes in a fresh process, all processes counted."""
    call = "[(os.times(), load(), os.times())]"
    pythons: dict[str, Path | str | None] = {"ours": sys.executable}
    for name in ("MLflow", "W&B", "Aim"):
        peer = peers.get(name)
        pythons[name] = peer.python if peer is not None and WITH_PEERS else None
    found: dict[str, float] = {}
    for name, python in pythons.items():
        if python is None:
            continue
        times = []
        for _ in range(ROUNDS // 2 + 1):
            before, _, after = run(python, "import os\n" + LOAD[name], call)[0]  # type: ignore[misc]
            times.append(sum(after[:4]) - sum(before[:4]))  # type: ignore[has-type]
        found[name] = statistics.median(times) * 1000
    shown = [f"{show(found[name])}" if name in found else "" for name in pythons]
    cells = ["switch on, fresh process (CPU)", "", f"+{shown[0]} ms", "", "", "60 ms", *shown[1:]]
    return f"| {' | '.join(cells)} |"


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
        f"load {load:.1f}; {ROUNDS} rounds in turn\n"
    )
    titles = [peers[name].title if name in peers else name for name in ("MLflow", "W&B", "Aim")]
    head = [
        "what is recorded",
        "without",
        "ours, median",
        "ours, least",
        "share",
        "budget",
        *titles,
    ]
    print(f"| {' | '.join(head)} |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    if not words or any(word in "load" for word in words):
        print(measure_load(peers), flush=True)
    for row in ROWS:
        if not words or any(word in row.title for word in words):
            print(measure_row(row, peers), flush=True)
    if hasattr(os, "getloadavg"):
        print(f"\nload at the end {os.getloadavg()[1]:.1f}")


if __name__ == "__main__":
    main()

"""Runs that are written by a process which is gone afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mlops_nb.store import Store

PROJECT = Path(__file__).resolve().parents[2]
WRITER = """
import os, sys, time
from pathlib import Path
from mlops_nb.store import open_store
store = open_store(Path(sys.argv[1]))
log = store.reopen_run(sys.argv[2]) if len(sys.argv) > 3 else store.start_run({"name": "r", "experiment": "e"})
for step in range(int(sys.argv[3] if len(sys.argv) > 3 else sys.argv[2])):
    log.log_metrics({"a": step / 7, "b": float("nan") if step % 5 else -0.0}, step)
if len(sys.argv) > 4:
    print("ready", flush=True)
    sys.stdin.readline()
if len(sys.argv) <= 3:
    log.end("finished")
print(log.run_id)
"""


def write_apart(store: Store, *words: object) -> str:
    """Write a run, or add to one, in a process that is gone afterwards."""
    command = [sys.executable, "-c", WRITER, str(store.root), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT)
    return done.stdout.strip()


def read_all(store: Store, run_id: str) -> list[str]:
    """Give every point of a run as text, which tells NaN and -0.0 apart."""
    return [
        repr(point) for key in "ab" for point in store.read_metric_history(run_id, key)
    ]  # fmt: skip

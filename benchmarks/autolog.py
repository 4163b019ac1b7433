"""Measures what auto-logging costs the code that it records, ours beside MLflow's; prints a table.

Every figure is the CPU time of the thread that runs the user's code, with recording and without it in
turn within one process: the median of the differences, and the difference of the two least. The peers
are those that ``make bench-peers`` installs; MLflow's has no torch, and MLflow records no plain loop.
Run: python benchmarks/autolog.py [--quick] [--no-peers].
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from peers import find_folder, find_peers

ROOT = Path(__file__).resolve().parent.parent
QUICK = "--quick" in sys.argv
WITH_PEERS = "--no-peers" not in sys.argv
ROUNDS = 3 if QUICK else 9

# Ours and MLflow's: how recording is switched on and off, around the same code.
OURS = """
import tempfile
from pathlib import Path
from mlops_nb import autolog
from mlops_nb.config import load_settings
from mlops_nb.store import open_store
from mlops_nb.tracking import open_session
root = Path(tempfile.mkdtemp(dir="."))
session = open_session(open_store(root / "s", cache=root / "c"), load_settings(root))
def begin():
    autolog.arm(session)
    return session.begin_cell("measured")
def end(cell):
    autolog.finish_cell()
    session.end_cell(cell)
    autolog.disarm()
"""
MLFLOW = """
import logging, os, warnings
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
import mlflow
logging.getLogger("mlflow").setLevel(logging.ERROR)
mlflow.set_tracking_uri("sqlite:///m.db")
def begin():
    mlflow.sklearn.autolog(log_models=MODELS, log_datasets=MODELS, silent=True)
def end(cell):
    mlflow.end_run()
    mlflow.sklearn.autolog(disable=True, silent=True)
"""
MEASURE = """
import json, statistics, sys, time, warnings
warnings.simplefilter("ignore")
def compare(work, count, rounds, clock=time.thread_time):
    plain, recorded = [], []
    work(max(2, count // 20))
    for _ in range(rounds):
        plain.append(work(count) / count)
        cell = begin()
        recorded.append(work(count) / count)
        end(cell)
    differences = [b - a for a, b in zip(plain, recorded)]
    return [statistics.median(plain), statistics.median(differences), min(recorded) - min(plain)]
def timed(step, count, warm):
    for _ in range(warm):
        step()
    started = time.thread_time()
    for _ in range(count):
        step()
    return time.thread_time() - started
"""
TORCH = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
torch.set_num_threads(1)
"""
# Title, what it is of, code that defines `work(count)`, calls in a block, unit, budget.
ROWS = [
    (
        "torch step, one weight",
        TORCH
        + """
def work(count):
    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.0, foreach=False)
    def step():
        loss = (weight * weight).sum()
        loss.backward()
        optimizer.step()
    return timed(step, count, 20)
""",
        4000,
        "us",
        "+6 us",
    ),
    (
        "torch step, a real one (784-256-256-10, 128 rows, Adam)",
        TORCH
        + """
X, y = torch.randn(128, 784), torch.randint(0, 10, (128,))
def work(count):
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    optimizer = torch.optim.Adam(model.parameters())
    def step():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(X), y)
        loss.backward()
        optimizer.step()
    return timed(step, count, 20)
""",
        200,
        "us",
        "+1 %",
    ),
    (
        "batch of a DataLoader, within a training",
        TORCH
        + """
data = TensorDataset(torch.zeros(4000, 1))
def work(count):
    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.0)
    weight.sum().backward(); optimizer.step()
    loader = iter(DataLoader(data, batch_size=1))
    return timed(lambda: next(loader), count, 20)
""",
        3000,
        "us",
        "+2 us",
    ),
    (
        "100 epochs of an MLP on digits, all of it",
        TORCH
        + """
from sklearn.datasets import load_digits
digits = load_digits()
X, y = torch.tensor(digits.data, dtype=torch.float32), torch.tensor(digits.target)
def work(count):
    started = time.thread_time()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters())
    loader = DataLoader(TensorDataset(X, y), batch_size=64, shuffle=True)
    for epoch in range(EPOCHS if count > 2 else 1):
        for batch, target in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(batch), target)
            loss.backward()
            optimizer.step()
    return (time.thread_time() - started) * count
""".replace("EPOCHS", "5" if QUICK else "100"),
        3,
        "ms",
        "+1 %",
    ),
    (
        "LogisticRegression.fit, 200 x 5",
        """
import numpy as np
from sklearn.linear_model import LogisticRegression
rng = np.random.default_rng(0)
X = rng.normal(size=(200, 5)); y = (X[:, 0] > 0).astype(int)
def work(count):
    return timed(lambda: LogisticRegression().fit(X, y), count, 1)
""",
        20,
        "us",
        "+50 us",
    ),
    (
        "accuracy_score, 200 labels",
        """
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
rng = np.random.default_rng(0)
X = rng.normal(size=(200, 5)); y = (X[:, 0] > 0).astype(int)
def work(count):
    model = LogisticRegression().fit(X, y)
    p = model.predict(X)
    return timed(lambda: accuracy_score(y, p), count, 1)
""",
        50,
        "us",
        "+10 us",
    ),
]
CELL = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
def begin():
    shell.run_line_magic("load_ext", "mlops_nb")
def end(cell):
    shell.run_line_magic("unload_ext", "mlops_nb")
def work(count):
    return timed(lambda: shell.run_cell("x = 1", store_history=True), count, 5)
"""
SCALES = {"us": 1e6, "ms": 1e3}


def run(python: Path | str, program: str, count: int, rounds: int) -> tuple[float, float, float]:
    """Run one comparison in a process of its own; seconds of one call, and what recording adds."""
    call = f"\nprint('FOUND' + json.dumps(compare(work, {count}, {rounds})))\n"
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("MLOPS_NB_", "MLFLOW_"))
    }
    with tempfile.TemporaryDirectory() as folder:
        environment |= {
            "HOME": folder, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT),
            "MLOPS_NB_STORE": f"{folder}/store", "MLOPS_NB_CACHE": f"{folder}/cache",
        }  # fmt: skip
        done = subprocess.run(
            [str(python), "-W", "ignore", "-c", MEASURE + program + call],
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    plain, median, least = json.loads(done.stdout.rsplit("FOUND", 1)[1])
    return plain, median, least


def show(value: float) -> str:
    """Give three digits of a figure."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def main() -> None:
    """Measure every row and print the table."""
    peer = find_peers(find_folder([]))["MLflow"]
    load = os.getloadavg()[1] if hasattr(os, "getloadavg") else float("nan")
    print(
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, load {load:.1f}; "
        f"CPU time of the user's thread, {ROUNDS} rounds in turn"
    )
    print(
        f"\n| what is recorded | without | ours, median | ours, least | share | budget | {peer.title} |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    rows = [*ROWS, ("cell `x = 1`", CELL, 200, "us", "+500 us")]
    for title, code, count, unit, budget in rows:
        program = code if code is CELL else OURS + code
        plain, median, least = run(sys.executable, program, count, ROUNDS)
        theirs = "no torch there; records no plain loop" if "torch" in code else "records no cells"
        if "torch" not in code and code is not CELL:
            theirs = measure_peer(peer, code, unit) if WITH_PEERS else "not run"
        scale = SCALES[unit]
        cells = [show(plain * scale), show(median * scale), show(least * scale)]
        print(
            f"| {title} | {cells[0]} {unit} | +{cells[1]} {unit} | +{cells[2]} {unit} | "
            f"{100 * median / plain:.1f} % | {budget} | {theirs} |",
            flush=True,
        )


def measure_peer(peer: object, code: str, unit: str) -> str:
    """Measure MLflow on the same code, without and with the model and data it keeps by default."""
    python = getattr(peer, "python", None)
    if python is None:
        return str(getattr(peer, "reason", "not installed"))
    found = []
    for models in ("False", "True"):
        _, median, _ = run(python, MLFLOW.replace("MODELS", models) + code, 2, 1 if QUICK else 3)
        found.append(f"+{show(median * SCALES[unit])} {unit}")
    return f"{found[0]}; by default {found[1]}"


if __name__ == "__main__":
    main()

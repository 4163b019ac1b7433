"""Measures what recording takes in the steps of torch loops, inside the steps themselves.

The differences of whole steps are smaller than what a shared machine adds to them, so that our own code is
timed where it runs: between the call of ``backward`` and the engine, armed and not, and between two hooks
around ours after a step. Behind a step of a real model the processor's caches hold none of it.

Run: python benchmarks/torchsteps.py [--quick].
"""

# ruff: noqa: TID253, SLF001, N806 - it is about torch, clocks its insides, and trains as users do
from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.autograd as engine
from torch import nn
from torch.optim.optimizer import _global_optimizer_post_hooks, register_optimizer_step_post_hook
from torch.utils.data import DataLoader, TensorDataset

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mlops_nb import autolog
from mlops_nb.config import load_settings
from mlops_nb.store import open_store
from mlops_nb.tracking import open_session

COUNT = 200 if "--quick" in sys.argv else 1000
ROUNDS = 1 if "--quick" in sys.argv else 3
now = time.thread_time_ns
begun: list[int] = [0]
in_backward: list[int] = []
after_step: list[int] = []
RUN = engine._engine_run_backward


def clock_engine(*args: Any, **kwargs: Any) -> Any:
    """Stand below our wrapper: the engine begins."""
    in_backward.append(now() - begun[0])
    return RUN(*args, **kwargs)


def note_begin(*_: Any) -> None:
    """Note the time before our hook."""
    begun[0] = now()


def note_end(*_: Any) -> None:
    """Note what our hook took."""
    after_step.append(now() - begun[0])


def train_smallest(count: int) -> None:
    """Step one weight."""
    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.0, foreach=False)
    for _ in range(count):
        loss = (weight * weight).sum()
        begun[0] = now()
        loss.backward()
        optimizer.step()


def train_digits(count: int) -> None:
    """Step a perceptron of 64, 64 and 10 over batches of a loader, as on scikit-learn's digits."""
    X, y = torch.randn(1797, 64), torch.randint(0, 10, (1797,))
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters())
    loader = DataLoader(TensorDataset(X, y), batch_size=64, shuffle=True)
    for epoch in range(max(1, count // 29)):  # noqa: B007 - as users write it
        for batch, target in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(batch), target)
            begun[0] = now()
            loss.backward()
            optimizer.step()


def train_real(count: int) -> None:
    """Step a perceptron of 784, 256, 256 and 10 on 128 rows."""
    X, y = torch.randn(128, 784), torch.randint(0, 10, (128,))
    layers = [nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10)]
    model = nn.Sequential(*layers)
    optimizer = torch.optim.Adam(model.parameters())
    for _ in range(count):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(X), y)
        begun[0] = now()
        loss.backward()
        optimizer.step()


def run(train: Callable[[int], None]) -> tuple[float, list[int], list[int]]:
    """Run a loop and give the time of all of it, and of each begin and end of a step."""
    in_backward.clear()
    after_step.clear()
    started = now()
    train(COUNT)
    return now() - started, in_backward[1:], after_step[1:]


def measure(title: str, train: Callable[[int], None], session: Any) -> str:
    """Run one loop without recording and with it, and give its line of the table."""
    found = []
    for is_armed in (False, True) * ROUNDS:
        if is_armed:
            autolog.arm(session)
            cell = session.begin_cell(title)
        register_optimizer_step_post_hook(note_end)
        found.append(run(train))
        _global_optimizer_post_hooks.popitem()
        if is_armed:
            autolog.finish_cell({})
            session.end_cell(cell)
            autolog.disarm()
    plain, armed = found[::2], found[1::2]
    steps = len(plain[0][1])
    medians = [
        min(statistics.median(each[part]) for each in rounds) / 1000
        for part in (1, 2)
        for rounds in (plain, armed)
    ]
    means = [
        min(sum(each[1]) + sum(each[2]) for each in rounds) / steps / 1000
        for rounds in (plain, armed)
    ]
    step = min(each[0] for each in plain) / steps / 1000
    ours = means[1] - means[0]
    cells = [
        title,
        f"{step:,.0f}",
        f"{medians[1] - medians[0]:.2f}",
        f"{medians[3] - medians[2]:.2f}",
        f"{ours:.2f}",
        f"{100 * ours / step:.2f} %",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure each loop and print the table."""
    torch.set_num_threads(1)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(
        f"Python {platform.python_version()}, torch {torch.__version__}, {os.cpu_count()} cores, "
        f"load {load:.1f}, {COUNT} steps, {ROUNDS} rounds; microseconds\n"
    )
    print("| loop | step | backward, median | after it, median | ours, mean | share |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        session = open_session(open_store(root / "s", cache=root / "c"), load_settings(root))
        engine._engine_run_backward = clock_engine
        register_optimizer_step_post_hook(note_begin)
        train_smallest(3)
        for title, train in (
            ("one weight", train_smallest),
            ("64-64-10, 64 rows, loader, Adam", train_digits),
            ("784-256-256-10, 128 rows, Adam", train_real),
        ):
            print(measure(title, train, session), flush=True)
        engine._engine_run_backward = RUN


if __name__ == "__main__":
    main()

"""What every subject of the comparison is asked to do; runs under each one's own interpreter.

A subject is a script that takes the name of an operation and a count, does it so many times in the
current folder and prints what that cost. What must be there before (the import, a run) is not
counted; what the operation left to do later is.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

METRICS, PARAMS = 10, 10
TEN = {f"m{number}": 0.5 for number in range(METRICS)}
SERIES_POINTS = 100_000
RUNS = 1_000
PAGE = 50
PIXELS = 1_000


class Clock:
    """CPU seconds of this process and all below it, and wall seconds, from now on."""

    def __init__(self) -> None:
        others = read_others()
        self._waited: float | None = None
        self._cpu, self._begun = others + time.process_time(), time.perf_counter()

    def stop(self) -> None:
        """Count no more wall time: what follows happens when the run ends."""
        self._waited = time.perf_counter() - self._begun

    def read(self) -> tuple[float, float]:
        """Give CPU and wall seconds."""
        if self._waited is None:
            self.stop()
        own = time.process_time()  # before the look at the others, which is work too
        return own + read_others() - self._cpu, self._waited or 0.0


Operation = Callable[[int], tuple[float, float]]
NOTHING = (0.0, 0.0)


def read_others() -> float:
    """Add up the CPU seconds of the processes below this one, those gone and those that live."""
    times = os.times()
    gone = times.children_user + times.children_system
    parents, ticks = {}, {}
    for place in Path("/proc").glob("[0-9]*/stat"):  # nowhere but on Linux
        try:
            text = place.read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        fields = text.rpartition(")")[2].split()
        pid = int(place.parent.name)
        parents[pid], ticks[pid] = int(fields[1]), sum(map(int, fields[11:15]))
    family = {os.getpid()}
    while True:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        if not more:
            break
        family |= more
    family.discard(os.getpid())
    return gone + sum(ticks[pid] for pid in family) / os.sysconf("SC_CLK_TCK")


def series() -> Iterator[tuple[int, float]]:
    """Give steps and values of one long series."""
    chance = random.Random(0)
    return ((step, chance.gauss(0, 1)) for step in range(SERIES_POINTS))


def tens(count: int) -> Iterator[tuple[int, dict[str, float]]]:
    """Give steps, and ten values that differ from one to the next."""
    chance = random.Random(0)
    return ((step, {key: chance.gauss(0, 1) for key in TEN}) for step in range(1, count + 1))


def runs() -> Iterator[tuple[str, dict[str, float], dict[str, object]]]:
    """Give names, metrics and params of many runs."""
    chance = random.Random(0)
    for number in range(RUNS):
        metrics = {f"m{key}": chance.random() for key in range(METRICS - 1)}
        metrics["acc"] = chance.random()
        params: dict[str, object] = {f"p{key}": chance.random() for key in range(PARAMS - 2)}
        params["model"] = chance.choice(["rf", "svm", "mlp", "lr"])
        params["depth"] = chance.randrange(1, 20)
        yield f"r{number}", metrics, params


def serve(operations: dict[str, Operation]) -> None:
    """Do what the command line asks for."""
    name, count = sys.argv[1], int(sys.argv[2])
    print("SPENT", *operations[name](count), flush=True)

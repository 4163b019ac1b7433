"""Measures what looking at an open run costs: CPU time of the thread that samples, as a share.

Run: python benchmarks/sampler.py [--quick].
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from mlops_nb.capture.resources import ResourceReader
from mlops_nb.config import load_settings
from mlops_nb.store import open_store
from mlops_nb.tracking import close_session, open_session

SECONDS = 20 if "--quick" in sys.argv else 60


def measure_reader(count: int = 2000) -> float:
    """Give the CPU time of one reading in us."""
    reader = ResourceReader()
    reader.read()
    begun = time.thread_time()
    for _ in range(count):
        reader.read()
    return (time.thread_time() - begun) / count * 1e6


def measure_thread(root: Path) -> tuple[float, float]:
    """Give the CPU time of the thread as a share, while a run is open and while none is."""
    from tqdm import tqdm

    session = open_session(open_store(root / "s", cache=root / "c"), load_settings(root))
    index = session.begin_cell("for i in tqdm(range(1000)): ...")
    with tqdm(total=1000, file=sys.stderr) as bar, session.start_run("open"):
        is_open = measure_share(lambda: bar.update(1))
    session.end_cell(index)
    is_idle = measure_share(lambda: None)
    close_session()
    return is_open, is_idle


def measure_share(work: Callable[[], object]) -> float:
    """Give the share of one processor that the thread takes while the main one does some work."""
    (thread,) = [each for each in threading.enumerate() if each.name == "mlops_nb-sampler"]
    assert thread.ident is not None
    clock = time.pthread_getcpuclockid(thread.ident)
    begun, spent = time.perf_counter(), time.clock_gettime(clock)
    while time.perf_counter() - begun < SECONDS:
        time.sleep(0.1)
        work()
    return 100 * (time.clock_gettime(clock) - spent) / (time.perf_counter() - begun)


def main() -> None:
    """Print the figures."""
    print(f"one reading: {measure_reader():.0f} us of CPU time")
    with tempfile.TemporaryDirectory() as folder:
        is_open, is_idle = measure_thread(Path(folder))
    print(f"a run open, a bar and resources sampled: {is_open:.4f} % of one processor")
    print(f"no run open: {is_idle:.4f} %")


if __name__ == "__main__":
    main()

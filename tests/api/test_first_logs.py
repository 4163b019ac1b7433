"""The first logs of a script, wherever they are made."""

from __future__ import annotations

import sys
import threading

import mlops_nb as mlops
from mlops_nb.store import Store


def test_threads_that_log_first_share_one_session(store: Store) -> None:
    """However many begin at once: one session, one thread that samples, every run of that session."""
    before, interval = set(threading.enumerate()), sys.getswitchinterval()
    count, found = 8, []
    both = threading.Barrier(count)

    def work(number: int) -> None:
        both.wait(120)
        with mlops.start_run(f"thread {number}") as run:
            found.append(run.run_id)
            both.wait(120)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    sampling = [each for each in threading.enumerate() if each.name == "mlops_nb-sampler"]
    assert len(set(sampling) - before) == 1
    assert len({store.read_run(run_id).session_id for run_id in found}) == 1
    assert len(list((store.root / "sessions").iterdir())) == 1

"""The machine is described in JSON types, and threads follow what is set and loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import mlops_nb
from mlops_nb.capture.hardware import capture_hardware, capture_threads
from mlops_nb.capture.process import capture_process
from mlops_nb.capture.seeds import capture_seeds


def test_hardware_is_known_and_plain() -> None:
    """System, processor and memory are filled in, and everything is JSON."""
    machine = capture_hardware()
    assert json.loads(json.dumps(machine)) == machine
    assert machine["system"]
    assert machine["cpu_count"] == os.cpu_count()
    assert machine["memory_bytes"] is None or machine["memory_bytes"] > 1 << 26


def test_threads_show_variables_and_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread variable that is set is shown, and so is the pool of a loaded numeric library."""
    import numpy as np

    np.ones((2, 2)) @ np.ones((2, 2))
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    threads = capture_threads()
    assert threads["variables"]["OMP_NUM_THREADS"] == "3"
    assert all(pool["threads"] >= 1 for pool in threads["pools"])
    assert threads["pools"]


def test_readers_load_no_library() -> None:
    """In a fresh process no reader imports a numeric library or anything outside the standard library."""
    code = (
        "import sys\n"
        "from mlops_nb.capture import git, hardware, packages, process, seeds\n"
        "hardware.capture_threads(); seeds.capture_seeds(); process.capture_process()\n"
        "tops = {n.partition('.')[0] for n in sys.modules}\n"
        "heavy = {'numpy', 'torch', 'threadpoolctl', 'pandas', 'sklearn'}\n"
        "print(sorted(tops & heavy))"
    )
    root = Path(mlops_nb.__file__).parents[1]
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_seed_digests_follow_the_generators() -> None:
    """A digest changes when a number is drawn and comes back with the seed; reading draws nothing."""
    import random

    import numpy as np

    random_state, numpy_state = random.getstate(), np.random.get_state()
    try:
        random.seed(1)
        np.random.seed(1)
        first = capture_seeds()
        assert capture_seeds() == first
        random.random()
        second = capture_seeds()
        assert second["random"] != first["random"]
        assert second["numpy"] == first["numpy"]
        np.random.rand()
        assert capture_seeds()["numpy"] != first["numpy"]
        random.seed(1)
        np.random.seed(1)
        assert capture_seeds() == first
    finally:
        random.setstate(random_state)
        np.random.set_state(numpy_state)


def test_process_is_this_one() -> None:
    """The process is told apart by its id, its start and the boot."""
    process = capture_process()
    assert process["pid"] == os.getpid()
    assert process == capture_process()
    if sys.platform.startswith("linux"):
        assert process["start_ticks"] > 0
        assert len(process["boot_id"]) == 36

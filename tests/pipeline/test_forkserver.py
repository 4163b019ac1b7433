"""A forked kernel is what a kernel started afresh is, and is gone when it should be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_nb.pipeline import forkserver
from mlops_nb.pipeline.kernels import StepKernel
from tests.pipeline.cells import is_running, make_kernel, run_cell, wait_until
from tests.pipeline.conftest import ROOT

pytestmark = pytest.mark.skipif(not forkserver.is_possible(), reason="needs Linux")

_HEAVY = ("numpy", "sklearn.cluster", "sklearn.ensemble", "torch", "torch.utils.data")
_COMPUTE = """
import hashlib, multiprocessing, random, numpy as np, torch
from sklearn.cluster import KMeans
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from torch.utils.data import DataLoader, TensorDataset
digest = hashlib.sha256()
X, y = make_classification(300, 8, random_state=0)
digest.update(KMeans(3, n_init=2, random_state=0).fit_predict(X).tobytes())
digest.update(RandomForestClassifier(20, n_jobs=2, random_state=0).fit(X, y).predict_proba(X).tobytes())
torch.manual_seed(0); np.random.seed(0); random.seed(0)
model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))
optimizer = torch.optim.Adam(model.parameters(), 0.01)
data = TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(y))
for a, b in DataLoader(data, batch_size=32, shuffle=True, num_workers=2):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(a), b).backward()
    optimizer.step()
for value in model.state_dict().values():
    digest.update(value.numpy().tobytes())
for method in ("fork", "spawn"):
    with multiprocessing.get_context(method).Pool(2) as pool:
        digest.update(repr(pool.map(abs, [-1, -2])).encode())
digest.update(repr([hash("a"), np.random.rand(), random.random(), torch.rand(1).item()]).encode())
print(digest.hexdigest())
"""


@pytest.fixture
def started() -> Iterator[list[StepKernel]]:
    """Give a list whose kernels are stopped."""
    kernels: list[StepKernel] = []
    yield kernels
    for kernel in kernels:
        kernel.stop()


def test_results_equal_a_cold_start(tmp_path: Path, started: list[StepKernel]) -> None:
    """Clusters, forests, torch training, data loaders and pools give the same in both."""
    pytest.importorskip("torch")
    results = []
    for mode in ("off", "on"):
        started.append(make_kernel(tmp_path, *_HEAVY, fork=mode))
        shown = run_cell(
            started[-1], f"import warnings; warnings.simplefilter('ignore')\n{_COMPUTE}"
        )
        results.append((shown.text, shown.error))
    assert results[0] == results[1]
    assert len(results[0][0]) == 65


def test_luck_is_not_shared(tmp_path: Path, started: list[StepKernel]) -> None:
    """Two kernels of one server draw different numbers where nothing was seeded."""
    draw = (
        "import random, numpy, torch, multiprocessing as m\n"
        "print(random.random(), numpy.random.rand(), torch.rand(1).item(), m.current_process().authkey.hex())"
    )
    pytest.importorskip("torch")
    started += [make_kernel(tmp_path, *_HEAVY) for _ in range(2)]
    first, second = (run_cell(kernel, draw).text.split() for kernel in started)
    assert len(first) == 4
    assert not set(first) & set(second)


def test_figures_show(tmp_path: Path, started: list[StepKernel]) -> None:
    """A figure shows under its cell without being asked to, as in a notebook."""
    started.append(make_kernel(tmp_path, "matplotlib.pyplot"))
    source = "import matplotlib.pyplot as plt; plt.plot([1, 2]);"
    assert "image/png" in run_cell(started[0], source).types


def test_process_is_like_a_fresh_one(tmp_path: Path, started: list[StepKernel]) -> None:
    """Folder, environment, arguments, standard input and group are those of a kernel of its own."""
    ask = (
        "import json, os, sys, signal, threading\n"
        "print(json.dumps([os.getcwd(), os.environ['OWN'], sys.argv[:2], sys.path, __name__,\n"
        "  sys.modules['__main__'] is sys.modules[type(get_ipython()).__module__], os.getpgrp() == os.getpid(),\n"
        "  os.getsid(0) == os.getpid(), os.read(0, 1).decode(), signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,\n"
        "  sorted(n for n in os.environ if n != 'LINES'), sys.flags.hash_randomization, list(sys.meta_path).__len__()]))"
    )
    folder = tmp_path / "a folder"
    folder.mkdir()
    kept = {"OWN": "1", "KERNEL": "x"}
    answers = []
    for mode in ("off", "on"):
        started.append(make_kernel(folder, fork=mode, **kept))
        answers.append(run_cell(started[-1], ask))
        assert not answers[-1].error
    assert answers[0].text == answers[1].text


def test_exit_handlers_run_at_the_end(
    tmp_path: Path, started: list[StepKernel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a notebook has registered for its end runs when the kernel is left."""
    monkeypatch.setattr("mlops_nb.pipeline.kernels._LEAVE_S", 120.0)  # a busy machine takes long
    started.append(make_kernel(tmp_path))
    run_cell(started[0], "import atexit, pathlib; atexit.register(pathlib.Path('ended').touch);")
    started[0].leave()
    assert (tmp_path / "ended").exists()


def test_interrupt_reaches_the_cell(tmp_path: Path, started: list[StepKernel]) -> None:
    """A running cell is interrupted from another thread, and the kernel lives on."""
    started.append(make_kernel(tmp_path))
    kernel = started[0]
    mark = tmp_path / "running"

    def interrupt() -> None:
        if wait_until(mark.exists):
            kernel.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    shown = run_cell(
        kernel, "import pathlib, time; pathlib.Path('running').touch(); time.sleep(60)"
    )
    thread.join()
    assert shown.error == "KeyboardInterrupt"
    assert run_cell(kernel, "print(1)").text == "1\n"


_BACKGROUND = """
import os, subprocess
children = [subprocess.Popen(["sleep", "600"]), subprocess.Popen(["sleep", "600"], process_group=0)]
print(os.getpid(), *(child.pid for child in children))
"""


def test_stop_takes_along_what_cells_started(tmp_path: Path, started: list[StepKernel]) -> None:
    """Processes of a cell end with their kernel, those in a group of their own too."""
    started.append(make_kernel(tmp_path))
    pids = [int(word) for word in run_cell(started[0], _BACKGROUND).text.split()]
    assert all(is_running(pid) for pid in pids)
    started[0].stop()
    assert wait_until(lambda: not any(is_running(pid) for pid in pids))


_CLIENT = """
import sys, time
from pathlib import Path
from tests.pipeline.cells import make_kernel, run_cell
from tests.pipeline.test_forkserver import _BACKGROUND
kernel = make_kernel(Path.cwd(), fork=sys.argv[1])
print(run_cell(kernel, _BACKGROUND).text, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("mode", ["on", "off"])
def test_no_orphan_of_a_killed_client(mode: str, number: int, tmp_path: Path) -> None:
    """Kernel, server and what cells have started end when their client is killed."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", _CLIENT, mode],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=tmp_path,
    ) as client:
        assert client.stdout is not None
        pids = [int(word) for word in client.stdout.readline().split()]
        parent = Path("/proc", str(pids[0]), "stat").read_text().rpartition(")")[2].split()[1]
        pids.append(int(parent))
        client.send_signal(number)
        client.wait()
    assert len(pids) == 4
    assert wait_until(lambda: not any(is_running(pid) for pid in pids))


def test_server_that_is_killed(tmp_path: Path, started: list[StepKernel]) -> None:
    """A kernel whose server was killed is found dead, and the next one starts all the same."""
    environment = {"OWN_SERVER": str(tmp_path)}
    started.append(make_kernel(tmp_path, **environment))
    first = started[0]
    pids = [int(word) for word in run_cell(first, _BACKGROUND).text.split()]
    os.kill(int(run_cell(first, "print(os.getppid())").text), signal.SIGKILL)
    assert wait_until(lambda: not first.is_alive())
    assert wait_until(lambda: not any(is_running(pid) for pid in pids))
    started.append(make_kernel(tmp_path, **environment))
    assert run_cell(started[1], "print(2)").text == "2\n"


def test_many_kernels_from_many_threads(tmp_path: Path) -> None:
    """Kernels that threads start at once have each their own folder and loop."""
    answers: dict[int, str] = {}

    def work(number: int) -> None:
        folder = tmp_path / str(number)
        folder.mkdir()
        kernel = make_kernel(folder, fork="on" if number % 4 else "off")
        try:
            answers[number] = run_cell(
                kernel, "import os; print(os.path.basename(os.getcwd()))"
            ).text
        finally:
            kernel.stop()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: f"{number}\n" for number in range(8)}
    assert Path.cwd() == tmp_path


def test_kill_from_another_thread(tmp_path: Path, started: list[StepKernel]) -> None:
    """Whoever cancels kills a kernel that another thread is using."""
    started.append(make_kernel(tmp_path))
    pids = [int(word) for word in run_cell(started[0], _BACKGROUND).text.split()]
    thread = threading.Thread(target=started[0].kill)
    thread.start()
    thread.join()
    assert wait_until(lambda: not started[0].is_alive())
    assert wait_until(lambda: not any(is_running(pid) for pid in pids))

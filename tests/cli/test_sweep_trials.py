"""What becomes of the trials of a sweep, on real kernels: shared, failed, pruned, stopped."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.store.writer import read_start_time
from tests.cli.test_pipelines import change_source

Ask = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the kernels of steps find this package where it is not installed."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def test_steps_that_values_do_not_reach_are_shared(
    ask: Ask, notebook: Path, tmp_path: Path
) -> None:
    """The step before the swept parameter is executed once for all trials."""
    change_source(notebook, 2, "numbers = [1, 2, 3]")
    change_source(notebook, 3, "mlops.log_metric('total', sum(numbers) * scale)")
    answer = ask(
        "sweep", notebook, "scale=1,2", "--sampler", "grid", "--minimize", "total", "--json"
    )
    assert answer.code == 0, answer.err
    runs = [ask("show", trial["run_id"], "--json").json for trial in answer.json["trials"]]
    assert [run["tags"]["step.make"] for run in runs] == ["succeeded", "cached"]
    assert [run["tags"]["step.add"] for run in runs] == ["succeeded", "succeeded"]


def test_failures_are_listed_and_lagging_trials_ended(
    ask: Ask, notebook: Path, tmp_path: Path
) -> None:
    """One trial raises, one lags behind and would take minutes; the sweep still finds the best."""
    change_source(
        notebook,
        3,
        "import time\n"
        "if times == 7:\n    raise ZeroDivisionError('seven')\n"
        "for step in range(80 if times == 8 else 3):\n"
        "    mlops.log_metric('total', -9.0 if times == 8 else times + step, step)\n"
        "    time.sleep(0.25 if times == 8 else 0)",
    )
    words = ["times=1,2,3,4,5,6,7,8", "--sampler", "grid", "--seed", "5", "--prune"]
    answer = ask("sweep", notebook, *words, "--maximize", "total", "--json")
    assert answer.code == 0, answer.err
    states = {trial["params"]["times"]: trial["state"] for trial in answer.json["trials"]}
    errors = {trial["params"]["times"]: trial["error"] for trial in answer.json["trials"]}
    assert states.pop(7) == "failed"
    assert "ZeroDivisionError: seven" in errors[7]
    assert states.pop(8) == "pruned"
    assert set(states.values()) == {"finished"}
    assert answer.json["best"]["params"] == {"times": 6}
    assert "trial" in ask("sweeps", answer.json["sweep_id"]).out


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_sweep_goes_on(
    ask: Ask, notebook: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """Ctrl-C gives the table so far and 130; from kill -9, too, --resume gives the rest."""
    change_source(
        notebook,
        3,
        "import os, pathlib, time\n"
        "if times == 3 and not pathlib.Path('go').exists():\n"
        "    pathlib.Path('pid').write_text(str(os.getpid()))\n    time.sleep(90)\n"
        "mlops.log_metric('total', times)",
    )
    words = ["sweep", str(notebook), "times=1,2,3", "--sampler", "grid", "--seed", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops_nb", *words, "--maximize", "total"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    pid = tmp_path / "pid"
    for _ in range(1200):
        if (pid.exists() and pid.read_text()) or process.poll() is not None:
            break
        time.sleep(0.05)
    process.send_signal(number)
    out, err = process.communicate(timeout=240)
    sweep_id = ask("sweeps", "--json").json[0]["sweep_id"]
    if number == signal.SIGINT:
        assert process.returncode == 130, err
        assert f"go on: mlops-nb sweep --resume {sweep_id}" in out
        assert "interrupted" in err
    for _ in range(1200):
        if read_start_time(int(pid.read_text())) is None:
            break
        time.sleep(0.05)
    assert read_start_time(int(pid.read_text())) is None  # no kernel stays
    before = ask("sweeps", sweep_id, "--json").json["trials"]
    states = {trial["params"]["times"]: trial["state"] for trial in before}
    assert states[3] == "interrupted"
    (tmp_path / "go").touch()
    answer = ask("sweep", "--resume", sweep_id, "--json")
    assert answer.code == 0, answer.err
    assert answer.json["best"]["value"] == 3
    done = {trial["run_id"] for trial in before if trial["state"] == "finished"}
    assert done <= {trial["run_id"] for trial in answer.json["trials"]}  # not run again
    assert len(answer.err.splitlines()) == 3 - len(done)

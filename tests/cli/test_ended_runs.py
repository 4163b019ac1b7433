"""Runs of several steps at once are ended from outside: nothing stays, and the next run goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.notebook.document import new_code_cell, new_notebook, write_notebook
from mlops_nb.store import Store
from tests.pipeline.cells import is_running, wait_until

ROOT = Path(__file__).resolve().parents[2]
STEPS = ("one", "two", "three")
# The third does not listen to Ctrl-C. Each kernel has started a process.
BODY = """if os.path.exists('slow'):
    child = subprocess.Popen(['sleep', '90'])
    open('{name}.txt', 'w').write(str(os.getpid()) + ' ' + str(child.pid))
    os.replace('{name}.txt', '{name}.pid')
    while True:
        try:
            time.sleep(90)
        except KeyboardInterrupt:
            if {listens}:
                raise
{name} = base + 1"""


def write(folder: Path) -> Path:
    """Write a notebook of three steps that do not use one another."""
    cells = [
        new_code_cell("import os, subprocess, time", ["imports"]),
        new_code_cell("base = 1", ["step:base"]),
    ]
    for name in STEPS:
        source = BODY.format(name=name, listens=name != "three")
        cells.append(new_code_cell(source, [f"step:{name}"]))
    cells.append(new_code_cell("print(one + two + three)", ["step:total"]))
    return write_notebook(new_notebook(cells), folder / "nb.ipynb")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_ended_run_leaves_nothing(
    ask: Callable[..., Any],
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    """Three kernels and their children end with the run, which is told and can be gone on with."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = write(tmp_path)
    words = ["run", str(notebook), "-o", str(tmp_path / "out"), "--no-verify"]
    assert ask(*words).code == 0  # only steps that were seen to be independent run at once
    (tmp_path / "slow").touch()
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops_nb", *words, "--jobs", "3", "--from", "one"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    files = [tmp_path / f"{name}.pid" for name in STEPS]
    assert wait_until(
        lambda: all(file.exists() for file in files) or process.poll() is not None, 90
    )
    assert process.poll() is None, process.communicate()
    pids = [int(word) for file in files for word in file.read_text().split()]
    assert all(map(is_running, pids))
    process.send_signal(number)
    assert wait_until(lambda: not any(map(is_running, pids)))
    _, err = process.communicate(timeout=240)
    assert process.returncode == {2: 130, 15: 143, 9: -9}[number], err
    run_id = json.loads((tmp_path / "out" / "02-one.ipynb").read_text())["metadata"]["mlops"][
        "run_id"
    ]
    assert store.read_run(run_id).status == "interrupted"
    (tmp_path / "slow").unlink()
    again = ask(*words, "--json")
    assert again.code == 0, again.err
    assert again.json["steps"][0]["cached"]
    assert not list((tmp_path / "store" / "boundaries").iterdir())

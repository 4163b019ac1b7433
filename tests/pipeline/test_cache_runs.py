"""Runs beside one another, runs that are killed, and steps that run at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from mlops_nb.config import load_settings
from mlops_nb.pipeline import run
from mlops_nb.records import PipelineResult
from tests.pipeline.cells import wait_until
from tests.pipeline.conftest import ROOT
from tests.pipeline.places import Place, read_output


def test_two_runs_at_once_execute_each_step_once(place: Place) -> None:
    """The second of two runs waits and takes what the first one makes."""
    path = place.write(
        ("import time; time.sleep(0.5); a = 1", "step:a"), ("print(a + 1)", "step:b")
    )
    found: list[PipelineResult] = []

    def go(name: str) -> None:
        settings = load_settings(place.folder)
        found.append(run(path, out_dir=place.folder / name, store=place.store, settings=settings))

    threads = [threading.Thread(target=go, args=(name,), daemon=True) for name in ("x", "y")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert [result.status for result in found] == ["finished"] * 2
    executed = sorted(s.name for result in found for s in result.steps if not s.cached)
    assert executed == ["a", "b"]
    for name in ("x", "y"):
        assert read_output(place.folder / name / "02-b.ipynb") == ["2\n"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_killed_run_goes_on(place: Place) -> None:
    """After kill -9 in the middle of a step, the steps before it are there."""
    path = place.write(
        ("a = 1", "step:a"),
        (
            "import os, time\nif not os.path.exists('go'):\n    open('at', 'w').close(); time.sleep(60)",
            "step:b",
        ),
        ("print(a)", "step:c"),
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MLOPS_NB_STORE": str(place.store.root)}
    source = "from mlops_nb.cli.main import main; main()"
    words = [sys.executable, "-c", source, "run", str(path), "--no-verify", "-o", str(place.out)]
    process = subprocess.Popen(words, env=environment, start_new_session=True)
    assert wait_until((path.parent / "at").exists, 60)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (path.parent / "go").touch()
    result = place.run(path)
    assert result.status == "finished", [step.error for step in result.steps]
    assert [step.cached for step in result.steps] == [True, False, False]
    assert place.read_printed()[-1] == "1\n"


def test_independent_steps_run_at_once(place: Place) -> None:
    """Steps that were seen not to touch one another overlap the second time, with equal results."""
    cells = (
        ("import time", "imports"),
        ("rows = [1, 2, 3]", "step:load"),
        ("time.sleep(1.5); left = sum(rows)", "step:left"),
        ("time.sleep(1.5); right = max(rows)", "step:right"),
        ("print(left, right)", "step:join"),
    )
    path = place.write(*cells)
    place.run(path)
    printed = place.read_printed()
    place.told.clear()
    result = place.run(path, jobs=2, force=True)
    assert result.status == "finished", [step.error for step in result.steps]
    told = [(e.kind, e.step) for e in place.told if e.kind in ("step_started", "step_finished")]
    assert told.index(("step_started", "right")) < told.index(("step_finished", "left"))
    assert told.index(("step_started", "join")) > told.index(("step_finished", "right"))
    assert place.read_printed() == printed


def test_change_that_was_not_seen_before(place: Place) -> None:
    """A step that was overtaken and then changes what the other used makes it run again."""
    path = place.write(
        ("turn = 1", "parameters"),
        ("rows = [1]\nalias = rows", "step:load"),
        ("import time; time.sleep(1)\nif turn > 1: alias.append(2)", "step:change"),
        ("seen = list(rows)", "step:see"),
        ("print(seen)", "step:show"),
    )
    place.run(path)
    result = place.run(path, jobs=2, params={"turn": 2})
    assert result.status == "finished", [step.error for step in result.steps]
    assert place.read_printed()[-1] == "[1, 2]\n"


def test_secret_is_nowhere(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that a cell prints is in no notebook, event, report or record."""
    secret = "v3ry-s3cret-t0ken"
    monkeypatch.setenv("MY_TOKEN", secret)
    path = place.write(
        ("token: str = ''", "parameters"), ("print(token)", "step:a"), ("1", "step:b")
    )
    result = place.run(path, params={"token": "secret:MY_TOKEN"}, reports=("html", "ipynb"))
    assert result.status == "finished", [step.error for step in result.steps]
    assert (place.out / "report.html").is_file()
    for file in place.out.iterdir():
        assert secret not in file.read_text(encoding="utf-8"), file
    assert secret not in repr(place.told)
    assert secret not in json.dumps(place.store.read_run(result.run_id).params)
    assert secret not in repr(result.steps)

"""``python -m mlops_nb.step`` runs one step for somebody else, tells what happens, and ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.errors import InvalidValueError
from mlops_nb.pipeline.context import Chain, Context
from mlops_nb.pipeline.remote_result import make_failed_chain, read_chain
from mlops_nb.pipeline.remote_specification import read_chain_specification, specify_chain
from mlops_nb.pipeline.state import State
from tests.pipeline.cells import wait_until
from tests.pipeline.conftest import ROOT
from tests.pipeline.places import Place

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")


class ByHand:
    """Runs each step as a person would, and keeps what it saw."""

    def __init__(self, started: Path | None = None, number: int = 0, **environment: str) -> None:
        self.started, self.number = started, number
        self.environment = environment
        self.codes: list[int] = []
        self.events: list[dict[str, Any]] = []
        self.errors = ""

    def run_chain(self, context: Context, number: int, state: State) -> Chain:
        """Run a chain."""
        order = context.private / "SPEC.json"
        given = specify_chain(context, number, state, context.private)
        given.write(order)
        assert read_chain_specification(order) == given
        process = subprocess.Popen(
            [sys.executable, "-m", "mlops_nb.step", str(order)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=ROOT, env=os.environ | {"MLOPS_NB_FORK": "off"} | self.environment,
        )  # fmt: skip
        if self.started is not None:
            assert wait_until(self.started.exists, 100)
            process.send_signal(self.number)
        told, self.errors = process.communicate(timeout=240)
        self.events += [json.loads(line) for line in told.splitlines()]
        self.codes.append(process.returncode)
        if process.returncode == 137:
            return make_failed_chain(number, "killed", state, "killed", "died")
        return read_chain(json.loads((context.private / "RESULT.json").read_text()), state)


def test_steps_by_hand_give_what_the_notebook_gives(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values, parameters of any type and secrets arrive; a failure is exit code 1."""
    monkeypatch.setenv("TOKEN", "hunter22")
    path = place.write(
        ("from datetime import date", "imports"),
        ("day: date = date(2020, 1, 1)\nsizes: list[int] = [1]\ntoken = ''", "parameters"),
        ("total = sum(sizes)", "step:first"),
        ("print(day.year, total, token)\n1 / 0", "step:second"),
    )
    hand = ByHand()
    params = {"day": date(2026, 11, 22), "sizes": [1, 2], "token": "secret:TOKEN"}
    result = place.run(path, params=params, executor=hand)
    assert hand.codes == [0, 1]
    assert [step.status for step in result.steps] == ["succeeded", "failed"]
    assert "ZeroDivisionError" in str(result.steps[1].error)
    assert "2026 3 [secret:TOKEN]\n" in place.read_printed()[1]
    assert hand.events[0]["kind"] == "step_started"
    assert {event["step"] for event in hand.events} == {"first", "second"}


def test_a_secret_that_is_not_there_fails_the_step(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine must have it; it is named, and nothing has run."""
    monkeypatch.setenv("TOKEN", "hunter22")
    path = place.write(("token = ''", "parameters"), ("print(token)", "step:only"))
    result = place.run(path, params={"token": "secret:TOKEN"}, executor=ByHand(TOKEN=""))
    assert "at least 4 characters" in str(result.steps[0].error)
    assert result.steps[0].notebook is None


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 137)])
def test_a_step_ends_when_it_is_told_to(place: Place, number: int, code: int) -> None:
    """SIGINT is what Ctrl-C gives to the cell; SIGTERM ends the kernel at once."""
    path = place.write(
        ("import time\nopen('started', 'w').close()\ntime.sleep(100)", "step:slow"),
        ("1", "step:last"),
    )
    hand = ByHand(path.parent / "started", number)
    result = place.run(path, executor=hand)
    assert hand.codes == [code], hand.errors
    assert result.steps[0].cause == {130: "interrupted", 137: "died"}[code]


def test_a_specification_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """It is not there, is something else, or is of another version."""
    order = tmp_path / "SPEC.json"
    with pytest.raises(InvalidValueError, match="describes one step"):
        read_chain_specification(order)
    order.write_text("[1]")
    with pytest.raises(InvalidValueError, match="describes one step"):
        read_chain_specification(order)
    state = json.dumps(State().to_json())
    order.write_text(f'{{"version": 99, "state": {state}, "secrets": []}}')
    with pytest.raises(InvalidValueError, match="version"):
        read_chain_specification(order)
    done = subprocess.run(
        [sys.executable, "-m", "mlops_nb.step"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "SPEC.json" in done.stderr

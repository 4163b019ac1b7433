"""Sweeps from a shell, on real kernels where trials are run."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.cli.sweeps import SweepLine, choose_exit_code
from mlops_nb.pipeline.sweep_result import SweepResult
from mlops_nb.pipeline.sweep_runner import SweepEvent
from mlops_nb.pipeline.sweep_trials import Trial, TrialState
from tests.cli.test_pipelines import Terminal
from tests.pipeline.sweeping import make

Ask = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the kernels of steps find this package where it is not installed."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def test_a_sweep_finds_the_best_and_it_can_be_had_again(
    ask: Ask, notebook: Path, tmp_path: Path
) -> None:
    """The best figure is that of a plain run with the best values, to the last digit."""
    words = ["scale=0.1,0.7,0.3", "--sampler", "grid", "--maximize", "total", "--jobs", "2"]
    answer = ask("sweep", notebook, *words, "-p", "times=7", "-o", tmp_path / "trials", "--json")
    assert answer.code == 0, answer.err
    result = answer.json
    assert result["counts"]["finished"] == 3
    assert result["best"]["params"] == {"scale": 0.7}
    assert len(list((tmp_path / "trials").glob("trial-*/*.ipynb"))) == 6
    plain = ask("run", notebook, "-p", "scale=0.7", "-p", "times=7", "-o", tmp_path / "o", "--json")
    assert plain.json["metrics"]["total"] == result["best"]["value"]
    # Trials are runs below the sweep's run, which has the best values.
    sweep = ask("show", result["sweep_id"], "--json").json
    assert sweep["params"] == {"scale": 0.7}
    assert sweep["metrics"]["total"] == result["best"]["value"]
    below = ask("runs", "--json", "--filter", f"parent_run_id = '{sweep['run_id']}'").json
    assert {run["run_id"] for run in below} == {trial["run_id"] for trial in result["trials"]}
    assert {run["tags"]["mlops.trial.state"] for run in below} == {"finished"}
    lines = answer.err.splitlines()
    assert [line.partition("]")[0] for line in lines] == ["[1/3", "[2/3", "[3/3"]
    # The same again in words: what to type, and the list of sweeps.
    shown = ask("sweeps", result["sweep_id"]).out
    assert "best: total = " in shown
    assert "-p times=7 -p scale=0.7" in shown
    assert "maximize total" in ask("sweeps").out
    assert ask("sweeps", "--json").json[0]["trials"] == 3


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["scale=log:0:1", "--maximize", "total"], 3, "above 0"),
        (["scle=0:1", "--maximize", "total"], 3, "'scale'"),
        (["times=1:4", "--maximize", "total"], 3, "times=int:1:4"),
        (["scale=0:1", "--maximize", "total", "--sampler", "grid"], 3, "scale=lin:0:1:5"),
        (["scale=0:1", "-p", "scale=1", "--maximize", "total"], 3, "swept and given"),
        (["scale", "--maximize", "total"], 2, "NAME=RANGE"),
        (["--maximize", "total"], 3, "at least one"),
        (["scale=0:1"], 2, "--maximize"),
        (["scale=0:1", "--maximize", "a", "--minimize", "b"], 2, "one metric"),
        (["scale=0:1", "--maximize", "total", "--sampler", "tpee"], 2, "'tpe'"),
        (["scale=0:1", "--maximize", "total", "--timeout", "soon"], 2, "'soon'"),
        (["scale=0:1", "--maximize", "total", "--trials", "0"], 2, "0"),
        (["scale=0:1", "--resume", "latest"], 2, "--resume"),
    ],
)
def test_what_cannot_be_done_runs_nothing(
    ask: Ask, notebook: Path, words: list[str], code: int, told: str
) -> None:
    """Everything is checked before a kernel starts or a run is made."""
    answer = ask("sweep", notebook, *words)
    assert answer.code == code
    assert told in answer.err
    assert ask("runs", "--json").json == []


def test_a_run_that_is_no_sweep_is_told(ask: Ask) -> None:
    """Neither is it shown as one, nor gone on with."""
    import mlops_nb as mlops

    mlops.start_run("plain").end()
    for words in (["sweeps", "plain"], ["sweep", "--resume", "plain"]):
        answer = ask(*words)
        assert answer.code == 2
        assert "the run of a sweep" in answer.err
    assert ask("sweep").code == 2
    assert re.match(r"No sweeps in .*\.\nmlops-nb sweep NOTEBOOK", ask("sweeps").err)


def test_a_terminal_shows_what_runs() -> None:
    """Only a terminal gets the line that is overwritten; the log of a job gets a line a trial."""
    import io

    trial = Trial(3, {"C": 0.5}, "finished", 0.25, duration_s=1.5)
    failed = Trial(4, {"C": 0.7}, "failed", error="step 'a': no", duration_s=0.2)
    events = [
        SweepEvent("started", Trial(3, {"C": 0.5}), 3, 9, None),
        SweepEvent("ended", trial, 4, 9, trial),
        SweepEvent("ended", failed, 5, 9, trial),
    ]
    live, plain = Terminal(), io.StringIO()
    for stream in (live, plain):
        line = SweepLine(stream, "acc")
        for event in events:
            line(event)
    assert plain.getvalue() == (
        "[4/9] trial 3 acc=0.25 C=0.5 1.5 s\n[5/9] trial 4 failed C=0.7 200 ms: step 'a': no\n"
    )
    assert live.getvalue().startswith("\r... trial 3: C=0.5\r[4/9] trial 3 acc=0.25")


@pytest.mark.parametrize(
    ("states", "code"),
    [
        (["finished", "failed"], 0),
        (["failed", "failed"], 1),
        (["failed", "interrupted"], 124),
        (["finished", "interrupted"], 0),
    ],
)
def test_exit_code_says_whether_there_is_a_result(
    tmp_path: Path, states: list[TrialState], code: int
) -> None:
    """All failed is 1; the time was up before one finished is 124."""
    trials = tuple(
        Trial(n, {"C": 1.0}, s, 1.0 if s == "finished" else None) for n, s in enumerate(states)
    )
    plan = make(tmp_path, {"C": "1"})
    assert choose_exit_code(SweepResult("id", "finished", plan, trials)) == code


def test_help_names_every_form(ask: Ask) -> None:
    """Whoever asks learns the forms of ranges."""
    text = ask("sweep", "--help").out
    assert "log:LOW:HIGH" in " ".join(text.split())


def test_a_template_is_written(ask: Ask, tmp_path: Path) -> None:
    """A notebook comes out of the package under the name one wants, once."""
    assert ask("new").out == "automl\n"
    assert ask("new", "--json").json == ["automl"]
    answer = ask("new", "automl", tmp_path / "mine.ipynb", "--json")
    assert answer.json == {"path": str(tmp_path / "mine.ipynb"), "template": "automl"}
    steps = ask("pipeline", tmp_path / "mine.ipynb", "--json").json["steps"]
    assert [step["name"] for step in steps] == ["load", "features", "train", "evaluate"]
    assert ask("new", "automl", tmp_path / "mine.ipynb").code == 2
    assert "wrote" in ask("new", "automl", tmp_path / "mine.ipynb", "--overwrite").out

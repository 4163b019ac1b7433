"""GitHub is told what failed and where, and nothing in a notebook can speak in our place."""

from __future__ import annotations

import json
from pathlib import Path

from mlops_nb.pipeline.annotations import (
    append_summary,
    format_annotation,
    is_wanted,
    make_annotations,
    make_summary,
)
from mlops_nb.records import GateResult, PipelineResult, StepResult, Verification

JOB = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": "/checkout"}


def test_only_jobs_of_github_get_marks() -> None:
    """Elsewhere nobody would read them."""
    assert is_wanted(JOB)
    assert not is_wanted({})
    assert not is_wanted({"GITHUB_ACTIONS": "false"})


def test_failed_steps_and_gates_are_marked(tmp_path: Path) -> None:
    """The mark stands at the notebook and names step, cell and error."""
    failed = {
        "cell_type": "code",
        "metadata": {"papermill": {"exception": True}, "mlops": {"index": 3}},
        "outputs": [
            {"output_type": "error", "ename": "KeyError", "evalue": "'a'", "traceback": ["here"]}
        ],
    }
    executed = tmp_path / "02-fit.ipynb"
    executed.write_text(json.dumps({"cells": [failed]}), encoding="utf-8")
    steps = (
        StepResult("load", "succeeded"),
        StepResult("fit", "failed", str(executed), error="KeyError: 'a'", cause="error"),
        StepResult("score", "skipped"),
    )
    result = PipelineResult("r", "failed", steps)
    gates = [GateResult("acc>=0.9", None, False, "no metric"), GateResult("f1>0", 1.0, True)]
    lines = make_annotations(Path("/checkout/nb/train.ipynb"), result, gates, JOB)
    assert lines == [
        "::error file=nb/train.ipynb,title=step fit%2C cell 3::KeyError: 'a'%0Ahere",
        "::error file=nb/train.ipynb,title=gate acc>=0.9::no metric",
    ]


def test_a_difference_is_marked_and_told() -> None:
    """A pipeline that gives something else than its notebook is an error of the notebook's file."""
    told = Verification("not verified", "fit", "w[0]", "value", "1.0", "2.0")
    result = PipelineResult("r", "finished", (), verification=told)
    (line,) = make_annotations(Path("a.ipynb"), result, [], JOB)
    assert "title=pipeline and notebook differ::not verified: after step 'fit', w[0]" in line
    assert "1.0 in the notebook, 2.0 in the pipeline" in make_summary(Path("a.ipynb"), result)
    same = PipelineResult("r", "finished", (), verification=Verification("verified"))
    assert make_annotations(Path("a.ipynb"), same, [], JOB) == []
    assert "\nverified\n" in make_summary(Path("a.ipynb"), same)


def test_a_text_cannot_become_a_command() -> None:
    """Line breaks, colons and commas stay inside of their mark."""
    line = format_annotation(
        "error",
        "50%\n::set-output name=x::y\r",
        title="a:b,c\n",
        notebook=Path("/elsewhere/n,1.ipynb"),
        environment=JOB,
    )
    assert "\n" not in line
    assert "\r" not in line
    assert line == (
        "::error file=/elsewhere/n%2C1.ipynb,title=a%3Ab%2Cc%0A::50%25%0A::set-output name=x::y%0D"
    )


def test_summary_is_a_table(tmp_path: Path) -> None:
    """Steps, metrics and gates stand in tables; a notebook's texts cannot leave their field."""
    steps = (
        StepResult("load", "succeeded", cached=True, duration_s=0.04),
        StepResult("fit", "failed", error="a | b\n<img src=x> `c` &lt;", duration_s=2),
    )
    result = PipelineResult("run-1", "failed", steps, {"acc": 0.912345678})
    text = make_summary(Path("my_train.ipynb"), result, [GateResult("acc>0.95", 0.9, False, "low")])
    lines = text.splitlines()
    assert lines[0] == r"### my\_train.ipynb: failed"
    assert "| load | succeeded (cached) | 0.0 s |" in lines
    assert r"| fit | failed: a \| b &lt;img src=x&gt; \`c\` &amp;lt; | 2.0 s |" in lines
    assert "| acc | 0.912346 |" in lines
    assert "| acc&gt;0.95 | no: low |" in lines
    assert "Run `run-1`" in lines


def test_summaries_are_added_until_there_is_no_room(tmp_path: Path) -> None:
    """What other steps of the job wrote stays; GitHub refuses all where it would be too long."""
    path = tmp_path / "summary.md"
    path.write_text("before\n", encoding="utf-8")
    append_summary(path, "after\n")
    assert path.read_text(encoding="utf-8") == "before\nafter\n"
    append_summary(path, "x" * 1_000_000)
    assert path.read_text(encoding="utf-8") == "before\nafter\n"

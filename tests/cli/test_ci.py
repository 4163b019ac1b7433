"""What a run tells CI, on real kernels."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from mlops_nb.cli.pipelines import choose_exit_code
from mlops_nb.records import GateResult, PipelineResult, Verification

Ask = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


def test_a_failed_run_is_told_everywhere(
    ask: Ask, notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JUnit, marks and summary name the step, the cell and the traceback's end."""
    document = json.loads(notebook.read_text(encoding="utf-8"))
    document["cells"][3]["source"] = "rate = 0\ntotal = 1 / rate"
    notebook.write_text(json.dumps(document), encoding="utf-8")
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    answer = ask("run", notebook, "-o", tmp_path / "o", "--junit", tmp_path / "j.xml", "--json")
    assert answer.code == 1
    assert answer.json["status"] == "failed"
    marks = [line for line in answer.err.splitlines() if line.startswith("::")]
    assert len(marks) == 1
    title = (
        "::error file=lesson.ipynb,title=step add%2C cell 3::ZeroDivisionError: division by zero"
    )
    assert marks[0].startswith(title)
    failure = ElementTree.parse(tmp_path / "j.xml").getroot().find(".//failure")
    assert failure is not None
    assert failure.text is not None
    assert failure.text.startswith("cell 3 of the notebook\n")
    assert "total = 1 / rate" in failure.text
    assert "| add | failed: ZeroDivisionError: division by zero |" in summary.read_text("utf-8")


def test_a_gate_decides_the_exit_code(ask: Ask, notebook: Path, tmp_path: Path) -> None:
    """A run whose metric is too low finishes, and ends with 4."""
    words = ["run", notebook, "-o", tmp_path / "out", "--require"]
    answer = ask(*words, "total>=1000", "--require", "total>0", "--json")
    assert answer.code == 4
    assert answer.json["status"] == "finished"
    assert [gate["passed"] for gate in answer.json["gates"]] == [False, True]
    answer = ask(*words, "total>0")
    assert answer.code == 0, answer.err
    assert "::" not in answer.err


def test_an_unreadable_gate_runs_nothing(ask: Ask, notebook: Path, tmp_path: Path) -> None:
    """A slip in a condition costs no training."""
    answer = ask("run", notebook, "-o", tmp_path / "out", "--require", "total=1")
    assert answer.code == 2
    assert "'total=1'" in answer.err
    assert not (tmp_path / "out").exists()


def test_a_refused_notebook_is_told(
    ask: Ask, notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong parameter gives a mark and a JUnit file as well, and the exit code stays."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    answer = ask("run", notebook, "-p", "scale=high", "--junit", tmp_path / "j.xml")
    assert answer.code == 3
    assert "::error file=" in answer.err
    assert "title=ParameterError::" in answer.err
    error = ElementTree.parse(tmp_path / "j.xml").getroot().find(".//testcase/error")
    assert error is not None
    assert error.get("type") == "ParameterError"


def test_steps_that_fail_come_before_gates() -> None:
    """A gate is only asked where all steps succeeded."""
    gates = [GateResult("acc>1", None, False)]
    assert choose_exit_code(PipelineResult("r", "finished", ()), gates) == 4
    assert choose_exit_code(PipelineResult("r", "failed", ()), gates) == 1
    assert choose_exit_code(PipelineResult("r", "interrupted", ()), gates) == 130


def test_a_wrong_result_is_no_success() -> None:
    """A pipeline that differs from its notebook fails; one that was not compared does not."""
    differs = Verification("not verified", "fit", "w", "value", "1", "2")
    open_still = Verification("not verified", reason="it was not asked for")
    for verification, code in [(differs, 1), (open_still, 0), (Verification("verified"), 0)]:
        result = PipelineResult("r", "finished", (), verification=verification)
        assert choose_exit_code(result) == code

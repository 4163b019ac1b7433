"""``%mlops verify`` compares a notebook's pipeline with the notebook, and shows what differs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.errors import StepFailedError, UsageError
from mlops_nb.kernel.commands.verifying import show_verification
from mlops_nb.notebook.document import new_code_cell, new_notebook, write_notebook
from mlops_nb.records import PipelineResult, Verification

Run = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a notebook that only one kernel can give the same result."""
    cells = [
        ("import os\ntimes = 1", "parameters"),
        ("me = os.getpid()", "step:ask"),
        ("same = [os.getpid() == me] * times\nassert times", "step:ask_again"),
        ("print(len(same))", "step:tell"),
    ]
    built = [new_code_cell(source, [tag]) for source, tag in cells]
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (tmp_path / "work").mkdir()
    return write_notebook(new_notebook(built), tmp_path / "work" / "open.ipynb")


def test_difference_is_shown(
    loaded: Run, notebook: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of the open notebook's file, the first step that differs, with both values; and a failure."""
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook))
    capfd.readouterr()
    table = loaded("%mlops verify").result
    assert table.title == "not verified"
    found = dict(table.rows)
    assert found["step"] == "ask_again"
    assert found["path"] == "same[0]"
    assert (found["notebook"], found["pipeline"]) == ("True", "False")
    assert "verifying: the notebook runs as one" in capfd.readouterr().out
    bundle = table._repr_mimebundle_()
    assert "<table" in bundle["text/html"]
    assert "ask_again" in bundle["text/plain"]
    failed = loaded("%mlops verify -p times=0").error_in_exec
    assert isinstance(failed, StepFailedError)
    assert "'ask_again'" in str(failed)


def test_what_is_open_is_named() -> None:
    """What could not be compared, and what the notebook itself gives anew, has a row each."""
    verification = Verification("partly verified", uncompared=("a: why",), unstable=("b", "c"))
    table = show_verification(PipelineResult("r1", "finished", ()), verification)
    assert table.title == "partly verified"
    assert [row for row in table.rows if row[0] == "not compared"] == [("not compared", "a: why")]
    assert [row[1] for row in table.rows if row[0] == "differs each time"] == ["b", "c"]


def test_tolerance_is_checked(loaded: Run, notebook: Path) -> None:
    """A tolerance that is no tolerance is refused before anything runs."""
    wrong = loaded(f"%mlops verify {notebook} --tolerance 0").error_in_exec
    assert isinstance(wrong, UsageError)


@pytest.mark.parametrize("command", ["run", "verify", "sweep"])
def test_cell_does_not_run_itself(
    loaded: Run, notebook: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """A cell that runs its own notebook does nothing where that notebook runs as a pipeline."""
    monkeypatch.setenv("MLOPS_NB_NOTEBOOK", str(notebook))
    monkeypatch.setenv("MLOPS_NB_PARENT_RUN", "some-run")
    monkeypatch.chdir(notebook.parent)
    assert "nothing to do" in repr(loaded(f"%mlops {command}").result)
    assert "nothing to do" in repr(loaded(f"%mlops {command} open.ipynb").result)

"""The command verify, and what run says of it, on real kernels."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Ask = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch, notebook: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    (notebook.parent / "pyproject.toml").write_text("", encoding="utf-8")


def change_source(notebook: Path, index: int, source: str) -> None:
    """Replace the source of a cell."""
    document = json.loads(notebook.read_text(encoding="utf-8"))
    document["cells"][index]["source"] = source
    notebook.write_text(json.dumps(document), encoding="utf-8")


def make_it_differ(notebook: Path) -> None:
    """Let a cell show which kernel it runs in."""
    change_source(notebook, 2, "import os\nme = os.getpid()")
    change_source(notebook, 3, "print('one kernel:', os.getpid() == me)")


def test_a_verified_notebook_ends_with_0(ask: Ask, notebook: Path) -> None:
    """The result is one word, with parameters as in any run; the run is kept once."""
    answer = ask("verify", notebook, "-p", "scale=0.5")
    assert answer.code == 0, answer.err
    assert answer.out.splitlines()[0] == "verified"
    runs = [run for run in ask("runs", "--json").json if run["tags"].get("mlops.kind")]
    assert [run["tags"]["mlops.verification"] for run in runs] == ["verified"]
    assert runs[0]["params"]["scale"] == 0.5


def test_a_difference_ends_with_1(ask: Ask, notebook: Path, tmp_path: Path) -> None:
    """Step, path and both values are told, in text, JSON and a JUnit file."""
    make_it_differ(notebook)
    answer = ask("verify", notebook, "--json", "--junit", tmp_path / "j.xml")
    assert answer.code == 1
    found = answer.json["verification"]
    assert (found["status"], found["step"]) == ("not verified", "add")
    assert found["path"] == "printed text of cell 3"
    assert "True" in found["reference"]
    assert "False" in found["pipeline"]
    assert 'type="different"' in (tmp_path / "j.xml").read_text(encoding="utf-8")
    answer = ask("verify", notebook)
    assert answer.code == 1
    rows = dict(line.split(maxsplit=1) for line in answer.out.splitlines()[3:8])
    assert rows["step"] == "add"
    assert "one kernel: False" in rows["pipeline"]


def test_a_run_verifies_once_unless_told_not_to(
    ask: Ask, notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the setting, and by the option, which wins over it."""
    answer = ask("run", notebook, "--json")
    assert answer.json["verification"]["reason"] == "it was not asked for"
    monkeypatch.setenv("MLOPS_NB_VERIFY", "1")
    answer = ask("run", notebook, "--no-verify")
    assert answer.out.splitlines()[-1] == "not verified: it was not asked for"
    answer = ask("run", notebook)
    assert answer.out.splitlines()[-1] == "verified"
    assert "the notebook runs as one" in answer.err
    answer = ask("run", notebook, "--no-verify")
    assert answer.out.splitlines()[-1].startswith("verified: as of run ")


def test_a_wrong_run_is_no_success(ask: Ask, notebook: Path) -> None:
    """A pipeline that gives something else than its notebook fails the job."""
    make_it_differ(notebook)
    answer = ask("run", notebook, "--verify")
    assert answer.code == 1
    assert "not verified: after step 'add'" in answer.out


def test_what_fails_is_not_verified(ask: Ask, notebook: Path) -> None:
    """A step that fails leaves nothing to compare; a wrong parameter runs nothing."""
    change_source(notebook, 3, "1 / 0")
    answer = ask("verify", notebook)
    assert answer.code == 1
    assert "step 'add' failed: ZeroDivisionError" in answer.out
    assert ask("verify", notebook, "-p", "scale=high").code == 3
    assert ask("verify", notebook, "--tolerance", "0").code == 2

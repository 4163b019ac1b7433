"""What a run would do, why, and the cache of steps, asked in the shell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_nb.cli.main import main
from mlops_nb.notebook.document import new_code_cell, new_notebook, write_notebook

ROOT = Path(__file__).resolve().parents[2]


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run the command line and give what it printed."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    captured = capsys.readouterr()
    assert not ended.value.code, captured.err
    return captured.out


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give a notebook of three steps in a place of its own."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("MLOPS_NB_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    cells = [("n = 1", "parameters"), ("a = n", "step:one"), ("b = a", "step:two")]
    cells.append(("print(b, 'told')", "step:three"))
    built = [new_code_cell(source, [tag]) for source, tag in cells]
    return str(write_notebook(new_notebook(built), tmp_path / "nb.ipynb"))


def test_dry_run_why_and_cache(notebook: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is foreseen is what happens, each part with its reason."""
    first = json.loads(ask(capsys, "run", notebook, "--dry-run", "--json"))["steps"]
    assert {step["reason"] for step in first} == {"it has not run yet"}
    ask(capsys, "run", notebook, "--no-verify", "--report", "html", "--report", "ipynb")
    assert "told" in Path("nb-run/report.html").read_text(encoding="utf-8")
    assert "told" in Path("nb-run/report.ipynb").read_text(encoding="utf-8")
    again = json.loads(ask(capsys, "run", notebook, "--dry-run", "--json"))["steps"]
    assert [step["status"] for step in again] == ["cached"] * 3
    changed = json.loads(ask(capsys, "run", notebook, "--dry-run", "--json", "-p", "n=2"))["steps"]
    assert [step["status"] for step in changed] == ["runs", "depends", "depends"]
    assert changed[0]["reason"] == "parameter n changed"
    forced = ask(capsys, "run", notebook, "--dry-run", "--force", "two", "--to", "two")
    assert "it is forced" in forced
    assert "it is left out" in forced
    assert ask(capsys, "why", notebook, "two").startswith("two cached: as made on ")
    text = Path(notebook).read_text(encoding="utf-8").replace("b = a", "b = a + 1")
    Path(notebook).write_text(text, encoding="utf-8")
    assert ask(capsys, "why", notebook, "two") == "two would run: its code has changed\n"
    assert json.loads(ask(capsys, "cache", "stats", "--json"))["records"] == 3
    assert json.loads(ask(capsys, "cache", "gc", "--json"))["records"] == 0
    assert json.loads(ask(capsys, "cache", "gc", "--max-bytes", "0", "--json"))["records"] == 3
    ask(capsys, "store", "gc")
    assert json.loads(ask(capsys, "cache", "clear", "--json"))["records"] == 0


def test_unknown_step(notebook: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A step that is none is refused, with the one that may be meant."""
    with pytest.raises(SystemExit) as ended:
        main(["why", notebook, "tow"])
    assert ended.value.code
    assert "'two'" in capsys.readouterr().err

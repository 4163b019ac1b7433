"""The command line as a whole: help, version, errors, exit codes, the store option."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.cli.failures import describe_error
from mlops_nb.cli.main import _COMMANDS, join_pairs
from mlops_nb.errors import ParameterError, StepFailedError

Ask = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]


def run_process(folder: Path, *words: str, **keywords: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(folder / "pyc")}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run(
        [sys.executable, "-m", "mlops_nb", *words],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
        cwd=folder,
        **keywords,
    )


def test_help_lists_commands_and_exit_codes(ask: Ask) -> None:
    """--help names every command and what each exit code means."""
    answer = ask("--help")
    assert answer.code == 0
    assert all(f"  {name}" in answer.out for name in _COMMANDS)
    for code in ("0", "1", "2", "3", "124", "130", "138"):
        assert f"{code}  " in answer.out


def test_no_words_show_the_help(ask: Ask) -> None:
    """Without a command the help is shown as it is, on stderr: nothing was done."""
    answer = ask()
    assert answer.code == 2
    assert answer.out == ""
    assert "\nCommands:\n  status " in answer.err
    assert "error:" not in answer.err


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_command_has_help(ask: Ask, name: str) -> None:
    """Each command explains itself, and its first line is the one of the list."""
    answer = ask(name, "--help")
    assert answer.code == 0
    assert f"Usage: mlops-nb {name}" in answer.out


def test_version_is_quick(tmp_path: Path) -> None:
    """--version of a fresh process takes at most a quarter of a second of CPU."""
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = run_process(tmp_path, "--version")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert done.returncode == 0
        assert done.stdout.startswith("mlops-nb ")
    assert min(spent) <= 0.25


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["rnus"], 2, "Did you mean 'runs'?"),
        (["show", "nope"], 2, "'nope'"),
        (["show"], 2, "RUN"),
        (["compare", "nope"], 2, "'nope'"),
        (["runs", "--limit", "0"], 2, "0"),
        (["runs", "--filter", "metrics.acc >"], 2, "metrics.acc >"),
        (["models", "nope"], 2, "'nope'"),
        (["model", "nope@champion"], 2, "'nope'"),
        (["alias", "nope", "champion", "1"], 2, "'nope'"),
        (["serve", "nope"], 2, "'nope'"),
        (["serve", "nope", "--port", "70000"], 2, "70000"),
        (["run", "missing.ipynb"], 2, "missing.ipynb"),
        (["pipeline", "missing.ipynb"], 2, "missing.ipynb"),
        (["snapshot", "missing.csv"], 2, "missing.csv"),
        (["artifact", "nope", "x"], 2, "'nope'"),
        (["--colour"], 2, "--colour"),
    ],
)
def test_errors_are_short(ask: Ask, words: list[str], code: int, named: str) -> None:
    """An error is two lines on stderr that name the value, with its exit code, stdout empty."""
    answer = ask(*words)
    assert answer.code == code
    assert answer.out == ""
    assert answer.err.startswith("error: ")
    assert named in answer.err
    assert len(answer.err.strip().splitlines()) <= 2
    assert "Traceback" not in answer.err


def test_errors_come_as_json(ask: Ask) -> None:
    """With --json the error is one JSON object on stderr."""
    answer = ask("show", "nope", "--json")
    assert answer.code == 2
    assert answer.out == ""
    error = json.loads(answer.err)["error"]
    assert error["type"] == "RunNotFoundError"
    assert error["exit_code"] == 2
    assert "'nope'" in error["message"]
    assert error["hint"]


def test_store_option_chooses_the_store(ask: Ask, tmp_path: Path) -> None:
    """--store wins over the environment, for this call only."""
    before = os.environ.get("MLOPS_NB_STORE")
    answer = ask("--store", tmp_path / "other", "status", "--json")
    assert answer.json["store"] == str(tmp_path / "other")
    assert os.environ.get("MLOPS_NB_STORE") == before


def test_foreign_store_is_refused(ask: Ask, tmp_path: Path) -> None:
    """A folder of something else is refused with what was found, and left as it is."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "precious.txt").write_text("mine", encoding="utf-8")
    answer = ask("--store", tmp_path / "other", "runs")
    assert answer.code == 2
    assert str(tmp_path / "other") in answer.err
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["precious.txt"]


def test_module_runs_as_a_program(tmp_path: Path) -> None:
    """``python -m mlops_nb`` is the same program."""
    done = run_process(tmp_path, "runs", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == []
    assert run_process(tmp_path, "show", "nope").returncode == 2


@pytest.mark.skipif(os.name == "nt", reason="pipes close differently there")
def test_closed_pipe_is_silent(tmp_path: Path) -> None:
    """A reader that has seen enough ends the program without a word."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "mlops_nb", "status", "--json"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
    )
    os.close(writing)
    assert done.returncode == 1
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ParameterError("parameter 'a'", "x", "a number"), 3, "parameter 'a' is 'x'"),
        (StepFailedError("train", "it broke"), 1, "it broke"),
        (PermissionError(13, "Permission denied", "/f"), 1, "Permission denied: '/f'"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_errors_have_stable_codes(error: BaseException, code: int, message: str) -> None:
    """Each kind of error has its exit code."""
    described = describe_error(error)
    assert described["exit_code"] == code
    assert message in described["message"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("-p lr=1", "-p lr=1"),
        ("-p lr 0.1 nb.ipynb --param n -2", "-p lr=0.1 nb.ipynb --param n=-2"),
        ("nb.ipynb -p lr", "nb.ipynb -p lr"),
    ],
)
def test_parameters_are_read_in_papermills_form(written: str, read: str) -> None:
    """-p NAME VALUE is -p NAME=VALUE; a name without a value stays, and is told."""
    assert join_pairs(written.split()) == read.split()

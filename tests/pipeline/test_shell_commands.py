"""Shell commands that only look are known, with what they look at; all others may do anything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.pipeline.shell_commands import find_command, read_command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with two tables and an empty folder."""
    for name in ("a.csv", "b.csv", "with space.txt"):
        (tmp_path / name).write_text("x,y\n1,2\n", encoding="utf-8")
    (tmp_path / "data").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("command", "files", "folders"),
    [
        ("echo running, too", [], []),
        ("echo 'what *now*?' > /dev/null", [], []),
        ('printf "%s" x 2>&1', [], []),
        ("pwd", [], []),
        ("ls", [], ["."]),
        ("ls data a.csv", ["a.csv"], ["data"]),
        ("ls -1 data | sort -r | head -n 3", [], ["data"]),
        ("cat a.csv 'with space.txt'", ["a.csv", "with space.txt"], []),
        ("head -3 a.csv | cut -d, -f1 | tr a-z A-Z", ["a.csv"], []),
        ("wc -l *.csv", ["a.csv", "b.csv"], ["."]),
        ("grep -c '1,' b.csv", ["b.csv"], []),
        ("sort -t , -k 2 a.csv | uniq -c", ["a.csv"], []),
    ],
)
def test_what_looks_is_known(
    folder: Path, command: str, files: list[str], folders: list[str]
) -> None:
    """Files are those it reads, folders those whose names it depends on."""
    looked = read_command(command, str(folder))
    assert looked is not None
    assert [os.path.relpath(path, folder) for path in looked.files] == files
    assert [os.path.relpath(path, folder) for path in looked.folders] == folders


@pytest.mark.parametrize(
    "command",
    [
        "echo x > a.csv", "echo x >> a.csv", "cat a.csv | tee b.csv", "echo $HOME", "echo `date`",
        "echo $(rm a.csv)", "echo *", "ls; rm a.csv", "ls & rm a.csv", "ls && rm a.csv", "ls\nrm a.csv",
        "ls -l", "ls -a", "ls missing", "ls ~", "cat", "cat -", "cat data", "tail -f a.csv", "sort -o b.csv a.csv",
        "uniq a.csv b.csv", "head -n", "find .", "pip install x", "wget x", "X=1 ls", "./ls", "cat 'a.csv",
        "cat {a,b}.csv", "cat */x", "date", "python x.py", "cat a.csv || true", "cat a.csv | sh", "", "cat < a.csv",
        "grep -r x data", "echo a \\\n b",
    ],
)  # fmt: skip
def test_all_else_may_do_anything(folder: Path, command: str) -> None:
    """Redirections, expansions, lists of commands, unknown programs and flags are none of them."""
    assert read_command(command, str(folder)) is None


def test_commands_are_found_however_they_are_started() -> None:
    """The command is the same by ``os.system``, ``subprocess`` with or without a shell."""
    told: list[tuple[str, tuple[Any, ...]]] = []
    is_on = [True]

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if is_on and event in {"os.system", "subprocess.Popen"}:
            told.append((event, arguments))

    sys.addaudithook(note)
    try:
        os.system("true")
        subprocess.run("true", shell=True, check=True)
        subprocess.run(["true"], check=True)
    finally:
        is_on.clear()
    assert [find_command(*each, sys._getframe()) for each in told] == ["true"] * 3
    assert find_command("os.exec", ("x", [], {}), None) == ""

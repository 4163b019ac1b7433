"""Files of parameters, and what the command line says of parameters."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.cli.paramfiles import read_param_file
from mlops_nb.errors import InvalidValueError
from mlops_nb.notebook.document import new_code_cell, new_notebook, write_notebook

Ask = Callable[..., Any]


def write(tmp_path: Path, name: str, text: str) -> Path:
    """Write a file."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_yaml_means_what_version_1_2_says(tmp_path: Path) -> None:
    """Words, dates and clock times stay texts; numbers are what they look like."""
    text = """\
yes_word: no
norway: NO
flag: true
clock: 12:30:00
day: 2026-01-31
octal: 012
hex: 0x1F
exp: 1e5
half: .5
inf: -.inf
text: "1"
nothing:
tilde: ~
list: [1, a, 2.5]
table: {1: x}
secret: secret:TOKEN
"""
    assert read_param_file(write(tmp_path, "p.yaml", text)) == {
        "yes_word": "no",
        "norway": "NO",
        "flag": True,
        "clock": "12:30:00",
        "day": "2026-01-31",
        "octal": 12,
        "hex": 31,
        "exp": 1e5,
        "half": 0.5,
        "inf": -math.inf,
        "text": "1",
        "nothing": None,
        "tilde": None,
        "list": [1, "a", 2.5],
        "table": {1: "x"},
        "secret": "secret:TOKEN",
    }
    assert math.isnan(read_param_file(write(tmp_path, "p.yml", "x: .NaN"))["x"])
    assert read_param_file(write(tmp_path, "empty.yaml", "# nothing")) == {}


def test_json_and_toml_are_read(tmp_path: Path) -> None:
    """The three forms give the same values."""
    assert read_param_file(write(tmp_path, "p.json", '\ufeff{"a": [1, null]}')) == {"a": [1, None]}
    assert read_param_file(write(tmp_path, "p.TOML", "a = 1.5")) == {"a": 1.5}


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("p.txt", "a: 1", "a .yaml, .json or .toml file"),
        ("p.yaml", "a: 1\na: 2", "'a' stands there twice"),
        ("p.json", '{"a": 1, "a": 2}', "'a' stands there twice"),
        ("p.toml", "a = 1\na = 2", "a .toml file"),
        ("p.yaml", "- 1", "a table of names"),
        ("p.yaml", "1: x", "a table of names"),
        ("p.yaml", "a: [", "a .yaml file"),
        ("p.yaml", "a: !!python/object/apply:os.system [ls]", "a .yaml file"),
        ("p.yaml", "? [1, 2]\n: x", "a key is a table or a list"),
        ("p.json", "[1]", "a table of names"),
        ("p.json", "{", "a .json file"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, text: str, found: str) -> None:
    """What is ambiguous, no table, or would make objects is refused."""
    with pytest.raises(InvalidValueError, match=found):
        read_param_file(write(tmp_path, name, text))


def test_parameters_are_shown_with_their_choices(ask: Ask, tmp_path: Path) -> None:
    """--help-notebook needs no plan and shows name, type, default and comment."""
    source = (
        "import enum\nclass Mode(enum.Enum):\n    A = 1\n    B = 2\n"
        "mode = Mode.A  # which way\nsize: 'int | None' = None\n"
    )
    cells = [new_code_cell(source, ["parameters"]), new_code_cell("x = 1", ["step:a"])]
    cells.append(new_code_cell("y = 2", ["after:nowhere"]))  # no plan can be made of this
    notebook = write_notebook(new_notebook(cells), tmp_path / "nb.ipynb")
    shown = ask("run", notebook, "--help-notebook").out
    assert "Mode: A, B" in shown
    assert "Mode.A" in shown
    assert "which way" in shown
    assert "int | None" in shown
    listed = json.loads(ask("run", notebook, "--help-notebook", "--json").out)
    assert listed[0] == {"name": "mode", "type": "Mode", "default": "Mode.A", "help": "which way"}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (("-p", "scal=1"), "Did you mean 'scale'"),
        (("-p", "scale=many"), "expected a float"),
        (("-p", "x;import os=1"), "a Python identifier"),
        (("-p", "times=secret:HOME"), "a secret is text"),
    ],
)
def test_bad_parameters_end_with_3(
    ask: Ask, notebook: Path, tmp_path: Path, given: tuple[str, ...], found: str
) -> None:
    """A bad parameter is told before anything runs or is written."""
    answer = ask("run", notebook, *given, "-o", tmp_path / "out")
    assert answer.code == 3
    assert found in answer.err
    assert not (tmp_path / "out").exists()
    assert ask("runs", "--json").json == []

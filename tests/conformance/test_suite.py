"""The suite itself: it reads its notebooks rightly, and it can fail."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance import ledger, test_kernel, test_language, test_libraries
from tests.conformance.judging import choose_modes, judge
from tests.conformance.modes import MODES, PROBE
from tests.conformance.observing import CellOutput, Observed, find_difference, read_output
from tests.conformance.reading import Case, Section, list_cases, read_case


def test_every_notebook_is_in_a_test() -> None:
    """No folder of notebooks is left out, and there are many."""
    tested = {c.name for t in (test_kernel, test_language, test_libraries) for c in t.CASES}
    assert tested == {case.name for case in list_cases()}
    assert len(tested) >= 160


def test_every_mode_is_run_on_some_notebooks() -> None:
    """The tests of every day pass through all modes."""
    chosen = [mode for case in list_cases() for mode in choose_modes(case)]
    assert {*chosen} == {*MODES}


@pytest.mark.parametrize("case", list_cases(), ids=lambda case: case.name)
def test_notebook_says_what_it_is(case: Case) -> None:
    """A notebook names its hazard and what to expect, and has steps or says why not."""
    assert case.hazard.endswith(".")
    assert "" in case.expected
    assert all(e == "equal" or e.startswith("refused:") for e in case.expected.values())
    assert {*case.expected, *case.unsuited, *case.wrong} <= {"", "pipelines", *MODES}
    assert len(case.cells) > 1


def test_source_is_read(tmp_path: Path) -> None:
    """Docstring, tags and files of a source come out as they stand there."""
    path = list_cases()[0]
    source = tmp_path / "one.py"
    source.write_text(
        '"""It is\nrisky.\n\nexpected: equal\nexpected script: refused: no\nfused: b\n'
        'params: {"n": 3}\nskip cold: never\n"""\n'
        "# %% [imports, x]\nimport os\n\n# %% file: a/m.py\nX = 1\n# %%\n1 % 2\n"
    )
    from tests.conformance import reading

    before, reading.NOTEBOOKS = reading.NOTEBOOKS, tmp_path
    try:
        case = read_case(source)
    finally:
        reading.NOTEBOOKS = before
    assert path.name != case.name == "one"
    assert case.hazard == "It is risky."
    assert case.sections == (
        Section("import os", ("imports", "x")),
        Section("X = 1", (), "a/m.py"),
        Section("1 % 2"),
    )
    assert (case.expect("cold"), case.expect("script")) == ("equal", "refused: no")
    assert (case.params, case.fused, case.unsuited) == ({"n": 3}, ("b",), {"cold": "never"})
    notebook = json.loads(case.write(tmp_path / "work").read_text())
    assert "conformance_probe.watch()" in "".join(notebook["cells"][-1]["source"])
    assert (tmp_path / "work" / "a" / "m.py").read_text() == "X = 1\n"


def observe(**changes: object) -> Observed:
    """Give something observed, with changes."""
    found = Observed({0: CellOutput("1\n")}, {"a": ["int", "1"]}, {"x": "d"})
    for name, value in changes.items():
        setattr(found, name, value)
    return found


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"cells": {}}, "cells"),
        ({"cells": {0: CellOutput("2\n")}}, "cell 0 printed"),
        ({"cells": {0: CellOutput("1\n", "w")}}, "cell 0 warned"),
        ({"cells": {0: CellOutput("1\n", "", [{"text/plain": "1"}])}}, "cell 0 shown"),
        ({"cells": {0: CellOutput("1\n", "", [], ("E", ""))}}, "cell 0 raised"),
        ({"values": {"a": ["int", "2"]}}, "a.1: '2', not '1'"),
        ({"values": None}, "values"),
        ({"files": {}}, "file 'x' is missing"),
        ({"files": {"x": "e"}}, "file 'x' differs"),
        ({"printed": "2\n"}, "printed"),
    ],
)
def test_every_difference_is_told(change: dict[str, object], told: str) -> None:
    """Two runs that differ in anything are not equal, and what differs is named."""
    assert find_difference(observe(), observe()) is None
    assert told in str(find_difference(observe(), observe(**change)))


def test_what_changes_with_every_run_is_left_out() -> None:
    """Process numbers, addresses and timings make no difference."""
    text = "CPU times: user 1 ms\n/tmp/ipykernel_77/1.py <A at 0x7f12345678>\n"
    output = read_output([{"output_type": "stream", "name": "stdout", "text": text}])
    assert output.printed == "/tmp/ipykernel_N/1.py <A at 0x>\n"


def describe(source: str, folder: Path) -> object:
    """Give what the probe says of the names a, b of a program."""
    code = f"{source}\nimport conformance_probe as p\np.watch(a=lambda: a, b=lambda: b)"
    target = folder / "out.json"
    subprocess.run(
        [sys.executable, "-c", code],
        env={
            "PYTHONPATH": str(PROBE),
            "MLOPS_NB_CONFORMANCE_OUT": str(target),
            "PYTHONHASHSEED": "0",
        },
        check=True,
    )
    return json.loads(target.read_text())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a = [1]; b = a", "a = [1]; b = [1]"),
        ("a = 1; b = 0", "a = True; b = 0"),
        ("a = 1; b = 0", "a = 1"),
        ("a = {1: 2}; b = 0", "a = {1: 3}; b = 0"),
        ("a = {1, 2}; b = 0", "a = {1, 3}; b = 0"),
        ("class A: pass\na = A(); a.x = 1; b = 0", "class A: pass\na = A(); a.x = 2; b = 0"),
        ("class A: x = 1\na = A; b = 0", "class A: x = 2\na = A; b = 0"),
        ("k = 1; a = (lambda k: lambda: k)(1); b = 0", "a = (lambda k: lambda: k)(2); b = 0"),
        ("import numpy as n; a = n.ones(2); b = 0", "import numpy as n; a = n.zeros(2); b = 0"),
        ("import numpy as n; a = n.ones((2, 2)); b = 0", "import numpy as n; a = n.ones((2, 2), order='F'); b = 0"),
        ("import random as r; r.seed(1); a = r.Random(1); b = 0", "import random as r; a = r.Random(2); b = 0"),
    ],
)  # fmt: skip
def test_probe_tells_values_apart(one: str, other: str, tmp_path: Path) -> None:
    """Values that differ in content, type, layout or in what they share are told apart."""
    assert describe(one, tmp_path) == describe(one, tmp_path)
    assert describe(one, tmp_path) != describe(other, tmp_path)


def test_wrong_is_called_wrong(tmp_path: Path) -> None:
    """A run that differs, or is not refused where it should be, is wrong."""
    case = Case("x", "It is.", (Section("print(1)"), Section("a = 2")), {"": "equal"})
    empty = judge(case, "cold", Observed(), tmp_path / "1")
    assert (empty.word, empty.is_right) == ("WRONG", False)
    stated = Case("x", "It is.", case.sections, {"": "refused: never"})
    assert judge(stated, "cold", Observed(), tmp_path / "2").word == "WRONG"
    unknown = Case("x", "It is.", (Section("1", ("stpe:a",)), Section("2")), {"": "equal"})
    assert judge(unknown, "cold", Observed(), tmp_path / "3").word == "WRONG"
    rightly = Case("x", "It is.", unknown.sections, {"": "refused: Did you mean"})
    verdict = judge(rightly, "cold", Observed(), tmp_path / "4")
    assert (verdict.word, "stpe" in verdict.detail) == ("refused", True), verdict


def test_ledger_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Newest verdicts count; cut lines, and verdicts on notebooks that were changed, do not."""
    name, kept = list_cases()[0].name, tmp_path / "ledger.jsonl"
    source = ledger.digest_source(name)
    for mode, word, of in [
        ("cold", "WRONG", source),
        ("cold", "equal", source),
        ("warm", "equal", "another"),
        ("dask", "equal", source),
    ]:
        ledger.write_line(kept, ledger.Line(name, mode, word, "", 1.0, of, "abc"))
    with kept.open("a") as file:
        file.write('{"name": "cut')
    found = ledger.read_lines(kept)
    assert {key: line.word for key, line in found.items()} == {
        (name, "cold"): "equal",
        (name, "dask"): "equal",
    }
    assert ledger.read_lines(tmp_path / "nothing") == {}

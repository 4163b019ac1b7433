"""JUnit files say what became of each step, in the form that CI systems read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_nb.pipeline.failedcells import read_failed_cell
from mlops_nb.pipeline.junit import clean, write_junit, write_refusal
from mlops_nb.records import GateResult, PipelineResult, StepResult, Verification

NOTEBOOK = Path("train.ipynb")


def write_executed(path: Path, traceback: list[str], **metadata: Any) -> str:
    """Write a step's notebook whose third cell has failed."""
    failed = {
        "cell_type": "code",
        "metadata": {"papermill": {"exception": True}, "mlops": {"index": 7} | metadata},
        "outputs": [
            {"output_type": "stream", "text": "before"},
            {
                "output_type": "error",
                "ename": "ValueError",
                "evalue": "\x1b[31mno\x1b[0m",
                "traceback": traceback,
            },
        ],
    }
    cells = [{"cell_type": "markdown", "metadata": {}}, {"cell_type": "code", "metadata": {}}]
    path.write_text(json.dumps({"cells": [*cells, failed]}), encoding="utf-8")
    return str(path)


def read(path: Path) -> ElementTree.Element:
    """Read the one test suite of a file."""
    root = ElementTree.parse(path).getroot()
    assert root.tag == "testsuites"
    (suite,) = root
    return suite


def test_each_step_is_a_test_case(tmp_path: Path) -> None:
    """Succeeded, cached, failed and skipped steps are told apart, and counted."""
    executed = write_executed(tmp_path / "03-fit.ipynb", ["line 1\nline 2", "\x1b[31mValueError"])
    steps = (
        StepResult("load", "succeeded", "01-load.ipynb", cached=True, duration_s=0.5),
        StepResult("clean", "succeeded", "02-clean.ipynb", duration_s=1.25, fused_with="load"),
        StepResult("fit", "failed", executed, error="ValueError: no", cause="error"),
        StepResult("score", "skipped"),
    )
    result = PipelineResult("run-1", "failed", steps, {"acc": 0.5})
    suite = read(write_junit(tmp_path / "deep" / "junit.xml", NOTEBOOK, result))
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "4", "failures": "1", "errors": "0", "skipped": "1"}
    assert suite.get("time") == "1.750"
    cases = {case.get("name"): case for case in suite.findall("testcase")}
    assert list(cases) == ["load", "clean", "fit", "score"]
    assert {case.get("classname") for case in cases.values()} == {"train"}
    assert cases["load"].find("properties/property[@name='cached']").get("value") == "true"  # type: ignore[union-attr]
    assert cases["clean"].find("properties/property[@name='cached']").get("value") == "false"  # type: ignore[union-attr]
    failure = cases["fit"].find("failure")
    assert failure is not None
    assert failure.get("message") == "ValueError: no"
    assert failure.text == "cell 7 of the notebook\nline 1\nline 2\nValueError"
    assert cases["score"].find("skipped") is not None
    assert suite.find("properties/property[@name='run_id']").get("value") == "run-1"  # type: ignore[union-attr]
    assert suite.find("properties/property[@name='metric.acc']").get("value") == "0.5"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("cause", "tag"), [("error", "failure"), ("timeout", "error"), ("died", "error")]
)
def test_what_is_no_fault_of_the_cells_is_an_error(tmp_path: Path, cause: Any, tag: str) -> None:
    """A cell that raises has failed; a kernel that dies, or a step that takes too long, errs."""
    steps = (StepResult("fit", "failed", error="it went wrong", cause=cause),)
    suite = read(write_junit(tmp_path / "j.xml", NOTEBOOK, PipelineResult("r", "failed", steps)))
    found = suite.find(f"testcase/{tag}")
    assert found is not None
    assert (found.get("type"), found.text) == (cause, "it went wrong")


def test_gates_are_test_cases(tmp_path: Path) -> None:
    """A gate that did not pass fails, with the value that the metric had."""
    gates = [GateResult("acc>=0.9", 0.8, False, "acc is 0.8"), GateResult("f1>0", 0.5, True)]
    result = PipelineResult("r", "finished", ())
    suite = read(write_junit(tmp_path / "j.xml", NOTEBOOK, result, gates))
    assert [case.get("name") for case in suite.findall("testcase")] == [
        "require acc>=0.9",
        "require f1>0",
    ]
    assert [failure.text for failure in suite.findall("testcase/failure")] == ["acc is 0.8"]


@pytest.mark.parametrize(
    ("verification", "tag"),
    [
        (Verification("verified"), None),
        (Verification("partly verified", unstable=("x",)), None),
        (Verification("not verified", reason="it was not asked for"), "skipped"),
        (Verification("not verified", "fit", "w", "value", "1", "2"), "failure"),
    ],
)
def test_verification_is_a_test_case(
    tmp_path: Path, verification: Verification, tag: str | None
) -> None:
    """What differs is a failure, what was not compared is skipped, and the status is a property."""
    result = PipelineResult("r", "finished", (), verification=verification)
    suite = read(write_junit(tmp_path / "j.xml", NOTEBOOK, result))
    case = suite.find("testcase[@name='verify']")
    assert case is not None
    assert case.find("properties/property").get("value") == verification.status  # type: ignore[union-attr]
    found = [child.tag for child in case if child.tag != "properties"]
    assert found == ([] if tag is None else [tag])
    if tag is not None:
        assert case.find(tag).get("message") == str(verification)  # type: ignore[union-attr]


def test_refusal_is_an_error(tmp_path: Path) -> None:
    """A notebook that is refused gives a file too, or CI would report no tests at all."""
    suite = read(write_refusal(tmp_path / "j.xml", NOTEBOOK, "PipelineError", "wrong tag\nfix it"))
    error = suite.find("testcase[@name='plan']/error")
    assert error is not None
    assert (error.get("type"), error.get("message")) == ("PipelineError", "wrong tag")
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")


@given(st.text(st.characters(codec=None)))
def test_any_text_makes_a_file_that_can_be_read(text: str) -> None:
    """Control characters, lone surrogates and markup of any program leave the XML well-formed."""
    element = ElementTree.Element("a", {"b": clean(text)})
    element.text = clean(text)
    again = ElementTree.fromstring(ElementTree.tostring(element, encoding="utf-8"))
    assert (again.text or "") == clean(text).replace("\r\n", "\n").replace("\r", "\n")


def test_colors_and_control_characters_are_written_out(tmp_path: Path) -> None:
    """What XML cannot hold is shown as Python writes it; colors of the terminal are gone."""
    executed = write_executed(tmp_path / "a.ipynb", ["\x1b[0;31mRed\x1b[0m \x00 ]]> <&\ud800"])
    steps = (StepResult("fit\x07", "failed", executed, error="\x1b[31mbad\x00", cause="error"),)
    path = write_junit(tmp_path / "j.xml", NOTEBOOK, PipelineResult("r", "failed", steps))
    failure = read(path).find("testcase/failure")
    assert failure is not None
    assert failure.text == "cell 7 of the notebook\nRed \\x00 ]]> <&\\ud800"
    assert failure.get("message") == "\\x1b[31mbad\\x00"


def test_long_tracebacks_are_cut_at_the_front(tmp_path: Path) -> None:
    """The end of a traceback is what says why."""
    executed = write_executed(tmp_path / "a.ipynb", [f"line {n}" for n in range(50)])
    cell = read_failed_cell(executed)
    assert cell is not None
    tail = cell.get_tail(3)
    assert tail == "...\nline 47\nline 48\nline 49"


def test_cells_of_our_own_have_no_place_in_the_notebook(tmp_path: Path) -> None:
    """Where a cell that was added fails, no cell of the user's is blamed."""
    cell = read_failed_cell(write_executed(tmp_path / "a.ipynb", [], index=None))
    assert cell is not None
    assert (cell.index, cell.get_tail()) == (None, "ValueError: no")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"cells": 3}', '{"cells": [1]}'])
def test_unreadable_notebooks_are_no_matter(tmp_path: Path, content: str) -> None:
    """A step's notebook that is gone or broken costs the traceback, not the report."""
    path = tmp_path / "a.ipynb"
    path.write_text(content, encoding="utf-8")
    assert read_failed_cell(path) is None
    assert read_failed_cell(tmp_path / "gone.ipynb") is None
    assert read_failed_cell(None) is None

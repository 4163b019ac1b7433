"""``%mlops pipeline``, ``run`` and ``export`` on a notebook of two steps."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from mlops_nb import api
from mlops_nb.errors import InvalidValueError, ParameterNotFoundError, StepFailedError
from mlops_nb.kernel.pictures import draw_svg

Run = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a notebook of two steps, as the one that is open."""
    cells = [
        ("times = 3  # how many", ["parameters"]),
        ("numbers = list(range(times))", ["step:make"]),
        ("total = sum(numbers)\nassert total >= 0", ["step:add"]),
    ]
    document = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {"tags": tags},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for number, (source, tags) in enumerate(cells)
        ],
    }
    path = tmp_path / "open.ipynb"
    path.write_text(json.dumps(document), encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return path


def test_open_notebook_is_drawn(
    loaded: Run, notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a name the notebook of the front end is drawn, in every form."""
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook))
    bundle = loaded("%mlops pipeline").result._repr_mimebundle_()
    assert "make" in bundle["text/plain"]
    assert bundle["text/vnd.mermaid"].startswith("flowchart")
    assert "<svg" not in bundle["text/html"]  # notebooks that are not trusted lose it
    assert "<table" in bundle["text/html"]
    picture = bundle["text/html"].split("base64,")[1].split("'")[0]
    texts = [each.text for each in ElementTree.fromstring(base64.b64decode(picture)).iter()]
    assert {"make", "add", "numbers"} <= set(texts)


def test_picture_survives_any_name(tmp_path: Path) -> None:
    """Long and hostile names give well-formed SVG in which nothing leaves the picture."""
    from types import SimpleNamespace as Plan

    names = ["a", "<b&>" * 20, "c", "d", "e", "f", "g"]
    edges = [Plan(source=name, target="g", names=("x" * 200,)) for name in names[:-1]]
    plan = Plan(steps=[Plan(name=name) for name in names], edges=edges)
    root = ElementTree.fromstring(draw_svg(plan))
    texts = [each.text or "" for each in root.iter()]
    assert "and 3 more" in texts
    assert max(map(len, texts)) < 90
    for box in root.iter("{http://www.w3.org/2000/svg}rect"):
        assert float(box.attrib["x"]) >= 0
        right = float(box.attrib["x"]) + float(box.attrib["width"])
        assert right <= float(root.attrib["width"]) <= 640  # a notebook between two side bars


def test_lines_that_pass_steps_lie_side_by_side() -> None:
    """Arrows past the same steps never lie upon one another; those that do not meet save room."""
    from types import SimpleNamespace as Plan

    def find_lanes(*pairs: str) -> int:
        edges = [Plan(source=pair[0], target=pair[1], names=("x",)) for pair in pairs]
        plan = Plan(steps=[Plan(name=name) for name in "abcde"], edges=edges)
        ways = [each.attrib.get("d", "") for each in ElementTree.fromstring(draw_svg(plan)).iter()]
        return len({way.split("H")[1].split("Q")[0] for way in ways if "Q" in way})

    assert find_lanes("ac", "bd") == 2
    assert find_lanes("ac", "ce") == 1
    assert find_lanes("ab", "bc") == 0


def test_notebook_is_run(loaded: Run, notebook: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A run shows a line a step while it runs, and a table at its end."""
    capfd.readouterr()
    table = loaded(f"%mlops run {notebook} -p times=4 -o out").result
    assert [row[:2] for row in table.rows] == [("make", "succeeded"), ("add", "succeeded")]
    assert "[1/2] make succeeded" in capfd.readouterr().out
    assert len(list(Path("out").glob("*.ipynb"))) == 2
    assert api.get_run("open").params == {"times": 4}


def test_failing_run_fails_the_cell(
    loaded: Run, notebook: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A step that fails fails the cell, with its reason and its notebook."""
    result = loaded(f"%mlops run {notebook} -p times=-1 -o out")
    assert result.success
    text = notebook.read_text(encoding="utf-8").replace("total >= 0", "total > 100")
    notebook.write_text(text, encoding="utf-8")
    capfd.readouterr()
    result = loaded(f"%mlops run {notebook} -o out")
    assert isinstance(result.error_in_exec, StepFailedError)
    shown = capfd.readouterr().out
    assert "add  failed" in shown.replace("   ", "  ")
    assert "AssertionError" in shown
    assert "02-add.ipynb" in shown


def test_unknown_parameter_is_refused(loaded: Run, notebook: Path) -> None:
    """A parameter that the notebook does not declare is told with near misses."""
    result = loaded(f"%mlops run {notebook} -p tmes=4 -o out")
    assert isinstance(result.error_in_exec, ParameterNotFoundError)
    assert "'times'" in str(result.error_in_exec)


def test_script_is_exported(loaded: Run, notebook: Path) -> None:
    """A script is written where asked; an unknown form is refused."""
    assert "train.py" in str(loaded(f"%mlops export {notebook} -o train.py -p times=5").result)
    compile(Path("train.py").read_text(encoding="utf-8"), "train.py", "exec")
    wrong = loaded(f"%mlops export {notebook} --to airship").error_in_exec
    assert isinstance(wrong, InvalidValueError)

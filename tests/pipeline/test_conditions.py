"""Steps tagged ``when:EXPR`` are left out where it does not hold, with all that uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_nb.errors import ExportError, NotebookError, PipelineError
from mlops_nb.export import export_script
from mlops_nb.notebook.document import new_code_cell, new_notebook, write_notebook
from mlops_nb.pipeline import plan
from tests.pipeline.places import Place

CELLS = (
    ("import numpy as np\nLIMIT = 5", "imports"),
    ("wanted: bool = True", "parameters"),
    ("score = np.float64(0.5); table = {'a': 1}", "step:measure"),
    ("tuned = table['a'] + 1", "step:tune", "when:score > 0.4 and wanted and LIMIT == 5"),
    ("print('tuned', tuned)", "step:show"),
    ("print('table', table)", "step:report"),
)


@pytest.mark.parametrize("jobs", [1, 2])
def test_condition_decides_about_the_step_and_its_consumers(place: Place, jobs: int) -> None:
    """Where it holds all run; where not, the step and who uses it are skipped and the run ends well."""
    path = place.write(*CELLS)
    assert place.run(path, jobs=jobs).status == "finished"
    assert place.read_printed()[2:] == ["tuned 2\n", "table {'a': 1}\n"]
    result = place.run(path, params={"wanted": False}, jobs=jobs)
    assert result.status == "finished"
    assert {step.name: step.status for step in result.steps} == {
        "measure": "succeeded",
        "tune": "skipped",
        "show": "skipped",
        "report": "succeeded",
    }
    assert sorted(file.name for file in place.out.iterdir()) == [
        "01-measure.ipynb",
        "04-report.ipynb",
    ]
    told = "\n".join(map(str, place.told))
    assert "tune is skipped: score > 0.4 and wanted and LIMIT == 5 does not hold" in told
    assert "show is skipped: it uses what tune would have made" in told


def test_functions_and_imports_of_a_skipped_step_are_missed(tmp_path: Path) -> None:
    """Who uses a function or a module of a step comes after it, and goes with it when it is skipped."""
    cells = (
        ("n = 1", "step:first"),
        ("import json\ndef double(x): return 2 * x", "step:tools", "when:n > 1"),
        ("import json\nprint(json.dumps(n))", "step:apart"),
        ("print(double(n))", "step:calls"),
        ("def twice(x): return json.loads('2') * x", "step:late"),
        ("print(twice(3))", "step:through"),
    )
    built = [new_code_cell(source, list(tags)) for source, *tags in cells]
    made = plan(write_notebook(new_notebook(built), tmp_path / "nb.ipynb"))
    after = {step.name: step.after for step in made.steps}
    assert after["calls"] == ("first", "tools")
    assert after["apart"] == ("first",)
    assert after["through"] == ("apart", "late")
    assert [step.name for step in made.steps if step.imports] == ["tools", "apart"]


def test_condition_of_what_is_no_scalar_fails_the_step(place: Place) -> None:
    """That shows only while it runs: what ran before is kept and the reason stands at the step."""
    cells = (
        ("table = [1]", "step:make"),
        ("1", "step:next", "when:table == 1"),
        ("2", "step:last"),
    )
    result = place.run(place.write(*cells))
    assert result.status == "failed"
    assert [step.status for step in result.steps] == ["succeeded", "failed", "skipped"]
    assert "'table' in its condition" in str(result.steps[1].error)


def test_parameter_that_was_changed_counts_as_it_is(place: Place) -> None:
    """A condition asks for the value before the step, not for the one that was given."""
    path = place.write(
        ("size: int = 3", "parameters"),
        ("size = size + 1", "step:grow"),
        ("print('big')", "step:use", "when:size > 3"),
    )
    assert place.run(path, params={"size": 3}).steps[1].status == "succeeded"
    assert place.run(path, params={"size": 2}).steps[1].status == "skipped"


def test_plan_knows_what_conditions_need(tmp_path: Path) -> None:
    """The variable crosses, and the step comes after the one that makes it."""
    built = [new_code_cell(source, tags) for source, *tags in CELLS]
    pipeline = plan(write_notebook(new_notebook(built), tmp_path / "nb.ipynb"))
    tune = pipeline.steps[1]
    assert {"score", "wanted"} <= set(tune.needs)
    assert tune.after == ("measure",)


def test_what_cannot_be_left_out_is_refused(tmp_path: Path) -> None:
    """The first step brings what stands above it; scripts and seeds of a step's own are not there."""
    cells = [new_code_cell("1", ["step:a", "when:1 > 2"]), new_code_cell("2", ["step:b"])]
    path = write_notebook(new_notebook(cells), tmp_path / "nb.ipynb")
    with pytest.raises(PipelineError, match="it is the first"):
        plan(path)
    with pytest.raises((NotebookError, ExportError), match="when"):
        export_script(path, tmp_path / "nb.py")
    cells = [new_code_cell("1", ["step:a", "rng:independent"])]
    with pytest.raises(NotebookError, match="other random numbers"):
        plan(write_notebook(new_notebook(cells), tmp_path / "nb.ipynb"))


def test_conditions_are_never_code(tmp_path: Path) -> None:
    """A call is refused before anything runs."""
    cells = [
        new_code_cell("1", ["step:a"]),
        new_code_cell("2", ["step:b", "when:__import__('os').system('touch x')"]),
    ]
    path = write_notebook(new_notebook(cells), tmp_path / "nb.ipynb")
    with pytest.raises(NotebookError, match="when"):
        plan(path)
    assert json.loads(path.read_text())["cells"]
    assert not (tmp_path / "x").exists()

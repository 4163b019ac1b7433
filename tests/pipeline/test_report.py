"""The report shows the notebook in its own order, and needs nobody else to be read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.notebook.document import (
    NotebookDocument,
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    write_notebook,
)
from mlops_nb.pipeline.report import render_html, stitch
from mlops_nb.records import StepResult

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def make_step(path: Path, *cells: tuple[int, str, dict[str, Any] | None]) -> Path:
    """Write an executed step: own cells around cells of the notebook, by their position."""
    built = [new_markdown_cell("## x", ["mlops-header"], {"mlops": {"kind": "header"}})]
    built.append(new_code_cell("load()", ["mlops-inputs"], {"mlops": {"kind": "inputs"}}))
    for index, source, output in cells:
        metadata = {"mlops": {"kind": "cell", "index": index}, "papermill": {"status": "completed"}}
        if index < 0:
            metadata = {"mlops": {"kind": "parameters"}}
        built.append(
            new_code_cell(source, [], metadata)
            | {"outputs": [output] if output else [], "execution_count": 3}
        )
    return write_notebook(new_notebook(built), path)


def show(**data: str) -> dict[str, Any]:
    """Make an output."""
    named = {name.replace("_", "/"): value for name, value in data.items()}
    return {"output_type": "display_data", "data": named, "metadata": {}}


@pytest.fixture
def notebook(tmp_path: Path) -> dict[str, Any]:
    """Stitch a notebook of two steps that alternate, and a cell that did not run."""
    cells = [
        new_markdown_cell("# A story\n\nOf *two* steps."),
        new_code_cell("n = 1", ["parameters"]),
        new_code_cell("print('a')", ["step:a"]) | {"outputs": [show(text_plain="old")]},
        new_code_cell("plot()", ["step:b"]),
        new_code_cell("print('a again')", ["step:a"]),
        new_code_cell("never()", ["skip"]) | {"outputs": [show(text_plain="old")]},
    ]
    path = write_notebook(new_notebook(cells), tmp_path / "story.ipynb")
    stream = {"output_type": "stream", "name": "stdout", "text": "the word is tr0ub4dor\n"}
    first = make_step(
        tmp_path / "01.ipynb",
        (1, "n = 1", None),
        (-1, "n = 7", None),
        (2, "print('a')", stream),
        (4, "print('a again')", None),
    )
    html = "<script>window.hit = 1</script><img src='https://example.com/x.png'><b>table</b>"
    second = make_step(tmp_path / "02.ipynb", (3, "plot()", show(image_png=PNG, text_html=html)))
    return stitch(
        NotebookDocument.load(path),
        {"a": first, "b": second},
        run_id="r1",
        status="failed",
        steps=[
            StepResult("a", "succeeded", str(first), cached=True, duration_s=1.25),
            StepResult("b", "failed", str(second), error="Error: | tr0ub4dor <b>"),
        ],
        parameters={"n": 7, "word": "tr0ub4dor"},
        secrets={"WORD": "tr0ub4dor"},
    )


def test_cells_stand_in_the_order_of_the_notebook(notebook: dict[str, Any]) -> None:
    """Every source cell is there once with the outputs of its step; old outputs are gone."""
    cells = [c for c in notebook["cells"] if "mlops-step" not in c["metadata"].get("tags", [])]
    sources = ["".join(cell["source"]) for cell in cells]
    assert sources[1:] == [
        "# A story\n\nOf *two* steps.",
        "n = 1",
        "n = 7",
        "print('a')",
        "plot()",
        "print('a again')",
        "never()",
    ]
    assert "old" not in json.dumps(notebook)
    assert cells[-1]["metadata"]["mlops"]["status"] == "not run"
    assert cells[4]["metadata"]["mlops"]["step"] == "a"


def test_header_tells_what_happened(notebook: dict[str, Any]) -> None:
    """Run, status, steps, times, marks of cached steps and parameters stand at the top."""
    text = "".join(notebook["cells"][0]["source"])
    for part in ("**failed**", "`r1`", "| a | cached | 1.2 s |", "| b | failed |", "| n | 7 |"):
        assert part in text


def test_notebook_is_valid(notebook: dict[str, Any]) -> None:
    """The stitched notebook opens in Jupyter."""
    import nbformat

    nbformat.validate(nbformat.from_dict(notebook))


def test_secrets_do_not_show(notebook: dict[str, Any]) -> None:
    """Secrets are taken out of parameters, outputs and errors, in notebook and page."""
    assert "tr0ub4dor" not in json.dumps(notebook)
    assert "tr0ub4dor" not in render_html(notebook)


def test_page_needs_nobody(notebook: dict[str, Any]) -> None:
    """The page loads nothing and runs nothing, and shows figures."""
    page = render_html(notebook)
    head = page[: page.index("<body>")]
    assert "default-src 'none'" in head
    assert not re.search(r"<script|<link|@import|url\(", head)
    assert not re.search(r"<(script|link|iframe)[^>]*(src|href)=", page)
    assert f"data:image/png;base64,{PNG}" in page
    assert "prefers-color-scheme: dark" in page
    assert "<title>story</title>" in page
    assert "{{" not in head


def test_missing_step_shows_as_not_run(tmp_path: Path) -> None:
    """A step whose notebook cannot be read leaves its cells without output."""
    path = write_notebook(new_notebook([new_code_cell("1", ["step:a"])]), tmp_path / "n.ipynb")
    stitched = stitch(NotebookDocument.load(path), {"a": tmp_path / "gone.ipynb"})
    assert stitched["cells"][-1]["metadata"]["mlops"]["status"] == "not run"
    assert stitched["cells"][-1]["outputs"] == []

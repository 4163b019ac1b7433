"""Templates that ship with the package are whole, copied without harm, and fit many tables."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest
from palmerpenguins import load_penguins

import mlops_nb as mlops
from mlops_nb.errors import InvalidValueError, NotFoundError
from mlops_nb.notebook.document import NotebookDocument
from mlops_nb.notebook.giving import resolve_parameters
from mlops_nb.notebook.parameters import read_parameters
from mlops_nb.notebook.templates import copy_template, list_templates

ROOT = Path(__file__).resolve().parents[2]


def test_the_example_is_the_template(tmp_path: Path) -> None:
    """The notebook among the examples is the one in the package: cp mlops_nb/notebook/templates."""
    assert list_templates() == ["automl"]
    for name in list_templates():
        copied = copy_template(name, tmp_path)
        assert copied == tmp_path / f"{name}.ipynb"
        example = ROOT / "example_notebooks" / copied.name
        assert copied.read_bytes() == example.read_bytes()
        document = json.loads(copied.read_text(encoding="utf-8"))
        assert all(not cell.get("outputs") for cell in document["cells"])


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A file that is there stays, unless one says otherwise; slips are told."""
    mine = tmp_path / "mine.ipynb"
    mine.write_text("my work")
    with pytest.raises(InvalidValueError, match="--overwrite"):
        copy_template("automl", mine)
    assert mine.read_text() == "my work"
    assert copy_template("automl", mine, overwrite=True) == mine
    assert "my work" not in mine.read_text(encoding="utf-8")
    assert copy_template("automl") == Path("automl.ipynb")
    with pytest.raises(NotFoundError, match="'automl'"):
        copy_template("autml", tmp_path)
    with pytest.raises(NotFoundError, match="no folder"):
        copy_template("automl", tmp_path / "no" / "x.ipynb")


def run_cells(document: NotebookDocument, **params: Any) -> dict[str, Any]:
    """Run the code cells of a notebook in this process."""
    values = resolve_parameters(read_parameters(document), params)
    space: dict[str, Any] = {"__name__": "notebook"}
    mpl.use("Agg")
    for cell in document.code_cells:
        if cell.source.startswith("%"):
            continue
        with warnings.catch_warnings():
            # plt.show() says that Agg shows nothing.
            warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")
            exec(compile(cell.source, cell.cell_id or "cell", "exec"), space)
        if "parameters" in cell.tags:
            space |= values
    import matplotlib.pyplot as plt

    plt.close("all")
    return space


@pytest.fixture(scope="module")
def penguins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a real table with text, gaps, a flag and a column that is empty."""
    frame = load_penguins().sample(200, random_state=0)
    frame["heavy"] = frame["body_mass_g"] > 4000
    frame["nothing"] = float("nan")
    path = tmp_path_factory.mktemp("data") / "penguins.csv"
    frame.to_csv(path, index=False)
    return path


CASES = [
    ("linear", "interactions"),
    ("linear", "selected"),
    ("forest", "plain"),
    ("boosting", "scaled"),
    ("neighbors", "scaled"),
]


@pytest.mark.parametrize(("model", "features"), CASES)
@pytest.mark.parametrize(
    ("target", "kind", "least"),
    [("species", "classification", 0.9), ("body_mass_g", "regression", 0.7)],
)
def test_automl_fits_a_table(
    penguins: Path, model: str, features: str, target: str, kind: str, least: float
) -> None:
    """Every model with every set of features learns, for classes and for numbers."""
    document = NotebookDocument.load(copy_template("automl"))
    space = run_cells(
        document,
        data=str(penguins),
        target=target,
        model=model,
        features=features,
        depth=3,
        folds=2,
    )
    assert space["kind"] == kind
    assert space["test_score"] > least
    run = mlops.get_run("latest")
    assert run.metrics["test_score"] == space["test_score"]
    assert run.metrics["cv_score"] == space["scores"].mean()


def test_automl_registers_the_model(penguins: Path) -> None:
    """With a name the model is registered, and answers rows as they stand in the file."""
    document = NotebookDocument.load(copy_template("automl"))
    space = run_cells(document, data=str(penguins), target="species", name="penguins")
    model = mlops.load_model("penguins")
    rows = pd.read_csv(penguins).head(5)[list(space["X"].columns)]
    expected = space["estimator"].predict(space["X"].head(5))
    assert list(model.predict(rows.astype({"heavy": "int8"}))) == list(expected)

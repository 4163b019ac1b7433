"""The pictures of the documentation, taken of what there is; `make pictures` writes them."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ROOT, Browser, Jupyter

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.skipif(
        not os.environ.get("MLOPS_NB_PICTURES"), reason="writes pictures; run: make pictures"
    ),
]

PLACE = ROOT / "docs" / "images"
MOST_BYTES = 200_000
CELLS = (
    (
        "imports",
        "%load_ext mlops_nb\n"
        "from sklearn.datasets import load_breast_cancer\n"
        "from sklearn.ensemble import RandomForestClassifier\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "from sklearn.metrics import accuracy_score, roc_auc_score\n"
        "from sklearn.model_selection import train_test_split\n"
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import StandardScaler",
    ),
    (
        "step:load",
        "X, y = load_breast_cancer(return_X_y=True, as_frame=True)\n"
        "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=7)",
    ),
    (
        "step:logistic",
        "logistic = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(X_train, y_train)\n"
        "accuracy = accuracy_score(y_test, logistic.predict(X_test))\n"
        "roc_auc = roc_auc_score(y_test, logistic.predict_proba(X_test)[:, 1])",
    ),
    (
        "step:forest",
        "model = RandomForestClassifier(n_estimators=200, random_state=7).fit(X_train, y_train)\n"
        "accuracy = accuracy_score(y_test, model.predict(X_test))\n"
        "roc_auc = roc_auc_score(y_test, model.predict_proba(X_test)[:, 1])",
    ),
    (
        "skip",
        "%mlops register logistic --name breast-cancer --alias champion\n"
        "%mlops register model --name breast-cancer",
    ),
)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Give a page whose pictures are sharp on fine screens too."""
    owner = browser.page.context.browser
    assert owner is not None
    context = owner.new_context(viewport={"width": 1300, "height": 760}, device_scale_factor=1.5)
    yield context.new_page()
    context.close()


def keep(shown: Page | Locator, name: str) -> None:
    """Write a picture with as many colours as it needs and no more."""
    picture = Image.open(io.BytesIO(shown.screenshot())).convert("RGB")
    path = PLACE / f"{name}.png"
    picture.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    assert path.stat().st_size < MOST_BYTES


def execute(page: Page, command: str, arguments: str = "{}") -> None:
    """Call a command of JupyterLab, without waiting for what it may open."""
    page.evaluate(f"void window.jupyterapp.commands.execute('{command}', {arguments})")


def set_theme(page: Page, name: str) -> None:
    """Change the theme, and wait for its style sheet."""
    execute(page, "apputils:change-theme", f"{{theme: '{name}'}}")
    page.wait_for_selector(f"body[data-jp-theme-name='{name}']", state="attached")
    page.wait_for_timeout(800)


def write_book(folder: Path) -> str:
    """Write the notebook that all pictures show."""
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": [tag]}) for tag, source in CELLS]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(book, folder / "breast_cancer.ipynb")
    return "breast_cancer.ipynb"


def take_serving(page: Page, model: Locator) -> None:
    """Serve the version in view by clicking, try it with the form, and keep it in light and dark."""
    part = model.get_by_role("region", name="Serve", exact=True)
    part.get_by_role("button", name="Serve", exact=True).click()
    expect(part.get_by_text("Served at http://127.0.0.1:")).to_be_visible(timeout=60_000)
    part.get_by_role("button", name="Predict", exact=True).click()
    expect(part.get_by_text("Prediction:")).to_be_visible()
    for theme in ("Dark", "Light"):
        set_theme(page, f"JupyterLab {theme}")
        part.get_by_text("Served at http").scroll_into_view_if_needed()
        keep(page, f"serving-{theme.lower()}")
    part.get_by_role("button", name="Stop", exact=True).click()
    expect(part.get_by_text("It is not served.")).to_be_visible()


def test_pictures_are_taken(jupyter: Jupyter, browser: Browser, page: Page) -> None:
    """Notebook, panel in three themes, pipeline, model, serving, project and Notebook 7, as they are now."""
    name = write_book(jupyter.root)
    page.goto(jupyter.address("lab/tree", name))
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
    execute(page, "application:toggle-left-area")
    panel = page.locator("#jp-mlops-panel")
    execute(page, "mlops:show-section", "{section: 'runs'}")
    expect(panel).to_be_visible()
    execute(page, "notebook:run-all-cells")
    rows = panel.get_by_role("list", name="Runs").get_by_role("listitem")
    expect(rows).to_have_count(2, timeout=60_000)
    expect(rows.first).to_contain_text("roc_auc", timeout=60_000)
    expect(page.locator(".jp-Cell").last).to_contain_text("champion", timeout=60_000)
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
    execute(page, "docmanager:save")
    page.locator(".jp-Notebook .jp-Cell").nth(3).scroll_into_view_if_needed()
    rows.first.get_by_role("button").click()
    page.wait_for_timeout(2000)
    keep(page, "notebook")
    for theme, short in (
        ("JupyterLab Dark High Contrast", None),
        ("JupyterLab Dark", "dark"),
        ("JupyterLab Light", "light"),
    ):
        set_theme(page, theme)
        if short is None:
            page.screenshot(path=browser.shots / "high-contrast.png")
        else:
            keep(panel, f"panel-{short}")

    execute(page, "mlops:run-pipeline")
    steps = panel.get_by_role("list", name="Steps").get_by_role("listitem")
    expect(steps.last).to_contain_text("Done", timeout=90_000)
    expect(panel.get_by_role("button", name="Cancel")).to_have_count(0, timeout=60_000)
    panel.get_by_role("heading", name="Runs of this notebook").click()
    steps.nth(2).get_by_role("button").first.click()
    expect(steps.nth(2).get_by_text("made in").first).to_be_visible()
    keep(page, "panel-pipeline")

    execute(page, "mlops:open-project")
    project = page.get_by_role("region", name="All runs and models")
    expect(project).to_contain_text("breast-cancer")
    execute(page, "application:toggle-right-area")
    page.wait_for_timeout(1000)
    keep(page, "project")
    project.get_by_role("button", name="breast-cancer").first.click()
    model = page.get_by_role("region", name="Model breast-cancer")
    expect(model.get_by_text("mean radius").first).to_be_visible()
    keep(page, "panel-model")
    take_serving(page, model)

    page.goto(jupyter.address("notebooks", name))
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.get_by_role("button", name="Show the runs of this notebook").click()
    expect(rows.first).to_be_visible()
    page.wait_for_timeout(2000)
    keep(page, "notebook7")

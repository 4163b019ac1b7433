"""The section "Models": a fitted model is promoted, rolled back and served by clicking."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Browser, Jupyter, check_in_all_themes, run_cell

pytestmark = pytest.mark.timeout(180)

FIT = """\
%load_ext mlops_nb
import mlops_nb as mlops
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
X, y = load_iris(return_X_y=True, as_frame=True)
for C in (0.01, 1.0):
    model = LogisticRegression(C=C, max_iter=500).fit(X, y)
    model.score(X, y)
    mlops.register_model(model, name="iris", alias="champion" if C < 1 else None)"""


def find_served(root: Path) -> list[int]:
    """Give the processes that serve a model of a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if "mlops_nb.server.serving_child" in process.cmdline():
                found += [process.pid] if process.cwd() == str(root) else []
        except psutil.Error:
            continue  # it ended meanwhile, or is somebody else's
    return found


def serve_and_try(browser: Browser, shown: Locator, root: Path) -> None:
    """Serve the version that is shown, ask it, and stop it."""
    part = shown.get_by_role("region", name="Serve", exact=True)
    expect(part.get_by_text("It is not served.")).to_be_visible()
    part.get_by_role("button", name="Serve", exact=True).press("Enter")
    expect(part.get_by_text("Served at http://127.0.0.1:")).to_be_visible(timeout=60_000)
    assert len(find_served(root)) == 1
    part.get_by_role("textbox", name="sepal length (cm)").fill("long")
    part.get_by_role("button", name="Predict", exact=True).click()
    expect(part.get_by_text("expected float64, got 'long'")).to_be_visible()
    part.get_by_role("textbox", name="sepal length (cm)").fill("5.1")
    for name, value in (("sepal width", "3.5"), ("petal length", "1.4"), ("petal width", "0.2")):
        part.get_by_role("textbox", name=name).fill(value)
    part.get_by_role("textbox", name="petal width").press("Enter")
    expect(part.get_by_text("Prediction: 0", exact=True)).to_be_visible()  # a setosa
    browser.shoot("model-page-served")
    assert browser.find_axe_violations("[aria-label='Model iris']") == []
    part.get_by_role("button", name="Stop", exact=True).click()
    expect(part.get_by_text("It is not served.")).to_be_visible()
    deadline = time.monotonic() + 20
    while find_served(root) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert find_served(root) == []


def test_model_is_promoted_and_rolled_back(
    jupyter: Jupyter, browser: Browser, open_lab: Callable[..., Page]
) -> None:
    """Versions stand beside the champion, and an alias moves with a reason that stays."""
    page = open_lab(jupyter.write_notebook("models.ipynb", FIT))
    page.get_by_role("tab", name="MLOps").click()
    panel = page.locator("#jp-mlops-panel")
    panel.get_by_role("heading", name="Models").click()
    expect(panel.get_by_text("No model is registered yet")).to_be_visible()
    run_cell(page, 0)
    row = panel.get_by_role("list", name="Models").get_by_role("listitem")
    expect(row).to_contain_text("2 versions", timeout=60_000)  # the cell imports a whole library
    expect(row).to_contain_text("champion v1")
    check_in_all_themes(browser, "#jp-mlops-panel", "models")

    row.get_by_role("button").press("Enter")
    shown = page.get_by_role("region", name="Model iris")
    expect(shown.get_by_text("sepal length (cm)").first).to_be_visible()
    differences = shown.get_by_role("region", name="Differences")
    expect(differences.get_by_role("row").filter(has_text="+0.")).not_to_have_count(0)
    check_in_all_themes(browser, "[aria-label='Model iris']", "model-page")

    shown.get_by_role("textbox", name="Reason").fill("better on <b>iris</b>")
    shown.get_by_role("button", name="Promote").click()
    expect(shown.get_by_text("champion moved from version 1 to 2")).to_be_visible()
    expect(shown.get_by_text("better on <b>iris</b>")).to_be_visible()
    expect(shown.get_by_role("button", name="Promote")).to_be_disabled()
    shown.get_by_role("button", name="Roll back to version 1").click()
    page.keyboard.type("it was not")
    page.keyboard.press("Enter")
    expect(shown.get_by_text("champion moved from version 2 to 1")).to_be_visible()
    expect(row).to_contain_text("champion v1")
    browser.shoot("model-page-history")
    serve_and_try(browser, shown, jupyter.root)
    page.wait_for_timeout(1500)  # the layout is kept a moment after it has changed
    page.goto(page.url.split("?")[0])
    expect(page.get_by_role("region", name="Model iris")).to_contain_text("it was not")
    expect(row).to_contain_text("champion v1")  # the section is unfolded as it was

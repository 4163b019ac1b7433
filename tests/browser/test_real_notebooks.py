"""The example notebooks, with nothing in them that logs, run by the menu and looked at in the panel."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Browser, Jupyter

pytestmark = pytest.mark.timeout(240)

TORCH, SKLEARN = "torch_digits.ipynb", "01_first_model.ipynb"


def run_all_cells(page: Page) -> None:
    """Run the notebook in view as a person does."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def test_torch_and_sklearn_are_recorded_by_clicking(
    jupyter: Jupyter, browser: Browser, open_lab: Callable[..., Page]
) -> None:
    """A plain loop grows in the panel while it trains; fits become runs and a model at its place."""
    examples = ROOT / "example_notebooks"
    shutil.copy(examples / SKLEARN, jupyter.root)
    whole = (examples / TORCH).read_text(encoding="utf-8")
    shorter = whole.replace("n_epochs = 12", "n_epochs = 3")
    (jupyter.root / TORCH).write_text(shorter, encoding="utf-8")
    page = open_lab(TORCH)
    page.get_by_role("tab", name="MLOps").click()
    panel = page.locator("#jp-mlops-panel")
    panel.get_by_role("heading", name="Models").click()
    run_all_cells(page)

    # Meanwhile another kernel works too.
    page.locator(".jp-DirListing-item", has_text=SKLEARN).dblclick()
    expect(panel.get_by_text(SKLEARN)).to_be_visible()
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
    run_all_cells(page)
    rows = panel.get_by_role("list", name="Runs").get_by_role("listitem")
    forest = rows.filter(has_text="RandomForestClassifier")
    expect(forest).to_contain_text("roc_auc", timeout=90_000)
    models = panel.get_by_role("list", name="Models").get_by_role("listitem")
    expect(models).to_contain_text("champion v1", timeout=60_000)
    browser.shoot("real-sklearn")

    page.locator(".lm-DockPanel-tabBar").get_by_text(TORCH).click()
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=90_000)
    expect(rows).to_contain_text("val_acc")
    rows.get_by_role("button").first.click()
    rows.get_by_role("button", name="Open", exact=True).click()
    run = page.get_by_role("region", name="Run Sequential")
    expect(run.get_by_text("macro_f1").first).to_be_visible()
    expect(run.get_by_role("img", name="loss over").first).to_be_visible()
    browser.shoot("real-torch")

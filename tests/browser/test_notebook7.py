"""The same panel in Notebook 7."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Browser, Jupyter, run_cell

pytestmark = pytest.mark.timeout(180)

CELL = """\
%load_ext mlops_nb
import mlops_nb as mlops
for name in ("before", "in notebook 7"):
    with mlops.start_run(name):
        mlops.log_metric("accuracy", 0.875)"""


def test_panel_works_in_notebook_7(jupyter: Jupyter, browser: Browser) -> None:
    """The button of the notebook's toolbar opens the panel, and a run appears in it."""
    page = browser.page
    page.goto(jupyter.address("notebooks", jupyter.write_notebook("classic.ipynb", CELL)))
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.get_by_role("button", name="Show the runs of this notebook").click()
    panel = page.locator("#jp-mlops-panel")
    expect(panel.get_by_text("This notebook has no runs yet")).to_be_visible()
    run_cell(page)
    row = panel.get_by_role("listitem").filter(has_text="in notebook 7")
    expect(row).to_contain_text("0.875")
    assert browser.find_axe_violations("#jp-mlops-panel") == []
    browser.shoot("runs-notebook7")

    # There is room for one document only; the run opens below it.
    row.get_by_role("button").click()
    row.get_by_role("button", name="Open", exact=True).click()
    opened = page.get_by_role("region", name="Run in notebook 7")
    expect(opened.get_by_role("heading", name="in notebook 7")).to_be_in_viewport()
    expect(page.locator(".jp-Notebook .jp-Cell").first).to_be_visible()
    browser.shoot("run-page-notebook7")

    # What is opened next is in front; what is shown already is not hidden by asking for it.
    card = page.locator(".jp-MLOpsRunCard")
    card.get_by_role("button", name="before").click()
    expect(page.get_by_role("heading", name="before")).to_be_in_viewport()
    card.get_by_role("button", name="Open the panel").click()
    expect(panel).to_be_visible()

    # Which sections are unfolded is known after a reload.
    models = panel.get_by_role("heading", name="Models")
    models.click()
    expect(models).to_have_attribute("aria-expanded", "true")
    page.reload()
    page.get_by_role("button", name="Show the runs of this notebook").click()
    expect(models).to_have_attribute("aria-expanded", "true")


def test_file_list_of_notebook_7_is_left_alone(jupyter: Jupyter, browser: Browser) -> None:
    """A page without a notebook shows nothing of ours, asks nothing and throws nothing."""
    page = browser.page
    page.goto(jupyter.address("tree"))
    page.locator(".jp-FileBrowser").first.wait_for()
    page.wait_for_timeout(1000)
    expect(page.locator("#jp-mlops-panel")).to_be_hidden()
    assert not [url for url in browser.requests if "/mlops-nb/" in url]

"""The section "Pipeline": from an untagged notebook to executed steps, by clicking."""

from __future__ import annotations

from collections.abc import Callable

import nbformat
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Browser, Jupyter, check_in_all_themes

pytestmark = pytest.mark.timeout(180)

CELLS = (
    "import time",
    "rows = [1, 2, 3]",
    "total = sum(rows)",
    "names = [str(row) for row in rows]",
    "print(total, names)",
    "print(total)\ntime.sleep(600)",
)
TAGS = ("imports", "step:load", "step:total", "step:names", "step:tell")


def test_notebook_becomes_a_pipeline_by_clicking(
    jupyter: Jupyter, browser: Browser, open_lab: Callable[..., Page]
) -> None:
    """Cells are tagged, steps run and are cached, one is cancelled, and a wrong tag is found."""
    name = jupyter.write_notebook("steps.ipynb", *CELLS)
    book = jupyter.read_notebook(name)
    for cell, tag in zip(book.cells, TAGS, strict=False):
        cell.metadata["tags"] = [tag]
    nbformat.write(book, jupyter.root / name)
    page = open_lab(name)
    page.get_by_role("tab", name="MLOps").click()
    panel = page.locator("#jp-mlops-panel")
    panel.get_by_role("heading", name="Pipeline").click()
    panel.get_by_role("heading", name="Runs of this notebook").click()
    steps = panel.get_by_role("list", name="Steps").get_by_role("listitem")
    expect(steps).to_have_count(4)

    # The last cell becomes a step of its own, saved with its tag.
    page.locator(".jp-Notebook:visible .jp-CodeCell").last.click()
    panel.get_by_label("What the cell is for").select_option("step")
    panel.get_by_label("Name of the step").fill("slow")
    panel.get_by_role("button", name="Tag and save").click()
    expect(steps).to_have_count(5)
    saved = jupyter.read_notebook(name)
    assert saved.cells[-1].metadata["tags"] == ["step:slow"]
    marked = page.locator(".jp-Notebook:visible .jp-Cell[data-mlops-step]")
    expect(marked).to_have_count(5)  # each cell that names a step, but not the one with imports
    expect(marked.last).to_have_attribute("data-mlops-step", "slow")

    panel.get_by_role("button", name="Run", exact=True).click()
    expect(steps.last).to_contain_text("Running")
    expect(steps.nth(3)).to_contain_text("Done")
    steps.nth(3).get_by_role("button").first.click()
    expect(steps.nth(3).get_by_role("button", name="cell 3, line 1")).to_be_visible()
    check_in_all_themes(browser, "#jp-mlops-panel", "pipeline")
    panel.get_by_role("button", name="Cancel").click()
    # What does not heed the interrupt is killed after twenty seconds.
    expect(panel.get_by_text("Cancelled")).to_be_visible(timeout=45_000)
    expect(steps.last).to_contain_text("Failed")
    steps.nth(3).get_by_role("button", name="Open executed").click()
    expect(page.get_by_text("6 ['1', '2', '3']")).to_be_visible()
    page.locator(".lm-DockPanel-tabBar").get_by_text("steps.ipynb", exact=True).click()

    # What cannot be kept is said with its cell; without it the steps are back, and have not changed.
    page.locator(".jp-Notebook:visible .jp-CodeCell").nth(1).click()
    panel.get_by_label("Also waits for").fill("nobody")
    panel.get_by_role("button", name="Tag and save").click()
    expect(panel.get_by_text("'after:nobody' names no step")).to_be_visible()
    browser.shoot("pipeline-problem")
    page.locator(".jp-Notebook:visible .jp-CodeCell").last.click()
    panel.get_by_role("button", name="Go to cell 2").click()
    expect(panel.get_by_text("Active cell 2")).to_be_visible()
    panel.get_by_label("Also waits for").fill("")
    panel.get_by_role("button", name="Tag and save").click()
    expect(steps.first).to_contain_text("Cached")

"""Notebooks that cannot be written, and that are not Python: the panel says so, and asks for nothing."""

from __future__ import annotations

import json
from collections.abc import Callable

import nbformat
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Browser, Jupyter, check_in_all_themes

pytestmark = pytest.mark.timeout(180)


def write_foreign_notebook(jupyter: Jupyter, name: str) -> str:
    """Write a notebook in R, whose kernel this machine does not have."""
    cells = [nbformat.v4.new_code_cell(source) for source in ("x <- c(1, 2)", "summary(x)")]
    cells[0].metadata["tags"] = ["step:<b>load</b>"]
    kernel = {"name": "no-such-r", "display_name": "R", "language": "R"}
    language = {"name": "R", "file_extension": ".r", "mimetype": "text/x-r-source"}
    book = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": kernel, "language_info": language}
    )
    nbformat.write(book, jupyter.root / name)
    return name


def forbid_writing(route: Route) -> None:
    """Answer as for a file that the server may not write."""
    answer = route.fetch()
    found = answer.json()
    if isinstance(found, dict):
        found["writable"] = False
    route.fulfill(response=answer, body=json.dumps(found))


def open_section(page: Page, name: str) -> Locator:
    """Show the panel with a section, and give the panel."""
    ask = "name => void window.jupyterapp.commands.execute('mlops:show-section', {section: name})"
    page.evaluate(ask, name)
    panel = page.locator("#jp-mlops-panel")
    expect(panel).to_be_visible()
    return panel


def test_notebook_that_cannot_be_written(
    jupyter: Jupyter, browser: Browser, open_lab: Callable[..., Page]
) -> None:
    """No tag can be set, nothing is saved, and the rest is there."""
    browser.page.route("**/api/contents/fixed.ipynb*", forbid_writing)
    page = open_lab(jupyter.write_notebook("fixed.ipynb", "x = 1", "print(x)"))
    panel = open_section(page, "pipeline")
    expect(panel.get_by_text("This notebook cannot be written")).to_be_visible()
    expect(panel.get_by_text("It runs as one step.")).to_be_visible()
    expect(panel.get_by_role("button", name="Propose steps")).to_have_count(0)
    check_in_all_themes(browser, "#jp-mlops-panel", "pipeline-read-only")


def test_notebook_that_is_not_python(jupyter: Jupyter, browser: Browser) -> None:
    """Each section that needs Python says that the notebook has another language."""
    page = browser.page
    name = write_foreign_notebook(jupyter, "r.ipynb")
    page.goto(jupyter.address("lab/workspaces/foreign/tree", name))
    dialog = page.locator(".jp-Dialog")  # there is no such kernel
    dialog.get_by_role("combobox").select_option(label="No Kernel")
    dialog.locator(".jp-mod-accept").click()
    panel = open_section(page, "runs")
    expect(panel.get_by_text("Runs that others record for it appear here.")).to_be_visible()
    open_section(page, "notebook")
    expect(panel.get_by_text("Runs that others recorded for it are listed")).to_be_visible()
    open_section(page, "pipeline")
    expect(panel.get_by_text("Only Python notebooks can run as pipelines.")).to_be_visible()
    expect(panel.get_by_role("button", name="Verify")).to_have_count(0)
    expect(panel.get_by_text("%load_ext")).to_have_count(0)
    check_in_all_themes(browser, "#jp-mlops-panel", "not-python")

"""What the panel lives through: another place, another name, a second page, a store or a server that goes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Browser, Jupyter, Server, open_in_lab, run_cell

pytestmark = pytest.mark.timeout(180)

LOAD = "%load_ext mlops_nb\nimport mlops_nb as mlops"
RUN = 'with mlops.start_run("{}"):\n    mlops.log_metric("accuracy", {})'
EMPTY = "This notebook has no runs yet"


def open_panel(page: Page) -> Locator:
    """Open the panel by a click on its tab."""
    page.get_by_role("tab", name="MLOps").click()
    panel = page.locator("#jp-mlops-panel")
    expect(panel).to_be_visible()
    return panel


def find_runs(panel: Locator) -> Locator:
    """Find the rows of the list of runs."""
    return panel.get_by_role("list", name="Runs").locator("> li")


def test_panel_is_moved_and_notebook_renamed(
    jupyter: Jupyter, browser: Browser, open_lab: Callable[..., Page], tmp_path: Path
) -> None:
    """The panel works on at the left, under another name, and beside a kernel that records elsewhere."""
    other = f"%env MLOPS_NB_STORE={tmp_path / 'other'}\n{LOAD}"
    jupyter.write_notebook("elsewhere.ipynb", other, RUN.format("far away", 0.25))
    names = ("before", "moved", "renamed")
    cells = [RUN.format(name, 0.5) for name in names]
    page = open_lab(jupyter.write_notebook("old-name.ipynb", LOAD, *cells))
    panel = open_panel(page)
    rows = find_runs(panel)
    run_cell(page, 0)
    run_cell(page, 1)
    expect(rows.filter(has_text="before")).to_contain_text("Finished")

    page.get_by_role("tab", name="MLOps").click(button="right")
    page.get_by_role("menuitem", name="Switch Sidebar Side").click()
    expect(page.locator("#jp-left-stack #jp-mlops-panel")).to_be_visible()
    expect(rows).to_have_count(1)
    run_cell(page, 2)
    expect(rows.filter(has_text="moved")).to_contain_text("Finished")
    browser.shoot("survival-left")

    # Renamed while its kernel lives: its runs keep the old name, which is said, and are a click away.
    page.evaluate("void window.jupyterapp.commands.execute('docmanager:rename')")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("new-name.ipynb")
    dialog.get_by_role("button", name="Rename").click()
    expect(panel.get_by_text("new-name.ipynb")).to_be_visible()
    expect(panel.get_by_text("that was renamed stand under its old name")).to_be_visible()
    panel.get_by_role("button", name="Show the runs of all notebooks").click()
    expect(rows).to_have_count(2)
    run_cell(page, 3)
    expect(rows.filter(has_text="renamed")).to_contain_text("Finished")

    # A second notebook, whose kernel records into a store that the server does not read.
    page.evaluate(
        "void window.jupyterapp.commands.execute('docmanager:open', {path: 'elsewhere.ipynb'})"
    )
    expect(panel.get_by_text("elsewhere.ipynb")).to_be_visible()
    expect(panel.get_by_text(EMPTY)).to_be_visible()
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
    run_cell(page, 0)
    run_cell(page, 1)
    card = page.locator(".jp-MLOpsRunCard:visible")
    expect(card).to_contain_text("far away")
    # What it recorded cannot be listed; where the server looked is said.
    panel.get_by_text("Did you expect runs here?").click()
    expect(panel.get_by_text(f"looked in the store {jupyter.root / '.mlops'}")).to_be_visible()
    expect(panel.get_by_text("MLOPS_NB_STORE names another folder")).to_be_visible()
    browser.shoot("survival-elsewhere")
    card.get_by_role("button", name="Open this run").click()
    expect(page.get_by_role("region", name="Run far away")).to_contain_text("no run '")
    page.locator(".lm-DockPanel-tabBar").get_by_text("new-name.ipynb").click()
    expect(panel.get_by_text("new-name.ipynb")).to_be_visible()
    page.get_by_role("tab", name="MLOps").click(button="right")
    page.get_by_role("menuitem", name="Switch Sidebar Side").click()
    expect(page.locator("#jp-right-stack #jp-mlops-panel")).to_be_visible()


def test_two_pages_and_a_store_that_is_deleted(jupyter: Jupyter, browser: Browser) -> None:
    """What is done in one page shows in the other; both outlive the store."""
    cells = [RUN.format(name, 0.75) for name in ("first", "second", "third")]
    name = jupyter.write_notebook("shared.ipynb", LOAD, *cells)
    one = open_in_lab(browser.page, jupyter, name)
    here = open_panel(one)
    run_cell(one, 0)
    run_cell(one, 1)
    two = browser.open_page()
    open_in_lab(two, jupyter, name, workspace="beside")
    there = open_panel(two)
    ours, theirs = find_runs(here), find_runs(there)
    expect(theirs.filter(has_text="first")).to_be_visible()

    ours.get_by_role("button").first.click()
    ours.get_by_role("button", name="Rename").click()
    one.keyboard.type("best")
    one.keyboard.press("Enter")
    expect(theirs.filter(has_text="best")).to_be_visible()
    theirs.get_by_role("button").first.click()
    ours.get_by_role("button", name="Tag").click()
    one.keyboard.type("owner")
    one.keyboard.press("Tab")
    one.keyboard.type("Ada")
    one.keyboard.press("Enter")
    expect(theirs).to_contain_text("Ada")
    theirs.get_by_role("button", name="Delete").click()
    expect(here.get_by_text(EMPTY)).to_be_visible()
    there.get_by_role("button", name="Undo").click()
    expect(ours.filter(has_text="best")).to_be_visible()
    run_cell(two, 2)  # in the kernel that both have
    for rows in (ours, theirs):
        expect(rows.filter(has_text="second")).to_contain_text("Finished")

    shutil.rmtree(jupyter.root / ".mlops")
    for panel in (here, there):
        panel.get_by_text("Did you expect runs here?").click()
        expect(panel.get_by_text(f"no store at {jupyter.root / '.mlops'}")).to_be_visible()
    browser.shoot("survival-deleted")
    assert browser.find_axe_violations("#jp-mlops-panel") == []
    run_cell(one, 3)
    for rows in (ours, theirs):
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text("third")


def test_server_is_stopped_and_started_again(
    server: Server, browser: Browser, open_lab: Callable[..., Page]
) -> None:
    """The panel says that the server is away, keeps what it shows, and goes on by itself."""
    cells = [RUN.format(name, 0.75) for name in ("before", "after")]
    page = open_lab(server.jupyter.write_notebook("restart.ipynb", LOAD, *cells))
    panel = open_panel(page)
    rows = find_runs(panel)
    run_cell(page, 0)
    run_cell(page, 1)
    expect(rows).to_contain_text("Finished")

    server.stop()
    alert = panel.get_by_role("alert")
    expect(alert).to_contain_text("The server does not answer")
    expect(alert).to_contain_text("goes on by itself as soon as it answers")
    expect(rows).to_contain_text("Finished")
    browser.shoot("survival-stopped")

    server.start()
    expect(alert).to_be_hidden()
    expect(rows).to_have_count(1)
    # JupyterLab says it in its own words; the kernel has ended, and the page finds it no more.
    page.locator(".jp-Dialog").get_by_role("button", name="Close").click()
    page.goto(page.url.split("?")[0])
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
    expect(rows).to_have_count(1)
    run_cell(page, 0)
    run_cell(page, 2)
    expect(rows.filter(has_text="after")).to_contain_text("Finished")

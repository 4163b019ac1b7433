"""The panel by keyboard: palette, keys and settings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Browser, Jupyter, check_in_all_themes

pytestmark = pytest.mark.timeout(180)


def test_panel_is_steered_by_keyboard(
    jupyter: Jupyter, browser: Browser, open_lab: Callable[..., Page]
) -> None:
    """A cell is tagged, its pipeline run, a section shown and another left out without a mouse."""
    name = jupyter.write_notebook("keys.ipynb", "rows = [1, 2]", "print(sum(rows))")
    page = open_lab(name)
    panel = page.locator("#jp-mlops-panel")
    cell = page.locator(".jp-Notebook .jp-CodeCell").first
    cell.locator(".jp-InputPrompt").click()  # command mode
    page.keyboard.press("Alt+Shift+KeyT")
    dialog = page.get_by_role("dialog")
    browser.shoot("command-tag")
    dialog.get_by_role("textbox").fill("load")
    page.keyboard.press("Enter")
    expect(cell).to_have_attribute("data-mlops-step", "load")
    page.keyboard.press("Alt+Shift+KeyP")
    steps = panel.get_by_role("list", name="Steps").get_by_role("listitem")
    expect(steps.first).to_contain_text("Done")
    saved = jupyter.read_notebook(name)
    assert saved.cells[0].metadata["tags"] == ["step:load"]

    # How the step runs is said in the property inspector.
    page.get_by_role("tab", name="Property Inspector").click()
    tool = page.locator(".jp-MLOpsStepTool")
    if not tool.is_visible():
        page.get_by_text("MLOps step").click()
    tool.get_by_label("Tried again up to").fill("1")
    tool.get_by_label("Earlier result").select_option("Is never used")
    check_in_all_themes(browser, ".jp-MLOpsStepTool", "inspector")
    tool.get_by_role("button", name="Tag and save").click()
    wanted = ["step:load", "retries:1", "cache:disabled"]
    for _ in range(100):
        saved = jupyter.read_notebook(name)
        if saved.cells[0].metadata["tags"] == wanted:
            break
        page.wait_for_timeout(100)  # it is being written
    else:
        pytest.fail(str(saved.cells[0].metadata))

    page.keyboard.press("Control+Shift+KeyC")
    page.keyboard.type("Show the Models")
    browser.shoot("command-palette")
    page.keyboard.press("Enter")
    expect(panel.get_by_text("No model is registered")).to_be_visible()

    # What is unticked in the settings goes at once, and the marks with it.
    page.evaluate("void window.jupyterapp.commands.execute('settingeditor:open', {query: 'MLOps'})")
    form = page.locator("#SettingsEditor, .jp-SettingsPanel").last
    form.get_by_label("Models").uncheck()
    expect(panel.get_by_role("heading", name="Models")).to_have_count(0)
    form.get_by_label("Steps in notebooks").uncheck()
    browser.shoot("settings")
    expect(cell).not_to_have_attribute("data-mlops-step", "load")

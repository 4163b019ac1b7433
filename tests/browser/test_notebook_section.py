"""The sections about the notebook in view: what it does, and which data and environments it used."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Browser, Jupyter, check_in_all_themes, run_cell

pytestmark = pytest.mark.timeout(180)

TITLE = re.compile("^This notebook")

LOAD = "import time\nimport mlops_nb as mlops\nrows = list(range(4))"
TOTAL = "total = sum(rows)  # <b>of all</b>"
TRAIN = """\
with mlops.start_run("<i>live</i> \u0645\u0631\u062d\u0628\u0627"):
    for step in range(40):
        mlops.log_metric("loss", 1 / (step + 3), step=step)
        time.sleep(0.05)"""
USE = """\
%load_ext mlops_nb
import os
import mlops_nb as mlops
import pandas as pd
for rows in (3, 4):
    os.environ["TZ"] = f"Etc/GMT+{rows}"
    with mlops.start_run(f"<i>of {rows}</i>") as run:
        mlops.snapshot_data(pd.DataFrame({"<b>age</b>": range(rows)}), "people")
        run.log_environment(mlops.snapshot_environment()["digest"])"""


def test_recording_and_order_by_clicking(
    jupyter: Jupyter, browser: Browser, open_lab: Callable[..., Page]
) -> None:
    """Nobody types a magic: a click records; what ran out of order is named and reached by a click."""
    page = open_lab(jupyter.write_notebook("order.ipynb", LOAD, TOTAL, TRAIN))
    page.get_by_role("tab", name="MLOps").click()
    panel = page.locator("#jp-mlops-panel")
    panel.get_by_role("heading", name="Runs of this notebook").click()
    panel.get_by_role("heading", name=TITLE).click()
    switch = panel.get_by_role("switch", name="Recording")
    expect(switch).not_to_be_checked()
    browser.shoot("notebook-off")
    switch.press("Space")
    expect(switch).to_be_checked()
    for place in range(3):
        run_cell(page, place)
    live = panel.get_by_role("list", name="Under way")
    expect(live).to_contain_text("<i>live</i>")
    expect(live.get_by_role("img", name="loss over steps 0 to")).to_be_visible()
    browser.shoot("notebook-live")
    expect(panel.get_by_role("list", name="Last run")).to_contain_text("Finished")
    expect(panel.get_by_text("None: what has run")).to_be_visible()

    run_cell(page, 0)
    cells = panel.get_by_role("list", name="Cells to run again").get_by_role("button")
    expect(cells).to_have_count(1)
    expect(cells).to_contain_text("Cell 2 [2] total = sum(rows)  # <b>of all</b>")
    expect(panel.get_by_text("Cell 1 has set “rows” anew since.")).to_be_visible()
    page.locator(".jp-Notebook:visible .jp-CodeCell").last.locator(".cm-content").click()
    page.keyboard.type(" ")
    expect(cells).to_have_count(1)  # a blank at the end is no edit
    page.keyboard.type("# edited")
    expect(cells).to_have_count(2)
    check_in_all_themes(browser, "#jp-mlops-panel", "notebook-order")
    cells.first.press("Enter")
    active = page.locator(".jp-Notebook:visible .jp-Cell.jp-mod-active")
    expect(active).to_contain_text("total = sum(rows)")

    switch.click()
    expect(switch).not_to_be_checked()
    expect(panel.get_by_text("only what you log by hand")).to_be_visible()
    page.evaluate("void window.jupyterapp.commands.execute('notebook:restart-kernel')")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(panel.get_by_text("Switch it on, and each model")).to_be_visible()
    expect(cells).to_have_count(0)


def test_strange_notebooks_and_servers(
    jupyter: Jupyter, browser: Browser, open_lab: Callable[..., Page]
) -> None:
    """A thousand cells, names without end and every failure of the server leave the page at work."""
    wide = "n" * 10_000
    sources = [
        f"v0 = {wide} = int('1')",
        f"{wide} + v0",
        *(f"v{place} = v0" for place in range(2, 1000)),
    ]
    page = open_lab(jupyter.write_notebook("thousand.ipynb", *sources))
    page.get_by_role("tab", name="MLOps").click()
    panel = page.locator("#jp-mlops-panel")
    panel.get_by_role("heading", name="Runs of this notebook").click()

    def answer(status: int, body: str) -> Callable[[Route], None]:
        return lambda route: route.fulfill(status=status, body=body)

    asked: list[Route] = []
    page.route("**/mlops-nb/notebook*", lambda route: asked.append(route))  # no answer
    panel.get_by_role("heading", name=TITLE).click()
    expect(panel.get_by_role("status", name="Loading")).to_be_visible()
    alert = panel.get_by_role("alert")
    asked[0].abort()
    expect(alert).to_contain_text("does not answer")
    for handler, words in (
        (answer(403, "{}"), "refused"),
        (answer(404, '{"message": "Not Found"}'), "pip install mlops-nb"),
        (answer(500, '{"error": "InternalError", "message": "<b>x</b>", "hint": ""}'), "<b>x</b>"),
        (answer(200, json.dumps({"executions": 3})), "makes no sense"),
    ):
        page.route("**/mlops-nb/notebook*", handler)
        alert.get_by_role("button", name="Try again").click()
        expect(alert).to_contain_text(words)
    browser.shoot("notebook-trouble")
    assert browser.find_axe_violations("#jp-mlops-panel") == []
    page.unroute("**/mlops-nb/notebook*")
    for _ in range(2):  # who looks again asks at once
        panel.get_by_role("heading", name=TITLE).click()
    switch = panel.get_by_role("switch", name="Recording")
    switch.click()
    expect(switch).to_be_checked()
    for place in (0, 1, 0):
        run_cell(page, place)
    cells = panel.get_by_role("list", name="Cells to run again").get_by_role("listitem")
    expect(cells.first).to_contain_text("Cell 2 [2] nnn")
    expect(cells.first).to_contain_text("Cell 1 has set “nnn")
    browser.shoot("notebook-thousand")


def test_versions_and_environments_are_compared(
    jupyter: Jupyter, browser: Browser, open_lab: Callable[..., Page]
) -> None:
    """Two versions of one frame stand side by side, and so do two environments."""
    page = open_lab(jupyter.write_notebook("data.ipynb", USE))
    page.get_by_role("tab", name="MLOps").click()
    panel = page.locator("#jp-mlops-panel")
    panel.get_by_role("heading", name="Runs of this notebook").click()
    panel.get_by_role("heading", name="Data & environment").click()
    expect(panel.get_by_text("The data that its runs use")).to_be_visible()
    run_cell(page)
    expect(panel.get_by_role("row", name="TZ Etc/GMT+3 Etc/GMT+4")).to_be_visible()
    panel.get_by_role("button", name="people").press("Enter")
    expect(panel.get_by_role("row", name="Rows 3 4")).to_be_visible()
    panel.get_by_role("button", name="Show what the columns hold").click()
    expect(panel.get_by_role("row").filter(has_text="<b>age</b>")).to_contain_text("1 → 1.5")
    check_in_all_themes(browser, "#jp-mlops-panel", "data")
    panel.get_by_role("button", name="<i>of 4</i>").click()
    expect(page.get_by_role("heading", name="<i>of 4</i>")).to_be_visible()

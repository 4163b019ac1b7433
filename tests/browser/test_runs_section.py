"""The section "Runs of this notebook", as a person uses it in JupyterLab."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Browser, Jupyter, check_in_all_themes, run_cell

pytestmark = pytest.mark.timeout(180)

# As another tab of the browser does to a page.
HIDE = """() => {
  Object.defineProperty(document, 'hidden', {value: true});
  Object.defineProperty(document, 'visibilityState', {value: 'hidden'});
  document.dispatchEvent(new Event('visibilitychange'));
}"""
OpenLab = Callable[..., Page]
LOAD = "%load_ext mlops_nb\nimport time\nimport mlops_nb as mlops"
TRAIN = """\
with mlops.start_run("baseline"):
    mlops.log_params({"model": "logistic", "C": 0.5, "note": "<img src=x onerror=alert(1)>"})
    for step in range(40):
        mlops.log_metric("accuracy", 0.9 + step / 1000, step=step)
        mlops.log_metric("loss", 1 / (step + 3), step=step)
        time.sleep(0.1)"""
FAIL = """\
with mlops.start_run("too deep"):
    mlops.log_metric("accuracy", 0.71234567)
    raise RuntimeError("as planned")"""


def open_panel(page: Page) -> Locator:
    """Open the panel by a click on its tab, as a person would."""
    page.get_by_role("tab", name="MLOps").click()
    panel = page.locator("#jp-mlops-panel")
    expect(panel).to_be_visible()
    return panel


def test_run_appears_live(jupyter: Jupyter, browser: Browser, open_lab: OpenLab) -> None:
    """A run shows up while its cell runs, changes as it logs, and ends as it ended."""
    page = open_lab(jupyter.write_notebook("live.ipynb", LOAD, TRAIN, FAIL))
    panel = open_panel(page)
    expect(panel.get_by_text("This notebook has no runs yet")).to_be_visible()
    assert browser.find_axe_violations("#jp-mlops-panel") == []
    browser.shoot("runs-empty-light")

    run_cell(page, 0)
    run_cell(page, 1)
    row = panel.get_by_role("listitem").filter(has_text="baseline")
    expect(row).to_contain_text("Running")
    expect(panel.get_by_text("Live", exact=True)).to_be_visible()
    value = row.locator(".jp-MLOpsRun-metricValue").first
    seen = value.inner_text()
    expect(value).not_to_have_text(seen, timeout=3000)
    browser.shoot("runs-running-light")
    expect(row).to_contain_text("Finished", timeout=10_000)
    expect(value).to_have_text("0.939")

    run_cell(page, 2)
    failed = panel.get_by_role("listitem").filter(has_text="too deep")
    expect(failed).to_contain_text("Failed")
    expect(failed).to_contain_text("0.7123")
    expect(panel.get_by_text("Live", exact=True)).to_be_hidden()

    # Newest first; arrows move between rows, Enter opens one.
    failed.get_by_role("button").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(row.get_by_text("logistic")).to_be_visible()
    expect(row.get_by_text("<img src=x")).to_be_visible()
    check_in_all_themes(browser, "#jp-mlops-panel, .jp-MLOpsRunCard", "runs")

    # The card under a cell leads to the page of its run.
    card = page.locator(".jp-MLOpsRunCard").first
    expect(card).to_contain_text("accuracy0.939")
    card.get_by_role("button", name="Open this run").click()
    expect(page.get_by_role("region", name="Run baseline")).to_contain_text("0.939")


def test_hidden_panel_asks_nothing(jupyter: Jupyter, browser: Browser, open_lab: OpenLab) -> None:
    """Nobody looks: not one request, even while a run logs. Somebody looks: it is there at once."""
    page = open_lab(jupyter.write_notebook("hidden.ipynb", LOAD, TRAIN))
    run_cell(page, 0)
    run_cell(page, 1)
    page.wait_for_timeout(2500)
    assert not [url for url in browser.requests if "/mlops-nb/" in url]
    panel = open_panel(page)
    expect(panel.get_by_role("listitem").filter(has_text="baseline")).to_be_visible(timeout=3000)
    page.get_by_role("tab", name="MLOps").click()
    expect(panel).to_be_hidden()
    browser.requests.clear()
    page.wait_for_timeout(2500)
    assert not [url for url in browser.requests if "/mlops-nb/" in url]

    # The panel is there, but the browser shows another tab; what the server tells asks nothing either.
    page.get_by_role("tab", name="MLOps").click()
    expect(panel).to_be_visible()
    page.evaluate(HIDE)
    page.wait_for_timeout(1000)  # what was under way has come
    browser.requests.clear()
    run_cell(page, 1)
    page.wait_for_timeout(2500)
    assert not [url for url in browser.requests if "/mlops-nb/" in url]


def test_panel_follows_notebook_restart_and_reload(
    jupyter: Jupyter, browser: Browser, open_lab: OpenLab
) -> None:
    """It shows the notebook in view, and outlives kernel and page."""
    short = 'with mlops.start_run("{}"):\n    mlops.log_metric("acc", {})'
    jupyter.write_notebook("one.ipynb", LOAD, short.format("of-one", 0.5))
    page = open_lab(jupyter.write_notebook("two.ipynb", LOAD, short.format("of-two", 0.25)))
    panel = open_panel(page)
    run_cell(page, 0)
    run_cell(page, 1)
    expect(panel.get_by_role("listitem").filter(has_text="of-two")).to_contain_text("Finished")

    page.evaluate("void window.jupyterapp.commands.execute('docmanager:open', {path: 'one.ipynb'})")
    expect(panel.get_by_text("one.ipynb")).to_be_visible()
    expect(panel.get_by_text("This notebook has no runs yet")).to_be_visible()
    page.locator(".lm-DockPanel-tabBar").get_by_text("two.ipynb").click()
    expect(panel.get_by_role("listitem").filter(has_text="of-two")).to_be_visible()

    page.evaluate("void window.jupyterapp.commands.execute('notebook:restart-clear-output')")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    page.locator(".jp-Dialog").wait_for(state="hidden")
    page.wait_for_timeout(1500)
    run_cell(page, 0)
    run_cell(page, 1)
    expect(panel.get_by_role("listitem")).to_have_count(2)

    page.evaluate("void window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_timeout(1500)  # the layout is kept a moment after it has changed
    page.goto(page.url.split("?")[0])
    panel = page.locator("#jp-mlops-panel")
    expect(panel).to_be_visible()
    expect(panel.get_by_role("listitem")).to_have_count(2)


def test_trouble_is_said_and_passes(jupyter: Jupyter, browser: Browser, open_lab: OpenLab) -> None:
    """A missing server extension, a broken answer and a dead server are told apart, and end by themselves."""
    page = open_lab(jupyter.write_notebook("trouble.ipynb", LOAD))

    def answer(status: int, body: str) -> Callable[[Route], None]:
        return lambda route: route.fulfill(status=status, body=body)

    page.route("**/mlops-nb/**", answer(404, '{"message": "Not Found"}'))
    panel = open_panel(page)
    alert = panel.get_by_role("alert")
    expect(alert).to_contain_text("pip install mlops-nb")
    browser.shoot("runs-missing-light")
    assert browser.find_axe_violations("#jp-mlops-panel") == []
    for handler, words in (
        (answer(200, "<html>a proxy</html>"), "makes no sense"),
        (answer(403, "{}"), "refused"),
        (
            answer(
                409, '{"error": "StoreError", "message": "found <b>this</b>", "hint": "do that"}'
            ),
            "<b>this</b>",
        ),
        (lambda route: route.abort(), "does not answer"),
    ):
        # The newest route answers first; without any, the next poll would take the alert away.
        page.route("**/mlops-nb/**", handler)
        alert.get_by_role("button", name="Try again").click()
        expect(alert).to_contain_text(words)
    page.unroute("**/mlops-nb/**")
    page.route("**/mlops-nb/status*", answer(200, '{"version": "9.9.9", "store": ""}'))
    expect(panel.get_by_text("The server runs mlops_nb 9.9.9")).to_be_visible()
    expect(alert).to_be_hidden()
    browser.shoot("runs-foreign-light")

"""What a person does with runs: find, order, compare, rename, tag, delete, open."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Browser, Jupyter, check_in_all_themes, run_cell

pytestmark = pytest.mark.timeout(240)

RUNS = r"""
%load_ext mlops_nb
import math
from pathlib import Path
import mlops_nb as mlops
Path("roc.svg").write_text(
    '<svg xmlns="http://www.w3.org/2000/svg" width="240" height="160">'
    '<script>document.title = "evil"</script>'
    '<path d="M20 140C30 30 90 20 220 20" fill="none" stroke="teal" stroke-width="4"/></svg>')
for name, rate, top in (("slow", 0.01, 0.81), ("fast", 0.3, 0.93), ("<b>bold</b>", 3.0, 0.42)):
    with mlops.start_run(name):
        mlops.log_params({"rate": rate, "model": "net", "note": "<img src=x onerror=alert(1)>"})
        for step in range(300):
            mlops.log_metric("train/loss", top + math.exp(-step / 60), step=step)
        mlops.log_metric("accuracy", top)
        mlops.log_artifact("roc.svg")
"""


def find_order(panel: Locator) -> list[str]:
    """Name the runs of the list from first to last."""
    return panel.locator(".jp-MLOpsRun-name").all_inner_texts()


def test_runs_are_found_compared_changed_and_opened(
    jupyter: Jupyter, browser: Browser, open_lab: Callable[..., Page]
) -> None:
    """From three runs to the one that matters, by keyboard and mouse, and nothing of it is lost."""
    page = open_lab(jupyter.write_notebook("steer.ipynb", RUNS))
    run_cell(page, 0)
    page.get_by_role("tab", name="MLOps").click()
    panel = page.locator("#jp-mlops-panel")
    rows = panel.get_by_role("listitem")
    expect(rows).to_have_count(3)
    expect(rows.filter(has_text="Finished")).to_have_count(3)

    # Filter: what is wrong with it is said, names are completed, order and columns are chosen.
    box = panel.get_by_role("combobox", name="Filter runs")
    box.fill("metrics.accuracy >")
    box.press("Enter")
    expect(panel.get_by_role("alert")).to_contain_text("the end")
    expect(rows).to_have_count(3)
    box.fill("")
    box.press_sequentially("accu")
    box.press("ArrowDown")
    browser.shoot("runs-completion")
    box.press("Enter")
    expect(box).to_have_value("metrics.accuracy ")
    box.press_sequentially("> 0.8")
    box.press("Enter")
    expect(rows).to_have_count(2)
    expect(panel.get_by_role("alert")).to_be_hidden()
    panel.get_by_label("Order of runs").select_option("Highest accuracy")
    expect(rows.first).to_contain_text("fast")
    assert find_order(panel) == ["fast", "slow"]
    panel.get_by_text("Columns").click()
    panel.get_by_role("checkbox", name="params.rate").check()
    panel.get_by_role("checkbox", name="metrics.train/loss").check()
    expect(rows.first).to_contain_text("rate 0.3")
    check_in_all_themes(browser, "#jp-mlops-panel", "runs-steering")
    panel.get_by_text("Columns").click()

    # Compare: what differs comes first, what is the same on demand.
    panel.get_by_role("checkbox", name="Choose fast").check()
    panel.get_by_role("checkbox", name="Choose slow").check()
    panel.get_by_role("button", name="Compare").click()
    table = page.get_by_role("region", name="Comparison of fast, slow")
    expect(table.get_by_role("row", name="rate 0.3 0.01")).to_be_visible()
    expect(table.get_by_text("note")).to_have_count(0)
    table.get_by_role("button", name="the same").click()
    expect(table.get_by_text("<img src=x").first).to_be_visible()
    lines = table.get_by_role("img", name="2 runs over rate, train/loss")
    expect(lines).to_be_visible()
    lines.scroll_into_view_if_needed()
    browser.shoot("compare-parallel")
    curves = table.get_by_role("img", name="train/loss of 2 runs over steps 0 to 299")
    expect(curves).to_be_visible()
    curves.scroll_into_view_if_needed()
    check_in_all_themes(browser, ".jp-MLOpsPage", "compare")

    # Rename, tag, delete, undo.
    box.fill("")
    expect(rows).to_have_count(3)
    bold = rows.filter(has_text="<b>bold</b>")
    bold.get_by_role("button").click()
    bold.get_by_role("button", name="Rename").click()
    page.keyboard.type("third")
    page.keyboard.press("Enter")
    third = rows.filter(has_text="third")
    third.get_by_role("button", name="Tag").click()
    page.keyboard.type("owner")
    page.keyboard.press("Tab")
    page.keyboard.type("Ada")
    page.keyboard.press("Enter")
    expect(third).to_contain_text("owner")
    browser.shoot("runs-details")
    third.get_by_role("button", name="Remove the tag owner").click()
    expect(third).not_to_contain_text("Ada")
    panel.get_by_role("button", name="Undo").click()
    expect(third).to_contain_text("Ada")
    third.get_by_role("button", name="Delete").click()
    expect(rows).to_have_count(2)
    panel.get_by_role("button", name="Undo").click()
    expect(third).to_contain_text("Ada")

    # A pinned run stays while others are filtered; the rest stands in groups.
    third.get_by_role("button", name="Pin", exact=True).press("Enter")
    pinned = panel.get_by_role("list", name="Pinned")
    expect(pinned.get_by_role("button", name="Unpin")).to_be_focused()
    panel.get_by_label("Groups of runs").select_option("By rate")
    expect(panel.get_by_role("list", name="rate = 0.3")).to_contain_text("fast")
    pinned.get_by_role("button").first.click()
    check_in_all_themes(browser, "#jp-mlops-panel", "runs-groups")
    box.fill("metrics.accuracy > 0.9")
    box.press("Enter")
    expect(panel.locator(".jp-MLOpsRun-name")).to_have_text(["third", "fast"])
    pinned.get_by_role("button").first.click()

    # The run's page: curves, figures, code; it is there again when the page is loaded again.
    third.get_by_role("button", name="Open", exact=True).click()
    run = page.get_by_role("region", name="Run third")
    expect(run.get_by_role("img", name="train/loss over steps 0 to 299")).to_be_visible()
    figure = run.get_by_role("img", name="roc.svg")
    expect(figure).to_be_visible()
    assert figure.evaluate("image => image.decode().then(() => image.naturalWidth)") == 240
    expect(run.get_by_text("%load_ext mlops_nb")).to_be_visible()
    assert page.title() != "evil"
    check_in_all_themes(browser, "[aria-label='Run third']", "run-page")
    run.get_by_role("button", name="Open code as a notebook").click()
    page.get_by_role("tab", name="third as it ran.ipynb").wait_for()
    code = jupyter.read_notebook("third as it ran.ipynb").cells
    assert [cell.source.strip() for cell in code] == [RUNS.strip()]
    page.keyboard.press("Escape")  # which kernel, of a notebook that has never run
    page.locator(".lm-DockPanel-tabBar").get_by_text("third", exact=True).click()
    page.wait_for_timeout(1500)  # the layout is kept a moment after it has changed
    page.goto(page.url.split("?")[0])
    expect(page.get_by_role("region", name="Run third")).to_contain_text("owner")

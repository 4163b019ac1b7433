"""The section "Data & environment": versions of data, and what two runs ran in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Browser, Jupyter, check_both_themes, run_cell

pytestmark = pytest.mark.timeout(180)

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
    check_both_themes(browser, "#jp-mlops-panel", "data")
    panel.get_by_role("button", name="<i>of 4</i>").click()
    expect(page.get_by_role("heading", name="<i>of 4</i>")).to_be_visible()

"""What a person does with a run once more: export its code, register its model, make it again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Browser, Jupyter, check_in_all_themes, run_cell

pytestmark = pytest.mark.timeout(300)

FIT = """
%load_ext mlops_nb
import numpy as np
from sklearn.linear_model import LogisticRegression
rows = np.arange(12.0).reshape(6, 2)
LogisticRegression(C=0.1).fit(rows, [0, 1] * 3)
model = LogisticRegression().fit(rows, [0, 1] * 3)
accuracy = model.score(rows, [0, 1] * 3)
"""


def test_run_is_exported_registered_and_made_again(
    jupyter: Jupyter, browser: Browser, open_lab: Callable[..., Page]
) -> None:
    """By clicking alone: a script beside the notebook, a model from the kernel, and a verdict."""
    page = open_lab(jupyter.write_notebook("again.ipynb", FIT))
    run_cell(page, 0)
    page.get_by_role("tab", name="MLOps").click()
    panel = page.locator("#jp-mlops-panel")
    row = panel.get_by_role("listitem").filter(has_text="LogisticRegression").first
    expect(row).to_contain_text("Finished")
    row.get_by_role("button").first.click()
    row.get_by_role("button", name="Open", exact=True).click()
    document = page.get_by_role("region", name="Run LogisticRegression")

    # Register: the kernel still has the object; what is refused stays in the form.
    document.get_by_role("button", name="Register…").click()
    form = document.get_by_role("form", name="Register the model")
    form.get_by_label("Name of the model").fill("Not A Name")
    form.get_by_label("Alias").fill("champion")
    form.get_by_role("button", name="Register").click()
    expect(document.get_by_role("alert")).to_contain_text("expected 1 to 64 of a-z")
    form.get_by_label("Name of the model").fill("points")
    form.get_by_role("button", name="Register").click()
    expect(document.get_by_role("status")).to_contain_text("Registered as points/1 (champion).")
    form.get_by_role("button", name="Close").click()

    # Make it again: watched to the verdict, which leads to the new run.
    document.get_by_role("button", name="Reproduce").click()
    verdict = document.get_by_role("status").filter(has_text="Reproduced on")
    expect(verdict).to_contain_text("same", timeout=150_000)
    changed = document.get_by_role("region", name="What changed")
    changed.get_by_role("button", name="Since the run before it").click()
    expect(changed.get_by_role("row", name="C 0.1 1")).to_be_visible()
    check_in_all_themes(browser, ".jp-MLOpsPage", "run-reproduced")
    document.get_by_role("button", name="Export as a script").click()
    script = page.get_by_role("tab", name="LogisticRegression-")
    expect(script).to_be_visible()
    [path] = jupyter.root.glob("LogisticRegression-*.py")
    assert "LogisticRegression().fit(rows" in path.read_text(encoding="utf-8")

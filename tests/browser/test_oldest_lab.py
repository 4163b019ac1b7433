"""The oldest JupyterLab and Notebook 7 that are supported, in an environment of their own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ROOT, Browser, Server, give_up, open_in_lab

pytestmark = pytest.mark.timeout(180)

PYTHON = ROOT / ".venv-oldest" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
FIT = """
%load_ext mlops_nb
import numpy as np
from sklearn.linear_model import LogisticRegression
rows = np.arange(12.0).reshape(6, 2)
model = LogisticRegression().fit(rows, [0, 1] * 3)
accuracy = model.score(rows, [0, 1] * 3)
"""


@pytest.fixture
def oldest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start the JupyterLab of the environment that ``make test`` makes for it."""
    if not (PYTHON.parents[1] / ".ready").is_file():
        give_up("the environment of the oldest JupyterLab is missing; run: make test")
    server = Server(tmp_path_factory.mktemp("oldest"), PYTHON)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def test_panel_works_in_the_oldest_lab(oldest: Server, browser: Browser) -> None:
    """A fit that is run by clicking appears while the panel is open, and its page opens."""
    asked = [str(PYTHON), "-m", "jupyterlab", "--version"]
    version = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert version.startswith("4.4.")
    jupyter = oldest.jupyter
    name = jupyter.write_notebook("fit.ipynb", FIT)
    page = open_in_lab(browser.page, jupyter, name)
    page.get_by_role("tab", name="MLOps").click()
    panel = page.locator("#jp-mlops-panel")
    expect(panel.get_by_text("This notebook has no runs yet")).to_be_visible()

    page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").first.click()
    page.get_by_role("button", name="Run this cell and advance").click()
    row = panel.get_by_role("list", name="Runs").locator("> li")
    expect(row).to_contain_text("LogisticRegression")
    expect(row).to_contain_text("Finished")
    expect(row).to_contain_text("accuracy")
    assert browser.find_axe_violations("#jp-mlops-panel") == []
    browser.shoot("oldest-lab")

    row.get_by_role("button").first.click()
    row.get_by_role("button", name="Open", exact=True).click()
    run = page.get_by_role("region", name="Run LogisticRegression")
    expect(run.get_by_role("heading", name="accuracy")).to_be_visible()
    expect(run.get_by_text("%load_ext mlops_nb")).to_be_visible()
    browser.shoot("oldest-run-page")

    page.goto(jupyter.address("notebooks", name))
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.get_by_role("button", name="Show the runs of this notebook").click()
    expect(row).to_contain_text("LogisticRegression")
    browser.shoot("oldest-notebook7")

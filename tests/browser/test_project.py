"""``mlops-nb ui``: runs and models without a notebook."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from mlops_nb.config import load_settings
from mlops_nb.store import open_store
from mlops_nb.tracking import start_run
from tests.browser.conftest import Browser, isolate

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Record three runs, and start the command on their folder."""
    environment = isolate(tmp_path)
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    store = open_store(folder / ".mlops", cache=tmp_path / "cache")
    for rate in (0.1, 0.2, 0.4):
        run = start_run(store, load_settings(), f"rate {rate}", is_active=False)
        run.log_params({"rate": rate})
        run.log_metrics({"loss": 1 / rate})
        run.end("finished")
    command = [sys.executable, "-m", "mlops_nb", "ui", "--port", "0", "--json"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder, env=environment
        )
    assert process.stdout is not None
    text = ""
    while not text.endswith("}\n"):
        line = process.stdout.readline()
        assert line, (tmp_path / "log").read_text()
        text += line
    yield json.loads(text)["url"]
    process.terminate()
    process.communicate(timeout=20)


def test_project_is_opened_without_a_notebook(
    address: str, browser: Browser, tmp_path: Path
) -> None:
    """All runs and models are there at once; a comparison and a model open as documents."""
    page = browser.page
    page.goto(address)
    project = page.get_by_role("region", name="All runs and models")
    runs = project.get_by_role("region", name="Runs").get_by_role("listitem")
    expect(runs).to_have_count(3)
    models = project.get_by_role("region", name="Models", exact=True)
    expect(models).to_contain_text("No model is registered yet")
    expect(page.locator(".jp-FileBrowser")).to_be_hidden()
    assert browser.find_axe_violations(".jp-MLOpsProject") == []
    browser.shoot("project-light")
    runs.get_by_role("checkbox").nth(0).check()
    runs.get_by_role("checkbox").nth(1).check()
    project.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("region", name="Comparison of")).to_contain_text("rate")
    browser.shoot("project-compare")

    # What was open is there again, in the dark too.
    themes = tmp_path / "settings" / "@jupyterlab" / "apputils-extension"
    themes.mkdir(parents=True)
    (themes / "themes.jupyterlab-settings").write_text('{"theme": "JupyterLab Dark"}')
    page.wait_for_timeout(1500)  # the layout is kept a moment after it has changed
    page.goto(address)
    page.wait_for_selector("body[data-jp-theme-name='JupyterLab Dark']", state="attached")
    expect(page.get_by_role("tab", name="Compare 2 runs")).to_be_visible()
    page.get_by_role("tab", name="All runs and models").click()
    expect(runs).to_have_count(3)
    page.wait_for_timeout(500)  # the theme's style sheet arrives after its name
    assert browser.find_axe_violations(".jp-MLOpsProject") == []
    browser.shoot("project-dark")

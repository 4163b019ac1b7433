"""A real JupyterLab with this checkout's panel, and Debian's or any other Chromium to look at it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import nbformat
import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import ConsoleMessage, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "mlops_nb" / "labextension"
AXE = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",  # containers run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Notebook 7 throws this by itself on every page, 7.4.0 both.
FOREIGN_PAGE_ERRORS = ("reading 'schema'", "'filebrowser:open-path' not registered")


def give_up(reason: str) -> None:
    """Skip where a person works without a browser; fail where CI must have one."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass
class Jupyter:
    """A running Jupyter server: its folder, address and token."""

    root: Path
    url: str
    token: str

    def address(self, app: str, path: str = "") -> str:
        """Give the address of a page, ``lab/tree`` or ``notebooks``, with the token to log in."""
        return f"{self.url}{app}/{quote(path)}?token={self.token}"

    def write_notebook(self, name: str, *sources: str) -> str:
        """Write a notebook with one code cell for each source."""
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        book = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        nbformat.write(book, self.root / name)
        return name

    def read_notebook(self, name: str) -> Any:
        """Read a notebook, once nobody is in the middle of writing it."""
        for _ in range(100):
            try:
                return nbformat.read(self.root / name, as_version=4)
            except nbformat.reader.NotJSONError:
                time.sleep(0.1)
        return nbformat.read(self.root / name, as_version=4)


def isolate(place: Path) -> dict[str, str]:
    """Give an environment in which Jupyter and IPython keep nothing outside a folder."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("MLOPS_NB_")
    }
    for name in (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "IPYTHONDIR",
        "HOME",
    ):
        environment[name] = str(place / name.lower())
        (place / name.lower()).mkdir()
    environment["JUPYTERLAB_SETTINGS_DIR"] = str(place / "settings")
    environment["JUPYTERLAB_WORKSPACES_DIR"] = str(place / "workspaces")
    environment["XDG_CACHE_HOME"] = str(place / "cache")
    environment["PYTHONPATH"] = str(ROOT)  # this checkout, installed or not
    environment["PYTHONWARNINGS"] = "ignore"
    environment["OMP_NUM_THREADS"] = "1"  # on two busy cores threads wait for one another
    # The bundle of this checkout, before any that is installed.
    extensions = place / "share" / "labextensions"
    shutil.copytree(BUNDLE, extensions / "mlops-nb-labextension")
    environment["JUPYTER_PATH"] = str(place / "share")
    settings = place / "jupyter_config_dir" / "labconfig"
    settings.mkdir()
    page = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (settings / "page_config.json").write_text(json.dumps(page))
    return environment


class Server:
    """JupyterLab on an empty folder, with Notebook 7 beside it; it can be stopped and started again.

    Parameters
    ----------
    place
        Empty folder, for the notebooks and all that Jupyter keeps.
    python
        Whose JupyterLab it is.
    """

    def __init__(self, place: Path, python: str | Path = sys.executable) -> None:
        if not (BUNDLE / "static" / "style.js").is_file():
            give_up("the panel is not built; run: python labextension/build.py")
        self.root = place / "notebooks"
        self.root.mkdir()
        self._place, self._python = place, python
        self._environment = isolate(place)
        self._process: subprocess.Popen[bytes] | None = None
        self._found: Jupyter | None = None

    @property
    def jupyter(self) -> Jupyter:
        """Its folder, address and token, once it was started."""
        assert self._found is not None
        return self._found

    def start(self) -> None:
        """Start it; once more at the same address, with the same token."""
        runtime = self._place / "jupyter_runtime_dir"
        for path in runtime.glob("jpserver-*.json"):
            path.unlink()  # of one that was killed
        command = [
            *(self._python, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            "--expose-app-in-browser",
            f"--ServerApp.root_dir={self.root}",
            "--ServerApp.jpserver_extensions={'mlops_nb': True}",
        ]
        before = self._found
        port = urlsplit(before.url).port if before else 0
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
        if before:
            command += [f"--IdentityProvider.token={before.token}"]
        with (self._place / "server.log").open("w") as log:
            self._process = subprocess.Popen(
                command, cwd=self.root, env=self._environment, stdout=log, stderr=log
            )
        self._found = self._wait(self._process)

    def stop(self) -> None:
        """Stop it as a person does who closes its terminal; its kernels end with it."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait(self, process: subprocess.Popen[bytes]) -> Jupyter:
        """Wait until it has said where it listens."""
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and process.poll() is None:
            for path in (self._place / "jupyter_runtime_dir").glob("jpserver-*.json"):
                try:
                    found = json.loads(path.read_text())
                except ValueError:
                    continue  # being written
                return Jupyter(self.root, found["url"], found["token"])
            time.sleep(0.1)
        pytest.fail((self._place / "server.log").read_text()[-4000:])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start JupyterLab, and stop it in the end."""
    started = Server(tmp_path_factory.mktemp("jupyter"))
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def jupyter(server: Server) -> Jupyter:
    """Give the address and the folder of a JupyterLab that runs."""
    return server.jupyter


class Browser:
    """A page of a fresh browser, and what went wrong in it and in those opened beside it."""

    def __init__(self, chromium: Chromium, shots: Path) -> None:
        self._chromium, self.shots = chromium, shots
        self.requests: list[str] = []
        self.faults: list[str] = []
        self.page = self.open_page()

    def open_page(self) -> Page:
        """Open a page that knows nothing of the others, as another browser would."""
        page = self._chromium.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(30_000)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._hear)
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        """Note an error that speaks of us."""
        text = message.text
        if message.type == "error" and "mlops" in text and "Failed to load resource" not in text:
            self.faults.append(text)

    def shoot(self, name: str) -> None:
        """Write a screenshot for a person to look at."""
        self.page.screenshot(path=self.shots / f"{name}.png")

    def find_axe_violations(self, selector: str) -> list[str]:
        """Check a part of the page with axe-core, for readers and keyboards."""
        if not AXE.is_file():
            give_up("axe-core is missing; run: python labextension/build.py --packages")
        self.page.add_script_tag(path=AXE)
        # JupyterLab's side panels title their sections with h3 on a page without h2.
        options = {"resultTypes": ["violations"], "rules": {"heading-order": {"enabled": False}}}
        found: dict[str, Any] = self.page.evaluate(
            "([selector, options]) => axe.run(selector, options)", [selector, options]
        )
        return [
            f"{entry['id']}: {node['html']} {node['failureSummary']}"
            for entry in found["violations"]
            for node in entry["nodes"]
        ]

    def set_theme(self, name: str) -> None:
        """Change JupyterLab's theme and wait until it is there."""
        # Not awaited: the command's promise may wait for the page.
        change = "name => { void window.jupyterapp.commands.execute('apputils:change-theme', {theme: name}); }"
        self.page.evaluate(change, name)
        self.page.wait_for_selector(f"body[data-jp-theme-name='{name}']", state="attached")
        # The theme's style sheet arrives after its name.
        sheet = f"theme-{name.removeprefix('JupyterLab ').lower().replace(' ', '-')}-extension"
        self.page.wait_for_function(
            "name => [...document.styleSheets].some(({href}) => href?.includes(name))", arg=sheet
        )
        self.page.wait_for_timeout(150)  # what fades from one colour to the other has done so


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """Give a fresh browser, and fail the test for any error on its pages."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        give_up("no Chromium found; on Debian: apt install chromium fonts-dejavu-core")
    shots = Path(os.environ.get("MLOPS_NB_SCREENSHOTS", tmp_path))
    shots.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=20_000)  # a machine may be busy with other tests
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=list(CHROMIUM_ARGUMENTS))
        watched = Browser(chromium, shots)
        yield watched
        chromium.close()
    faults = [
        fault
        for fault in watched.faults
        if not any(known in fault for known in FOREIGN_PAGE_ERRORS)
    ]
    assert not faults


def run_cell(page: Page, place: int = 0) -> None:
    """Run a cell of the notebook in view, by the keyboard."""
    cell = page.locator(".jp-Notebook:visible .jp-CodeCell").nth(place)
    prompt = cell.locator(".jp-InputPrompt").first
    before = prompt.inner_text()
    for _ in range(20):
        prompt.click()
        page.keyboard.press("Control+Enter")
        try:
            expect(prompt).not_to_have_text(before, timeout=2000)
        except AssertionError:
            continue  # the kernel was not there yet, and Jupyter forgets what was asked
        return
    pytest.fail(f"cell {place} never ran")


def check_in_all_themes(browser: Browser, selector: str, name: str) -> None:
    """Look at a part in each theme of JupyterLab, as a person and as a reader would."""
    for theme in ("Dark High Contrast", "Dark", "Light"):  # the last one stays
        browser.set_theme(f"JupyterLab {theme}")
        browser.shoot(f"{name}-{theme.lower().replace(' ', '-')}")
        assert browser.find_axe_violations(selector) == []


def open_in_lab(page: Page, jupyter: Jupyter, name: str, workspace: str = "") -> Page:
    """Open a notebook in JupyterLab and wait for its kernel."""
    # A workspace of its own: what another test left open must not come back.
    page.goto(jupyter.address(f"lab/workspaces/{workspace or Path(name).stem}/tree", name))
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    # Before that a cell that is run asks for a kernel instead.
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
    return page


@pytest.fixture
def open_lab(jupyter: Jupyter, browser: Browser) -> Callable[..., Page]:
    """Give a function that opens a notebook in JupyterLab and waits for its kernel."""
    return lambda name: open_in_lab(browser.page, jupyter, name)

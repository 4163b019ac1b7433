"""``mlops-nb ui``: who may reach it, what is in the way, and how it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Answer

Ask = Callable[..., Answer]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of Jupyter's in which there is a panel, in name at least."""
    place = tmp_path / "share" / "labextensions" / "mlops-nb-labextension"
    place.mkdir(parents=True)
    (place / "package.json").write_text("{}")
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))
    return place


def test_a_missing_panel_is_said(panel: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the pages nothing is started, and the error says how to get them."""
    shutil.rmtree(panel)
    monkeypatch.setattr("jupyter_core.paths.ENV_JUPYTER_PATH", [])
    monkeypatch.setattr("jupyter_core.paths.SYSTEM_JUPYTER_PATH", [])
    answer = ask("ui", "--no-browser")
    assert answer.code == 2
    assert "Node.js" in answer.err


def test_a_missing_jupyterlab_is_said(
    panel: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without JupyterLab the error says what to install."""
    monkeypatch.setitem(sys.modules, "jupyterlab", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    answer = ask("ui", "--no-browser")
    assert answer.code == 2
    assert "pip install jupyterlab" in answer.err


def test_a_port_that_is_taken_is_said(panel: Path, ask: Ask) -> None:
    """A port that was asked for is never replaced by another."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        answer = ask("ui", "--no-browser", "--port", str(port))
    assert answer.code == 2
    assert str(port) in answer.err


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent another way there")
def test_it_answers_this_machine_until_interrupted(panel: Path, tmp_path: Path) -> None:
    """The address is told as JSON; without its token nothing is told; Ctrl-C ends it with 0."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops_nb", "ui", "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
    )
    try:
        assert process.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            text += line
        told = json.loads(text)
        address, token = told["url"].split("?token=")
        assert address.startswith("http://127.0.0.1:")
        assert told["folder"] == str(tmp_path)
        routes = address.replace("/lab/workspaces/mlops-nb", "/mlops-nb/runs")
        with urllib.request.urlopen(f"{routes}?token={token}", timeout=120) as answer:
            assert json.load(answer)["runs"] == []
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(routes, timeout=120)
        caught.value.close()
        assert caught.value.code == 403
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
        assert errors == ""
    finally:
        process.kill()
        process.communicate()

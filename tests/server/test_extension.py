"""How Jupyter finds and starts our server extension."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, ClassVar

import pytest
from jupyter_events import EventLogger

import mlops_nb
from mlops_nb.server import extension

ROOT = Path(__file__).resolve().parents[2]


def test_jupyter_finds_us_by_name() -> None:
    """Entry functions, configuration file and bundle agree on the names."""
    config = json.loads(
        (ROOT / "labextension/jupyter-config/server-config/mlops_nb.json").read_text()
    )
    package = json.loads((ROOT / "labextension/package.json").read_text())
    points = mlops_nb._jupyter_server_extension_points()
    assert config["ServerApp"]["jpserver_extensions"] == {points[0]["module"]: True}
    assert (
        mlops_nb._jupyter_labextension_paths()[0]["dest"]
        == package["name"]
        == extension.LABEXTENSION
    )
    assert package["jupyterlab"]["outputDir"] == "../mlops_nb/labextension"


async def test_server_lists_us_as_loaded(jp_serverapp: Any) -> None:
    """The server has the extension and counts no failure."""
    package = jp_serverapp.extension_manager.extensions["mlops_nb"]
    assert package.enabled
    assert package.extension_points["mlops_nb"].linked


def test_missing_panel_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Installed without Node, the server says so in its log and serves the routes."""
    added: list[Any] = []

    class Server:
        base_url = "/base/"
        log = logging.getLogger("test-server")
        event_logger = EventLogger()

        class web_app:  # noqa: N801 - the name that Jupyter gives it
            settings: ClassVar[dict[str, Any]] = {}
            add_handlers = staticmethod(lambda host, routes: added.extend(routes))

    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setattr("jupyter_core.paths.ENV_JUPYTER_PATH", [])
    monkeypatch.setattr("jupyter_core.paths.SYSTEM_JUPYTER_PATH", [])
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    with caplog.at_level(logging.INFO):
        extension.load_server_extension(Server)
        assert caplog.text.count("panel is not installed") == 1
        place = tmp_path / "labextensions" / extension.LABEXTENSION
        place.mkdir(parents=True)
        (place / "package.json").write_text("{}")
        Server.event_logger = EventLogger()
        extension.load_server_extension(Server)
    assert caplog.text.count("panel is not installed") == 1
    assert [url for url, _ in added[:3]] == [
        "/base/mlops-nb/status",
        "/base/mlops-nb/runs",
        "/base/mlops-nb/runs/([^/]+)",
    ]

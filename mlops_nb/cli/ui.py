"""The command that opens the panel's pages without a notebook, in JupyterLab."""

from __future__ import annotations

import importlib.util
import secrets
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

import click

from mlops_nb.cli.render import print_json
from mlops_nb.cli.runs import as_json
from mlops_nb.errors import InvalidValueError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

_HOST = "127.0.0.1"
_PORT = 8765
_NEXT_PORTS = 50
_BUNDLE = "mlops-nb-labextension"
# A workspace of its own: what JupyterLab has open elsewhere stays as it is.
_PAGE = "/lab/workspaces/mlops-nb"


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"0: a free one; {_PORT} by default, or the next that is free.",
)
@click.option("--no-browser", is_flag=True, help="Tell the address only.")
@as_json
def ui(port: int | None, no_browser: bool, as_json: bool) -> None:
    """Open all runs and models of this folder's project in the browser, until interrupted.

    The pages are those of the JupyterLab panel, and no notebook needs to be open. Only this machine
    reaches them, with the token in the address.
    """
    _need_pages()
    server = _start(_find_port(port), is_opened=not (no_browser or as_json))
    address = f"{server.connection_url.rstrip('/')}{_PAGE}?{urlencode({'token': server.token})}"
    where = str(Path.cwd())

    def announce() -> None:
        if as_json:
            print_json({"url": address, "folder": where})
        else:
            click.echo(f"runs and models of {where} at\n{address}\n(stop with Ctrl-C)")

    server.io_loop.add_callback(announce)  # once requests are answered
    server.start()


def _need_pages() -> None:
    """Refuse where a page could not be shown, with what to install."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise NotFoundError("package", "jupyterlab", [], "Install it: pip install jupyterlab")
    from jupyter_core.paths import jupyter_path

    places = [Path(folder) / _BUNDLE for folder in jupyter_path("labextensions")]
    if not any((place / "package.json").is_file() for place in places):
        hint = (
            "Install Node.js >= 20, then mlops-nb again from its sources; "
            "`mlops-nb runs` and `mlops-nb models` list the same here."
        )
        raise NotFoundError("panel for JupyterLab", _BUNDLE, [], hint)


def _find_port(asked: int | None) -> int:
    """Give the port that was asked for where it is free, else one that is."""
    candidates: Sequence[int] = [asked] if asked is not None else range(_PORT, _PORT + _NEXT_PORTS)
    for port in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise InvalidValueError("port", asked if asked is not None else _PORT, "a port that is free")


def _start(port: int, *, is_opened: bool) -> Any:
    """Make a Jupyter server on this folder, with JupyterLab, our routes, and no other extension."""
    from jupyterlab.labapp import LabApp
    from traitlets.config import Config

    config = Config()
    options = config.ServerApp
    options.ip, options.port, options.port_retries = _HOST, port, 0
    options.root_dir = str(Path.cwd())
    options.tornado_settings = {"page_config_data": {"mlopsProject": "true"}}
    # Of our own: one that Jupyter makes has it print a second banner.
    config.IdentityProvider.token = secrets.token_hex(24)
    options.answer_yes = True  # Ctrl-C ends it as it ends every other command
    options.allow_root = True
    options.log_level = config.LabApp.log_level = "ERROR"
    config.LabApp.news_url = None

    class Pages(LabApp):  # type: ignore[misc]
        serverapp_config: ClassVar[dict[str, Any]] = {
            "jpserver_extensions": {"jupyterlab": True, "mlops_nb": True}
        }

    server = Pages.initialize_server(config=config)
    # JupyterLab has said what it wants of these two by now.
    server.open_browser, server.default_url = is_opened, _PAGE
    return server


COMMANDS = {"ui": ui}

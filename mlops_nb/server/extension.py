"""What Jupyter calls when a server starts: add the routes, and say when the panel is missing."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LABEXTENSION = "mlops-nb-labextension"
# Among the settings of the server's web application, where our handlers find it.
WATCHER = "mlops_nb_watcher"


@contextlib.contextmanager
def _without_collections() -> Iterator[None]:
    """Import in peace: a collection meanwhile, of all that Jupyter has loaded, takes longer."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def is_panel_installed() -> bool:
    """Tell whether the panel's files lie where JupyterLab looks for them.

    Returns
    -------
    bool
        False where the package was installed without Node.js.
    """
    from jupyter_core.paths import jupyter_path

    folders = (Path(folder) for folder in jupyter_path("labextensions"))
    return any((folder / LABEXTENSION / "package.json").is_file() for folder in folders)


def load_server_extension(server_app: Any) -> None:
    """Add our routes to a Jupyter server.

    Parameters
    ----------
    server_app
        The ``jupyter_server.serverapp.ServerApp`` that starts.
    """
    with _without_collections():
        from mlops_nb.server.routes import build_routes
        from mlops_nb.server.warming import CONTENTS_ID, StoreWarmer
        from mlops_nb.server.watcher import SCHEMA, SCHEMA_ID, StoreWatcher
        from mlops_nb.server.workers import WORKERS, Workers

    settings, logger = server_app.web_app.settings, server_app.event_logger
    workers = settings[WORKERS] = Workers()
    logger.register_event_schema(SCHEMA)

    def tell(notebooks: list[str], parts: list[str]) -> None:
        logger.emit(schema_id=SCHEMA_ID, data={"notebooks": notebooks, "parts": parts})

    settings[WATCHER] = StoreWatcher(tell, workers)
    if CONTENTS_ID in logger.schemas:
        root = Path(settings["server_root_dir"]).expanduser().absolute()
        logger.add_listener(schema_id=CONTENTS_ID, listener=StoreWarmer(root, workers).hear)
    server_app.web_app.add_handlers(".*$", build_routes(server_app.base_url))
    if not is_panel_installed():
        server_app.log.info(
            "mlops_nb: the JupyterLab panel is not installed, everything else works. "
            "It needs Node.js >= 20 while mlops-nb is installed from source."
        )

"""The routes: one small class each, and one place where an error becomes an answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, authenticated

from mlops_nb import api
from mlops_nb.config import load_settings, read_version
from mlops_nb.errors import MLOpsError
from mlops_nb.records import format_time
from mlops_nb.server.payload import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    locate_notebook,
    read_number,
    write_error,
    write_listed_run,
    write_run,
)

_MAX_OFFSET = 10**9


class MLOpsRouteHandler(APIHandler):  # type: ignore[misc]
    """What all our routes share: where the store is, work off the event loop, errors as JSON."""

    auth_resource: ClassVar[str] = "mlops_nb"
    # A panel left open must not keep an idle server from being culled.
    _track_activity = False

    async def answer(self, verb: Callable[[], Any]) -> None:
        """Call a verb in a thread and send what it returns.

        Parameters
        ----------
        verb
            Takes nothing and returns JSON types; an `MLOpsError` that it raises becomes a status
            and a body with ``error``, ``message`` and ``hint``.
        """
        try:
            body = await asyncio.to_thread(verb)
        except MLOpsError as error:
            self.set_status(error.status)
            body = write_error(error)
        self.finish(json.dumps(body, allow_nan=False))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Send what no verb foresaw: a status and no detail; the log has the traceback.

        Parameters
        ----------
        status_code
            Of the answer.
        **kwargs
            ``exc_info`` where an exception is the cause.
        """
        cause = (kwargs.get("exc_info") or (None, None))[1]
        if isinstance(cause, MLOpsError):  # raised while the query was read
            self.set_status(cause.status)
            self.finish(json.dumps(write_error(cause)))
        elif status_code == 500 and not isinstance(cause, HTTPError):
            message = "The server could not answer because of an error in mlops_nb."
            hint = "The log of the Jupyter server has the details."
            self.finish(json.dumps({"error": "InternalError", "message": message, "hint": hint}))
        else:
            super().write_error(status_code, **kwargs)

    def log_exception(self, *exc_info: Any) -> None:
        """Log what nobody foresaw; our own errors are answers, not faults.

        Parameters
        ----------
        *exc_info
            Type, value and traceback.
        """
        if not isinstance(exc_info[1], MLOpsError):
            super().log_exception(*exc_info)

    def find_notebook(self) -> Path | None:
        """Find the notebook that is asked about.

        Returns
        -------
        Path or None
            Its place on disk, None where the query names none.
        """
        path = self.get_query_argument("notebook", "")
        return locate_notebook(self.root, path) if path else None

    def read_argument(self, name: str, default: int, least: int, most: int) -> int:
        """Read a whole number of the query; see `read_number`."""
        return read_number(name, self.get_query_argument(name, str(default)), least, most)

    @property
    def root(self) -> Path:
        """The folder that the server serves."""
        return Path(self.settings["server_root_dir"]).expanduser().absolute()


class StatusRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/status``: version and store."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer what runs here, for the panel's first question."""
        notebook = self.find_notebook()
        start = notebook.parent if notebook else self.root

        # Not the verb's status, which speaks of the session of its own process: a server has none.
        await self.answer(
            lambda: {"version": read_version(), "store": str(load_settings(start).store)}
        )


class RunsRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/runs``: a page of runs, newest first."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer the runs of a notebook, or of the store, one page at a time."""
        notebook = self.find_notebook()
        wanted = self.get_query_argument("filter", None)
        order_by = self.get_query_arguments("order_by") or None
        limit = read_number(
            "limit", self.get_query_argument("limit", str(DEFAULT_LIMIT)), 1, MAX_LIMIT
        )
        offset = read_number("offset", self.get_query_argument("offset", "0"), 0, _MAX_OFFSET)

        def list_page() -> dict[str, Any]:
            # One more than asked for tells whether there is a next page.
            runs = api.list_runs(
                filter=wanted,
                order_by=order_by,
                limit=limit + 1,
                offset=offset,
                notebook=str(notebook) if notebook else None,
                start=notebook.parent if notebook else self.root,
            )
            return {
                "runs": [write_listed_run(run) for run in runs[:limit]],
                "limit": limit,
                "offset": offset,
                "has_more": len(runs) > limit,
                "now": format_time(time.time()),
            }

        await self.answer(list_page)


class RunRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/runs/<run_id>``: everything that one run keeps."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self, run_id: str) -> None:
        """Answer one run.

        Parameters
        ----------
        run_id
            Id, unique beginning of an id, or name.
        """
        notebook = self.find_notebook()
        start = notebook.parent if notebook else self.root
        await self.answer(lambda: write_run(api.get_run(run_id, start=start)))


ROUTES: tuple[tuple[str, type[MLOpsRouteHandler]], ...] = (
    (r"status", StatusRouteHandler),
    (r"runs", RunsRouteHandler),
    (r"runs/([^/]+)", RunRouteHandler),
)


def build_routes(base_url: str) -> list[tuple[str, type[MLOpsRouteHandler]]]:
    """Give the routes below the server's base URL.

    Parameters
    ----------
    base_url
        As configured, for example ``/user/ada/``.

    Returns
    -------
    list of tuple
        URL pattern and handler class.
    """
    return [(url_path_join(base_url, "mlops-nb", pattern), handler) for pattern, handler in ROUTES]

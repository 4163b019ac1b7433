"""The routes: one small class each, thin over a verb."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import url_path_join
from tornado.web import authenticated

from mlops_nb import api
from mlops_nb.config import load_settings, read_version
from mlops_nb.records import format_time
from mlops_nb.server import (
    data_routes,
    model_routes,
    notebook_routes,
    pipeline_routes,
    runcode_routes,
    serving_routes,
)
from mlops_nb.server.handler import MLOpsRouteHandler
from mlops_nb.server.payload import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    read_number,
    write_listed_run,
)
from mlops_nb.server.run_routes import (
    ArtifactRouteHandler,
    CellsRouteHandler,
    CompareRouteHandler,
    MetricRouteHandler,
    RestoreRouteHandler,
    RunRouteHandler,
    SurroundingsRouteHandler,
)

_MAX_OFFSET = 10**9
_MOST_PINNED = 20
# The panel's own tag; see `togglePin` there.
PINNED = "tags.`mlops.pinned` = 'yes'"


class StatusRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/status``: version and store."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer what runs here, for the panel's first question."""
        start = self.start

        # Not the verb's status, which speaks of the session of its own process: a server has none.
        await self.answer(
            lambda: {"version": read_version(), "store": str(load_settings(start).store)}
        )


def describe_store(start: Path) -> dict[str, Any]:
    """Tell which store is asked, and whether it is there.

    Parameters
    ----------
    start
        Folder whose project's store is meant.

    Returns
    -------
    dict
        ``store`` and ``exists``.
    """
    place = load_settings(start).store
    return {"store": str(place), "exists": (place / "format.json").is_file()}


class RunsRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/runs``: a page of runs, newest first."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer the runs of a notebook, or of the store, one page at a time."""
        notebook, start = self.find_notebook(), self.start
        # The notebook tells which store; with ``scope=store`` all runs there are meant.
        is_whole = self.get_query_argument("scope", "notebook") == "store"
        wanted = self.get_query_argument("filter", None)
        order_by = self.get_query_arguments("order_by") or None
        limit = read_number(
            "limit", self.get_query_argument("limit", str(DEFAULT_LIMIT)), 1, MAX_LIMIT
        )
        offset = read_number("offset", self.get_query_argument("offset", "0"), 0, _MAX_OFFSET)
        await self.follow()

        def list_page() -> dict[str, Any]:
            # One more than asked for tells whether there is a next page.
            runs = api.list_runs(
                filter=wanted,
                order_by=order_by,
                limit=limit + 1,
                offset=offset,
                notebook=str(notebook) if notebook and not is_whole else None,
                start=start,
            )
            # What a person wants in view whatever is listed; few, and found by their tag.
            pinned = api.list_runs(
                filter=PINNED,
                limit=_MOST_PINNED,
                notebook=str(notebook) if notebook and not is_whole else None,
                start=start,
            )
            return {
                "pinned": [write_listed_run(run) for run in pinned],
                "runs": [write_listed_run(run) for run in runs[:limit]],
                "limit": limit,
                "offset": offset,
                "has_more": len(runs) > limit,
                "now": format_time(time.time()),
                # Who finds nothing may have looked in the wrong place.
                "searched": None if runs or pinned or offset else describe_store(start),
            }

        await self.answer(list_page)


class OpenApiRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/openapi``: what there is to ask, for programs."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer the OpenAPI document of the routes, this one left out."""
        from mlops_nb.server.openapi import build_document

        await self.answer(lambda: build_document(DESCRIBED))


DESCRIBED: tuple[tuple[str, type[MLOpsRouteHandler]], ...] = (
    (r"status", StatusRouteHandler),
    (r"runs", RunsRouteHandler),
    (r"runs/([^/]+)", RunRouteHandler),
    (r"runs/([^/]+)/restore", RestoreRouteHandler),
    (r"runs/([^/]+)/metric", MetricRouteHandler),
    (r"runs/([^/]+)/cells", CellsRouteHandler),
    (r"runs/([^/]+)/surroundings", SurroundingsRouteHandler),
    (r"runs/([^/]+)/artifact", ArtifactRouteHandler),
    (r"compare", CompareRouteHandler),
    *notebook_routes.ROUTES,
    *data_routes.ROUTES,
    *model_routes.ROUTES,
    *pipeline_routes.ROUTES,
    *runcode_routes.ROUTES,
    *serving_routes.ROUTES,
)


ROUTES: tuple[tuple[str, type[MLOpsRouteHandler]], ...] = (
    *DESCRIBED,
    (r"openapi", OpenApiRouteHandler),
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

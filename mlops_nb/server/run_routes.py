"""Routes of one run: what it keeps, its curves and files, and what can be done with it."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from mlops_nb import api
from mlops_nb.errors import InvalidValueError, MLOpsError
from mlops_nb.server.bodies import RUN_CHANGE
from mlops_nb.server.body import read_body, read_whole_id
from mlops_nb.server.handler import MLOpsRouteHandler
from mlops_nb.server.payload import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    find_path,
    find_picture,
    shorten,
    to_json,
    write_error,
    write_listed_run,
    write_run,
)

_MAX_OFFSET = 10**9
_MOST_COMPARED = 20
_MOST_PIXELS = 4000
_MOST_BYTES = 100_000_000


class RunRouteHandler(MLOpsRouteHandler):
    """``GET``, ``PATCH``, ``DELETE /mlops-nb/runs/<run_id>``: one run."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self, run_id: str) -> None:
        """Answer one run.

        Parameters
        ----------
        run_id
            Id, unique beginning of an id, or name.
        """
        start, root = self.start, self.root

        def describe() -> dict[str, Any]:
            run = api.get_run(run_id, start=start)
            place = find_path(root, run.notebook)
            return {**write_run(run), "notebook_path": place}

        await self.answer(describe)

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def patch(self, run_id: str) -> None:
        """Give the run another name, or tags.

        Parameters
        ----------
        run_id
            The whole id.
        """
        found, start = read_whole_id(run_id), self.start
        sent = read_body(self.request.body, RUN_CHANGE)
        await self.answer(lambda: write_listed_run(api.edit_run(found, **sent, start=start)))

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def delete(self, run_id: str) -> None:
        """Take the run out of every list; it can be restored.

        Parameters
        ----------
        run_id
            The whole id.
        """
        found, start = read_whole_id(run_id), self.start

        def delete() -> dict[str, Any]:
            deleted = api.delete_run(found, "in the panel", start=start)
            return {"run_id": deleted.run_id, "name": deleted.name}

        await self.answer(delete)


class RestoreRouteHandler(MLOpsRouteHandler):
    """``POST /mlops-nb/runs/<run_id>/restore``: undo a deletion."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def post(self, run_id: str) -> None:
        """Put the run back.

        Parameters
        ----------
        run_id
            The whole id.
        """
        found, start = read_whole_id(run_id), self.start
        await self.answer(lambda: write_listed_run(api.restore_run(found, start=start)))


class MetricRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/runs/<run_id>/metric``: what a chart of one metric shows."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self, run_id: str) -> None:
        """Answer at most so many entries as the chart has pixels, however long the metric is.

        Parameters
        ----------
        run_id
            As for `RunRouteHandler.get`.
        """
        key, start = self.read_text("key"), self.start
        pixels = self.read_argument("pixels", 400, 1, _MOST_PIXELS)

        def preview() -> dict[str, Any]:
            found = api.preview_metric(run_id, key, pixels, start=start)
            return {
                "key": key,
                "count": found.count,
                "steps": found.steps.tolist(),
                "lows": to_json(found.lows.tolist()),
                "highs": to_json(found.highs.tolist()),
            }

        await self.answer(preview)


class CellsRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/runs/<run_id>/cells``: the code as it ran, a page of cells."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self, run_id: str) -> None:
        """Answer the cells that the kernel had executed, in that order.

        Parameters
        ----------
        run_id
            As for `RunRouteHandler.get`.
        """
        start = self.start
        limit = self.read_argument("limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
        offset = self.read_argument("offset", 0, 0, _MAX_OFFSET)

        def list_cells() -> dict[str, Any]:
            run = api.get_run(run_id, start=start)
            cells = run.to_json()["cells"]
            page = cells[offset : offset + limit]
            return {"cells": to_json(page), "count": len(cells), "offset": offset}

        await self.answer(list_cells)


class SurroundingsRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/runs/<run_id>/surroundings``: environment, and state of the code."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self, run_id: str) -> None:
        """Answer what the run ran in.

        Parameters
        ----------
        run_id
            As for `RunRouteHandler.get`.
        """
        start = self.start
        await self.answer(lambda: to_json(api.read_surroundings(run_id, start=start)))


class ArtifactRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/runs/<run_id>/artifact``: the bytes of one file that the run keeps."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self, run_id: str) -> None:
        """Send an artifact; whatever a run has kept, no browser runs it.

        Parameters
        ----------
        run_id
            As for `RunRouteHandler.get`.
        """
        path, start = self.read_text("path"), self.start

        def read() -> bytes:
            run = api.get_run(run_id, start=start)
            sizes = {artifact.path: artifact.size_bytes for artifact in run.artifacts}
            if sizes.get(path, 0) > _MOST_BYTES:
                expected = f"at most {_MOST_BYTES}, for a browser has to hold it"
                hint = f"In Python: mlops_nb.read_artifact({run.run_id!r}, {path!r})"
                raise InvalidValueError(
                    "size of the artifact in bytes", sizes[path], expected, hint
                )
            return api.read_artifact(run.run_id, path, start=start)

        try:
            content = await self.work(read)
        except MLOpsError as error:
            self.set_status(error.status)
            self.finish(write_error(error))
            return
        kind = find_picture(content)
        self.set_header("Content-Disposition", "inline" if kind else "attachment")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "default-src 'none'; sandbox")
        # Over the JSON that all our other routes send.
        self.finish(content, set_content_type=kind or "application/octet-stream")


class CompareRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/compare``: runs side by side; one beside another of its name."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer the comparison of the runs that the query names."""
        run_ids, start = self.get_query_arguments("run"), self.start
        beside = self.get_query_argument("beside", "best")
        limit = self.read_argument("limit", MAX_LIMIT, 1, MAX_LIMIT)
        offset = self.read_argument("offset", 0, 0, _MAX_OFFSET)
        if not 1 <= len(run_ids) <= _MOST_COMPARED:
            expected = f"1 to {_MOST_COMPARED} of them"
            raise InvalidValueError("runs to compare", run_ids, expected)

        def compare() -> dict[str, Any]:
            found = api.compare_runs(*run_ids, beside=beside, start=start)
            rows = [
                {
                    "group": group,
                    "key": key,
                    "values": [shorten(to_json(value)) for value in values],
                    "differs": differs,
                }
                for group, key, values, differs in found.rows[offset : offset + limit]
            ]
            runs = [write_listed_run(run) for run in found.runs]
            body = {"runs": runs, "rows": rows, "count": len(found.rows), "offset": offset}
            return {**body, "best_by": found.metric}

        await self.answer(compare)

"""Routes that serve a model's version, and ask it for predictions."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from mlops_nb import api
from mlops_nb.config import load_settings
from mlops_nb.server.bodies import PREDICTION
from mlops_nb.server.body import read_body
from mlops_nb.server.handler import MLOpsRouteHandler
from mlops_nb.server.model_routes import read_version
from mlops_nb.server.serving_jobs import JOBS


class ServedRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/serving``: what this server serves of a store."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer the served versions, and those that ended by themselves."""
        start, is_trusted = self.start, await self.may_run_code()

        def list_served() -> dict[str, Any]:
            found = JOBS.list_served(load_settings(start).store)
            return {"served": [each.describe(is_trusted=is_trusted) for each in found]}

        await self.answer(list_served)


class ServingRouteHandler(MLOpsRouteHandler):
    """``POST``, ``DELETE /mlops-nb/models/<name>/versions/<number>/serving``: serve and stop."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def post(self, name: str, number: str) -> None:
        """Serve the version in a process of its own, on a free port of this machine.

        Parameters
        ----------
        name, number
            The model, and the version's number.
        """
        await self.need_kernels()
        start, version = self.start, read_version(number)

        def begin() -> dict[str, Any]:
            found = api.get_model(f"{name}/{version}", start=start)  # told at once if there is none
            store = load_settings(start).store
            job = JOBS.start(store, start, found.name, found.version)
            return {"served": job.describe(is_trusted=True)}

        await self.answer(begin)

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def delete(self, name: str, number: str) -> None:
        """End the process after the requests that it is answering.

        Parameters
        ----------
        name, number
            The model, and the version's number.
        """
        await self.need_kernels()
        start, version = self.start, read_version(number)

        def stop() -> dict[str, Any]:
            job = JOBS.stop(load_settings(start).store, name, version)
            return {"served": None if job is None else job.describe(is_trusted=True)}

        await self.answer(stop)


class PredictionRouteHandler(MLOpsRouteHandler):
    """``POST /mlops-nb/models/<name>/versions/<number>/predictions``: try a served version."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def post(self, name: str, number: str) -> None:
        """Answer predictions for rows, or which value does not fit the signature.

        Parameters
        ----------
        name, number
            The model, and the version's number.
        """
        await self.need_kernels()
        start, version = self.start, read_version(number)
        body = self.request.body
        read_body(body, PREDICTION)  # passed on as it came: the model names what is wrong in it
        await self.answer(lambda: JOBS.predict(load_settings(start).store, name, version, body))


ROUTES: tuple[tuple[str, type[MLOpsRouteHandler]], ...] = (
    (r"serving", ServedRouteHandler),
    (r"models/([^/]+)/versions/([^/]+)/serving", ServingRouteHandler),
    (r"models/([^/]+)/versions/([^/]+)/predictions", PredictionRouteHandler),
)

"""Routes of what is done with a run once more: its code, its model, the run itself."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from mlops_nb import api
from mlops_nb.server.bodies import REGISTRATION, REPRODUCTION
from mlops_nb.server.body import read_body, read_whole_id
from mlops_nb.server.handler import MLOpsRouteHandler
from mlops_nb.server.model_routes import read_reason, write_version
from mlops_nb.server.pipeline_jobs import PipelineJobs, cancel_job, describe_job

# By the run; each works on a copy of its own, so any number may be at work.
JOBS = PipelineJobs("run", "a run that is not being made again")


class ScriptRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/runs/<run_id>/script``: the code of a run, as it ran, as a script."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self, run_id: str) -> None:
        """Answer the script and a name for its file; nothing is written.

        Parameters
        ----------
        run_id
            As for `RunRouteHandler.get`.
        """
        start = self.start

        def export() -> dict[str, Any]:
            name, source = api.read_run_script(run_id, start=start)
            # A lone surrogate is a text of Python, but none that can be sent.
            return {"name": name, "source": source.encode("utf-8", "replace").decode()}

        await self.answer(export)


class RegistrationRouteHandler(MLOpsRouteHandler):
    """``GET``, ``POST /mlops-nb/runs/<run_id>/registration``: a run's model in the registry."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self, run_id: str) -> None:
        """Answer the versions of the run's model, and the kernel that has trained it.

        Parameters
        ----------
        run_id
            As for `RunRouteHandler.get`.
        """
        start = self.start

        def describe() -> dict[str, Any]:
            versions = api.list_run_versions(run_id, start=start)
            return {
                "versions": [write_version(each) for each in versions],
                "kernel_id": api.find_run_kernel(run_id, start=start),
            }

        await self.answer(describe)

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def post(self, run_id: str) -> None:
        """Register bytes that were registered before; a living object only its kernel can.

        Parameters
        ----------
        run_id
            The whole id.
        """
        found, start = read_whole_id(run_id), self.start
        sent = read_body(self.request.body, REGISTRATION)
        name, alias, reason = sent.get("name", ""), sent.get("alias") or None, read_reason(sent)
        await self.answer(
            lambda: write_version(
                api.register_run(found, name=name, alias=alias, reason=reason, start=start)
            )
        )


class ReproductionRouteHandler(MLOpsRouteHandler):
    """``GET``, ``POST``, ``DELETE /mlops-nb/runs/<run_id>/reproduction``: make a run again."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self, run_id: str) -> None:
        """Answer how far this server is with the run, or how it has ended.

        Parameters
        ----------
        run_id
            The whole id.
        """
        job, root = JOBS.find(self.start / read_whole_id(run_id)), self.root
        await self.answer(lambda: describe_job(job, root))

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def post(self, run_id: str) -> None:
        """Run its code in a process of its own, and compare.

        Parameters
        ----------
        run_id
            The whole id.
        """
        await self.need_kernels()
        found, start, root = read_whole_id(run_id), self.start, self.root
        sent = read_body(self.request.body, REPRODUCTION)

        def begin() -> dict[str, Any]:
            api.get_run(found, start=start)  # one that is not there is told at once
            request = {**sent, "mode": "reproduce", "run": found, "start": str(start)}
            return {"job": JOBS.start(start / found, request, []).describe(root)}

        await self.answer(begin)

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def delete(self, run_id: str) -> None:
        """Cancel it; nothing is recorded then.

        Parameters
        ----------
        run_id
            The whole id.
        """
        await self.need_kernels()
        job, root = JOBS.find(self.start / read_whole_id(run_id)), self.root
        await self.answer(lambda: cancel_job(job, root))


ROUTES: tuple[tuple[str, type[MLOpsRouteHandler]], ...] = (
    (r"runs/([^/]+)/registration", RegistrationRouteHandler),
    (r"runs/([^/]+)/reproduction", ReproductionRouteHandler),
    (r"runs/([^/]+)/script", ScriptRouteHandler),
)

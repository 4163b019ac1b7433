"""Routes of a notebook's pipeline: what it is, what becomes of its run, and its export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from mlops_nb import api
from mlops_nb.errors import InvalidValueError
from mlops_nb.server.bodies import EXPORT, PIPELINE_RUN
from mlops_nb.server.body import read_body
from mlops_nb.server.handler import MLOpsRouteHandler
from mlops_nb.server.pipeline_jobs import JOBS, cancel_job, describe_job
from mlops_nb.server.pipeline_payload import describe_pipeline, explain_step, list_suggestions

_MODES = ("run", "verify")


class _NotebookRouteHandler(MLOpsRouteHandler):
    """What the routes of a pipeline share: they are about one notebook."""

    def need_notebook(self) -> Path:
        """Find the notebook that is asked about, which must be named."""
        notebook = self.find_notebook()
        if notebook is None:
            raise InvalidValueError("notebook", "", "the path of a notebook")
        return notebook


class PipelineRouteHandler(_NotebookRouteHandler):
    """``GET /mlops-nb/pipeline``: the steps of a notebook, and what crosses between them."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer the pipeline as the notebook's file stands; nothing is executed."""
        notebook = self.need_notebook()
        await self.answer(lambda: describe_pipeline(notebook))


class StepRouteHandler(_NotebookRouteHandler):
    """``GET /mlops-nb/pipeline/why``: why a step depends on others."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer where each value is made and used that reaches the step or leaves it."""
        notebook, step = self.need_notebook(), self.get_query_argument("step")
        await self.answer(lambda: explain_step(notebook, step))


class SuggestionsRouteHandler(_NotebookRouteHandler):
    """``GET /mlops-nb/pipeline/suggestions``: tags for a notebook that has none."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer a tag for each cell that should have one, with the reason; nothing is written."""
        notebook = self.need_notebook()
        await self.answer(lambda: list_suggestions(notebook))


class PipelineRunRouteHandler(_NotebookRouteHandler):
    """``GET``, ``POST``, ``DELETE /mlops-nb/pipeline/run``: watch, start and cancel a run."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer the last run of the notebook that this server started, step by step."""
        job, root = JOBS.find(self.need_notebook()), self.root
        await self.answer(lambda: describe_job(job, root))

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def post(self) -> None:
        """Run the notebook's pipeline in a process of its own."""
        await self.need_kernels()
        notebook, root = self.need_notebook(), self.root
        sent = read_body(self.request.body, PIPELINE_RUN)
        mode = sent.get("mode", "run")
        if mode not in _MODES:
            raise InvalidValueError("mode", mode, " or ".join(_MODES))

        def start() -> dict[str, Any]:
            plan = describe_pipeline(notebook)
            if not plan["steps"]:  # what is in the way has a cell, which the panel jumps to
                return {"job": None, "problem": plan["problem"]}
            steps = [step["name"] for step in plan["steps"]]
            return {"job": JOBS.start(notebook, sent, steps).describe(root), "problem": None}

        await self.answer(start)

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def delete(self) -> None:
        """Cancel the run: its kernels are interrupted, and no step begins any more."""
        await self.need_kernels()
        job, root = JOBS.find(self.need_notebook()), self.root
        await self.answer(lambda: cancel_job(job, root))


class ExportRouteHandler(_NotebookRouteHandler):
    """``POST /mlops-nb/pipeline/export``: write a notebook as a script beside it."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def post(self) -> None:
        """Write the script, and answer where it lies; a file that is not ours is never replaced."""
        notebook, root = self.need_notebook(), self.root
        sent = read_body(self.request.body, EXPORT)

        def export() -> dict[str, Any]:
            path = api.export_notebook(notebook, sent.get("to", "script"))
            return {"path": path.absolute().relative_to(root).as_posix()}

        await self.answer(export)


ROUTES: tuple[tuple[str, type[MLOpsRouteHandler]], ...] = (
    (r"pipeline", PipelineRouteHandler),
    (r"pipeline/why", StepRouteHandler),
    (r"pipeline/suggestions", SuggestionsRouteHandler),
    (r"pipeline/run", PipelineRunRouteHandler),
    (r"pipeline/export", ExportRouteHandler),
)

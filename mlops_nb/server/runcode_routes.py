"""Routes of what can be done with a run once more: its code as a script."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from mlops_nb import api
from mlops_nb.server.handler import MLOpsRouteHandler


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


ROUTES: tuple[tuple[str, type[MLOpsRouteHandler]], ...] = (
    (r"runs/([^/]+)/script", ScriptRouteHandler),
)

"""The route of the notebook in view: what its kernel executed, and the runs that are under way."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from mlops_nb import api
from mlops_nb.errors import InvalidValueError
from mlops_nb.records import ExecutionRecord, SessionRecord, format_time
from mlops_nb.server.handler import MLOpsRouteHandler
from mlops_nb.server.payload import to_json, write_listed_run
from mlops_nb.server.underway import UNDER_WAY

_MOST_EXECUTIONS = 500
_MOST_RUNS = 3
_LONGEST_ID = 200
_MOST_CHARACTERS = 1_000_000


def write_session(session: SessionRecord | None) -> dict[str, Any] | None:
    """Give a session as the panel shows it."""
    if session is None:
        return None
    return {
        "session_id": session.session_id,
        "started_at": format_time(session.started_at),
        "is_live": session.is_live,
        "is_recording": session.is_recording,
    }


def write_execution(found: ExecutionRecord) -> dict[str, Any]:
    """Give an execution as the panel needs it to tell what is out of date."""
    cell = found.cell
    return {
        "index": cell.index,
        "cell_id": cell.cell_id,
        "execution_count": cell.execution_count,
        "status": cell.status,
        "source": cell.source,
        "reads": list(found.reads),
        "writes": list(found.writes),
        "changes": list(found.changes),
        "is_repeat": found.is_repeat,
    }


def describe_notebook(
    notebook: Path | None, kernel_id: str, session_id: str, since: int, start: Path
) -> dict[str, Any]:
    """Give what is new of a notebook.

    Parameters
    ----------
    notebook
        Where it lies; None where the query named none.
    kernel_id
        Of its kernel, empty where it has none.
    session_id
        The session that `since` counts in; in another one all is new.
    since
        So many executions are known already.
    start
        Folder whose project's store is read.

    Returns
    -------
    dict
        ``session``, ``executions`` from the place ``from`` on, ``count``, ``runs`` (those that
        are under way, else the last one) and ``now``.
    """
    session: SessionRecord | None = None
    executions: list[ExecutionRecord] = []
    count = 0
    if kernel_id:
        watch = api.watch_session
        session, executions, count = watch(kernel_id, since, _MOST_EXECUTIONS, start=start)
        if session is not None and session.session_id != session_id and since:
            since = 0
            session, executions, count = watch(kernel_id, 0, _MOST_EXECUTIONS, start=start)
    path = str(notebook) if notebook else None
    runs = UNDER_WAY.find(path, start, _MOST_RUNS)
    return {
        "session": write_session(session),
        "executions": to_json(_bound([write_execution(each) for each in executions])),
        "from": since,
        "count": count,
        "runs": [write_listed_run(run) for run in runs],
        "now": format_time(time.time()),
    }


def _bound(executions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep one answer small however long cells are; the panel asks for the rest."""
    size = 0
    for place, each in enumerate(executions):
        size += len(each["source"])
        if size > _MOST_CHARACTERS and place:
            return executions[:place]
    return executions


class NotebookRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/notebook``: the notebook in view."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer what is new of the notebook's kernel, and the runs that are under way."""
        notebook, start = self.find_notebook(), self.start
        kernel_id = self.get_query_argument("kernel", "")
        session_id = self.get_query_argument("session", "")
        for name, text in (("kernel", kernel_id), ("session", session_id)):
            if len(text) > _LONGEST_ID:
                raise InvalidValueError(name, text, f"at most {_LONGEST_ID} characters")
        since = self.read_argument("since", 0, 0, 10**9)
        await self.follow()
        await self.answer(lambda: describe_notebook(notebook, kernel_id, session_id, since, start))


ROUTES: tuple[tuple[str, type[MLOpsRouteHandler]], ...] = ((r"notebook", NotebookRouteHandler),)

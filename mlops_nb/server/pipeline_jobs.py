"""Pipelines that run for the panel: one process each, watched by a thread, one a notebook."""

from __future__ import annotations

import json
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from mlops_nb.errors import InvalidValueError
from mlops_nb.records import format_time
from mlops_nb.server.children import ChildProcess

# Of what a run tells; a panel shows the last of them.
_MOST_NOTICES = 100
_MOST_JOBS = 50
_GRACE_S = 20.0


class PipelineJob:
    """One run of a notebook's pipeline in a process of its own.

    Parameters
    ----------
    notebook
        The notebook; its folder is where the process works.
    request
        As `pipeline_child.run_request` takes it.
    steps
        Names of the steps, in order, so that those that wait show from the start.
    """

    def __init__(self, notebook: Path, request: dict[str, Any], steps: list[str]) -> None:
        self.notebook = notebook
        self._lock = threading.Lock()
        self._state: dict[str, Any] = {
            "job_id": uuid.uuid4().hex,
            "mode": request.get("mode", "run"),
            "status": "running",
            "started_at": format_time(time.time()),
            "ended_at": None,
            "steps": [_make_step(name) for name in steps],
            "notices": [],
            "run_id": None,
            "metrics": {},
            "verification": None,
            "verdict": None,
            "problem": None,
        }
        self._process = ChildProcess(
            "mlops_nb.server.pipeline_child",
            notebook.parent,
            {**request, "notebook": str(notebook)},
            f"mlops_nb-pipeline-{notebook.stem[:20]}",
            _GRACE_S,
            self._take,
            self._take_leave,
        )

    @property
    def is_at_work(self) -> bool:
        """Whether it has not ended."""
        with self._lock:
            return self._state["status"] in ("running", "cancelling")

    def describe(self, root: Path) -> dict[str, Any]:
        """Give what is known now.

        Parameters
        ----------
        root
            The folder that the server serves; executed notebooks are named from there.

        Returns
        -------
        dict
            JSON types. A step's ``notebook`` is None where it lies outside of `root`.
        """
        with self._lock:
            state: dict[str, Any] = json.loads(json.dumps(self._state))
        for step in state["steps"]:
            step["notebook"] = _find_path(step["notebook"], root)
        return {**state, "now": format_time(time.time())}

    def cancel(self) -> None:
        """End the run as Ctrl-C would; what goes on all the same is killed after a while."""
        with self._lock:
            if self._state["status"] != "running":
                return
            self._state["status"] = "cancelling"
        self._process.stop()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended.

        Parameters
        ----------
        timeout
            Seconds to wait at most.
        """
        self._process.join(timeout)

    def _take_leave(self, code: int, last_words: str) -> None:
        with self._lock:
            if self._state["status"] in ("running", "cancelling"):
                was_cancelled = self._state["status"] == "cancelling"
                self._conclude("interrupted" if was_cancelled else "died")
                if not was_cancelled:
                    self._state["problem"] = _explain_death(code, last_words)

    def _take(self, told: dict[str, Any]) -> bool:
        with self._lock:
            kind = told["kind"]
            if kind == "notice":
                self._state["notices"] = [*self._state["notices"], told["message"]][-_MOST_NOTICES:]
            elif kind == "ended":
                self._take_end(told)
            else:
                self._update_step(told)
            return bool(kind == "ended")

    def _update_step(self, told: dict[str, Any]) -> None:
        step = _find_step(self._state["steps"], told["step"])
        if told["kind"] != "step_finished":
            step["status"] = "running"
            step["cells_done"], step["cells_total"] = told["cells_done"], told["cells_total"]
            return
        for key in ("status", "duration_s", "message"):
            step[key] = told[key]
        # The end tells it too, but of a run that is cancelled it never comes.
        folder = self.notebook.with_name(f"{self.notebook.stem}-run")
        executed = folder / f"{told['number']:02d}-{told['step']}.ipynb"
        step["notebook"] = str(executed) if executed.is_file() else None

    def _take_end(self, told: dict[str, Any]) -> None:
        for key in ("run_id", "metrics", "verification", "verdict", "problem"):
            if told.get(key) is not None:
                self._state[key] = told[key]
        for result in told.get("steps", []):
            step = _find_step(self._state["steps"], result["name"])
            step["status"] = "cached" if result["cached"] else result["status"]
            step["notebook"] = result["notebook"]
            step["duration_s"] = result["duration_s"]
            step["message"] = result["error"] or result["reason"] or ""
        self._conclude(told["status"])

    def _conclude(self, status: str) -> None:
        self._state["status"] = status
        self._state["ended_at"] = format_time(time.time())
        for step in self._state["steps"]:
            if step["status"] == "running":
                step["status"] = "failed"


def _make_step(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "status": "pending",
        "cells_done": 0,
        "cells_total": 0,
        "duration_s": None,
        "message": "",
        "notebook": None,
    }


def _find_step(steps: list[dict[str, Any]], name: str) -> dict[str, Any]:
    for step in steps:
        if step["name"] == name:
            return step
    steps.append(_make_step(name))  # the notebook was saved between the plan and the run
    return steps[-1]


def _find_path(path: str | None, root: Path) -> str | None:
    if path is None:
        return None
    place = Path(path).absolute()
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else None


def _explain_death(code: int, last_words: str) -> dict[str, Any]:
    return {
        "error": "InternalError",
        "message": f"the process that ran the pipeline ended with code {code}",
        "hint": last_words,
        "cell": None,
    }


class PipelineJobs:
    """The last run of each notebook, for as long as the server lives.

    Parameters
    ----------
    kind, expected
        What a job is of, and what one must be to be started.
    """

    def __init__(
        self, kind: str = "notebook", expected: str = "a notebook whose pipeline is not running"
    ) -> None:
        self._kind, self._expected = kind, expected
        self._jobs: dict[Path, PipelineJob] = {}
        self._lock = threading.Lock()

    def start(self, notebook: Path, request: dict[str, Any], steps: list[str]) -> PipelineJob:
        """Run a notebook's pipeline.

        Parameters
        ----------
        notebook, request, steps
            As for `PipelineJob`.

        Returns
        -------
        PipelineJob
            At work.

        Raises
        ------
        InvalidValueError
            One is at work on this notebook, which writes the same files.
        """
        with self._lock:
            known = self._jobs.get(notebook)
            if known is not None and known.is_at_work:
                hint = "Wait until it has ended, or cancel it."
                raise InvalidValueError(self._kind, notebook.name, self._expected, hint)
            self._jobs.pop(notebook, None)
            job = self._jobs[notebook] = PipelineJob(notebook, request, steps)
            ended = [path for path, each in self._jobs.items() if not each.is_at_work]
            for path in ended[: max(0, len(self._jobs) - _MOST_JOBS)]:
                del self._jobs[path]
        return job

    def find(self, notebook: Path) -> PipelineJob | None:
        """Give the last run of a notebook.

        Parameters
        ----------
        notebook
            The notebook.

        Returns
        -------
        PipelineJob or None
            None where this server has not run it.
        """
        # Without the lock, which is held while a process starts: the event loop asks too.
        return self._jobs.get(notebook)


def describe_job(job: PipelineJob | None, root: Path) -> dict[str, Any]:
    """Give what a route answers of a job.

    Parameters
    ----------
    job
        None where there is none.
    root
        As for `PipelineJob.describe`.

    Returns
    -------
    dict
        ``job``, or None.
    """
    return {"job": None if job is None else job.describe(root)}


def cancel_job(job: PipelineJob | None, root: Path) -> dict[str, Any]:
    """End a job, and give what a route answers of it; see `describe_job`."""
    if job is not None:
        job.cancel()
    return describe_job(job, root)


JOBS = PipelineJobs()

"""Pipelines that run for the panel: one process each, watched by a thread, one a notebook."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import IO, Any

from mlops_nb.errors import InvalidValueError
from mlops_nb.records import format_time

# Of what a run tells; a panel shows the last of them.
_MOST_NOTICES = 100
_MOST_JOBS = 50
_GRACE_S = 20.0
_LOG_BYTES = 4000


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
        # A file, as a pipe that nobody reads would stop the process.
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the thread that watches
        self._process = subprocess.Popen(
            # -P: a file of the notebook's folder must not stand for a module of ours.
            [sys.executable, "-P", "-m", "mlops_nb.server.pipeline_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=notebook.parent,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        line = json.dumps({**request, "notebook": str(notebook)}).encode() + b"\n"
        name = f"mlops_nb-pipeline-{notebook.stem[:20]}"
        self._thread = threading.Thread(target=self._watch, args=(line,), name=name, daemon=True)
        self._thread.start()

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
        # First: a process that does not read has closing wait for what was sent.
        killer = threading.Timer(_GRACE_S, self._kill)
        killer.daemon = True
        killer.start()
        self._close_input()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended.

        Parameters
        ----------
        timeout
            Seconds to wait at most.
        """
        self._thread.join(timeout)

    def _close_input(self) -> None:
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()

    def _kill(self) -> None:
        if self._process.poll() is not None:
            return
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def _watch(self, request: bytes) -> None:
        """Send the request, and take in what is told, until that is the end or nobody is there."""
        output, source = self._process.stdout, self._process.stdin
        assert output is not None
        assert source is not None
        # A long one waits until the process reads. One that was cancelled, or died, is told below.
        with contextlib.suppress(OSError, ValueError):
            source.write(request)
            source.flush()
        for line in output:
            with contextlib.suppress(ValueError, TypeError, KeyError):
                self._take(json.loads(line))
            if not self.is_at_work:
                break  # a kernel that lives on may hold the pipe open
        self._close_input()
        try:
            code = self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._kill()
            code = self._process.wait()
        output.close()
        with self._lock, self._log as log:
            if self._state["status"] in ("running", "cancelling"):
                was_cancelled = self._state["status"] == "cancelling"
                self._conclude("interrupted" if was_cancelled else "died")
                if not was_cancelled:
                    self._state["problem"] = _explain_death(code, log)

    def _take(self, told: dict[str, Any]) -> None:
        with self._lock:
            kind = told["kind"]
            if kind == "notice":
                self._state["notices"] = [*self._state["notices"], told["message"]][-_MOST_NOTICES:]
            elif kind == "ended":
                self._take_end(told)
            else:
                self._update_step(told)

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


def _explain_death(code: int, log: IO[bytes]) -> dict[str, Any]:
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - _LOG_BYTES))
    said = log.read().decode(errors="replace").strip()
    return {
        "error": "InternalError",
        "message": f"the process that ran the pipeline ended with code {code}",
        "hint": said.splitlines()[-1] if said else "",
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


JOBS = PipelineJobs()

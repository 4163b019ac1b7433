"""Nobody waits for a process that starts, and one can be cancelled before it has begun."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mlops_nb.server.pipeline_jobs import PipelineJob, PipelineJobs


def test_asking_never_waits_for_a_start(tmp_path: Path) -> None:
    """The event loop asks for a job while another one's process is being started."""
    jobs = PipelineJobs()
    with jobs._lock:  # as `start` holds it
        assert jobs.find(tmp_path / "a.ipynb") is None


@pytest.mark.skipif(sys.platform == "win32", reason="a program of the shell")
def test_a_long_request_is_cancelled_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request longer than a pipe waits for its process by itself; cancelled, it ends."""
    deaf = tmp_path / "deaf"  # a process that has not begun to read
    deaf.write_text("#!/bin/sh\nexec sleep 600\n")
    deaf.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(deaf))
    monkeypatch.setattr("mlops_nb.server.pipeline_jobs._GRACE_S", 0.2)
    params = {"text": "x" * 1_000_000}
    job = PipelineJob(tmp_path / "a.ipynb", {"mode": "run", "params": params}, ["train"])
    assert job.is_at_work
    job.cancel()
    job.join()
    state = job.describe(tmp_path)
    assert (state["status"], state["steps"][0]["status"]) == ("interrupted", "pending")

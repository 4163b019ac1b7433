"""Nobody waits for a process that starts, and one can be cancelled before it has begun."""

from __future__ import annotations

from pathlib import Path

from mlops_nb.server.pipeline_jobs import PipelineJob, PipelineJobs


def test_asking_never_waits_for_a_start(tmp_path: Path) -> None:
    """The event loop asks for a job while another one's process is being started."""
    jobs = PipelineJobs()
    with jobs._lock:  # as `start` holds it
        assert jobs.find(tmp_path / "a.ipynb") is None


def test_a_long_request_is_cancelled_at_once(tmp_path: Path) -> None:
    """A request longer than a pipe waits for its process by itself; cancelled, it ends."""
    params = {"text": "x" * 1_000_000}
    job = PipelineJob(tmp_path / "a.ipynb", {"mode": "run", "params": params}, ["train"])
    assert job.is_at_work
    job.cancel()
    job.join(60)
    state = job.describe(tmp_path)
    assert (state["status"], state["steps"][0]["status"]) == ("interrupted", "pending")

"""The routes of a pipeline: what a notebook's steps are, and runs that are watched and cancelled."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from mlops_nb.server.pipeline_jobs import JOBS
from tests.server.conftest import Ask

Send = Callable[..., Awaitable[tuple[int, Any]]]

LOAD = ("load", "rows = [1, 2, 3]")
TOTAL = ("total", "total = sum(rows)\nprint(total)")


@pytest.fixture
def write(jp_root_dir: Path) -> Callable[..., str]:
    """Give a function that writes a notebook of steps, each a name and a source."""

    def write_notebook(name: str, *steps: tuple[str, str]) -> str:
        cells = [nbformat.v4.new_markdown_cell("# Title")]
        for step, source in steps:
            tags = [tag for tag in step.split() if tag]
            tags[:1] = [f"step:{tags[0]}"] if tags else []
            cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": tags}))
        nbformat.write(nbformat.v4.new_notebook(cells=cells), jp_root_dir / name)
        return name

    return write_notebook


@pytest.fixture
def act(jp_fetch: Any) -> Ask:
    """Give a function that asks for a change of a notebook's pipeline."""

    async def fetch(method: str, route: str, notebook: str, **fields: Any) -> tuple[int, Any]:
        body = json.dumps(fields) if method == "POST" else None
        answer = await jp_fetch(
            "mlops-nb/pipeline",
            route,
            method=method,
            params={"notebook": notebook},
            body=body,
            raise_error=False,
            request_timeout=240,
        )
        return answer.code, json.loads(answer.body)

    return fetch


async def wait_for_end(act: Ask, notebook: str) -> dict[str, Any]:
    """Watch a run as the panel does, until it has ended."""
    while True:
        code, body = await act("GET", "run", notebook)
        assert code == 200
        if body["job"]["status"] not in ("running", "cancelling"):
            job: dict[str, Any] = body["job"]
            return job
        await asyncio.sleep(0.05)


async def test_pipeline_tells_steps_and_what_crosses(
    ask: Ask, write: Callable[..., str], jp_root_dir: Path
) -> None:
    """Steps stand in notebook order with their cells, what they need and what a run would do."""
    side = ("side after:load", "other = 1")
    notebook = write("plan.ipynb", LOAD, side, TOTAL)
    code, body = await ask("pipeline", notebook=notebook)
    assert (code, body["problem"], body["is_tagged"]) == (200, None, True)
    assert [step["name"] for step in body["steps"]] == ["load", "side", "total"]
    assert [step["foreseen"] for step in body["steps"]] == ["runs"] * 3
    assert [step["cells"][0]["index"] for step in body["steps"]] == [1, 2, 3]
    ids = [cell["id"] for cell in json.loads((jp_root_dir / notebook).read_text())["cells"]]
    assert body["steps"][0]["cells"][0]["id"] == ids[1]
    assert body["steps"][1]["after"] == ["load"]
    assert body["edges"] == [{"source": "load", "target": "total", "names": ["rows"]}]
    code, body = await ask("pipeline", "why", notebook=notebook, step="total")
    assert code == 200
    found = body["dependencies"][0]
    assert (found["name"], found["written"]["cell"], found["used"]["cell"]) == ("rows", 1, 3)


async def test_what_is_in_the_way_names_its_cell(ask: Ask, write: Callable[..., str]) -> None:
    """Tags that cannot be kept are an answer, not a failure: message, hint and cell."""
    notebook = write("wrong.ipynb", ("", "x = print(1)"), LOAD)
    code, body = await ask("pipeline", notebook=notebook)
    assert (code, body["steps"], body["problem"]["cell"]) == (200, [], 1)
    assert body["problem"]["error"] == "PipelineError"
    assert "belongs to no step" in body["problem"]["message"]
    assert str(notebook) not in body["problem"]["message"]
    # The same file with other tags is another pipeline.
    write("wrong.ipynb", LOAD)
    assert [step["name"] for step in (await ask("pipeline", notebook=notebook))[1]["steps"]] == [
        "load"
    ]
    code, body = await ask("pipeline", notebook=write("plain.ipynb", ("", "x = 1")))
    assert (body["is_tagged"], [step["name"] for step in body["steps"]]) == (False, ["main"])


async def test_steps_are_proposed_and_nothing_is_written(
    ask: Ask, write: Callable[..., str], jp_root_dir: Path
) -> None:
    """A notebook without tags gets a proposal with reasons, and its file stays as it is."""
    notebook = write("bare.ipynb", ("", "import math"), ("", "x = [1]"), ("", "y = math.pi"))
    before = (jp_root_dir / notebook).read_bytes()
    code, body = await ask("pipeline", "suggestions", notebook=notebook)
    assert code == 200
    assert {"cell": 1, "tag": "imports"}.items() <= body["suggestions"][0].items()
    assert all(each["reason"] for each in body["suggestions"])
    assert (jp_root_dir / notebook).read_bytes() == before


async def test_only_notebooks_below_the_root_are_read(
    ask: Ask, act: Ask, jp_root_dir: Path, write: Callable[..., str]
) -> None:
    """No path leads out of the served folder, and what is no notebook is said to be none."""
    (jp_root_dir / "text.ipynb").write_text("no notebook")
    for path in ("../../etc/passwd", "/..", "a/../../b.ipynb", ""):
        assert (await ask("pipeline", notebook=path))[0] == 400
        assert (await act("POST", "run", path))[0] == 400
        assert (await act("POST", "export", path))[0] == 400
    code, body = await ask("pipeline", notebook="nowhere.ipynb")
    assert (code, body["error"]) == (404, "NotFoundError")
    _, body = await ask("pipeline", notebook="text.ipynb")
    assert body["problem"]["error"] == "NotebookError"
    assert (await act("GET", "run", write("quiet.ipynb", LOAD)))[1] == {"job": None}
    for wrong in ({"mode": "fly"}, {"force": 1}, {"params": {"a": 1}}, {"cmd": "x"}):
        assert (await act("POST", "run", "quiet.ipynb", **wrong))[0] == 400


async def test_pipeline_runs_in_a_process_and_is_watched(
    ask: Ask, act: Ask, write: Callable[..., str], jp_root_dir: Path
) -> None:
    """Each step ends with its notebook, which the panel can open; a second run takes the cache."""
    notebook = write("run.ipynb", LOAD, TOTAL)
    code, body = await act("POST", "run", notebook)
    assert (code, body["problem"]) == (200, None)
    assert [step["name"] for step in body["job"]["steps"]] == ["load", "total"]
    code, refused = await act("POST", "run", notebook)
    assert (code, refused["error"]) == (400, "InvalidValueError")
    job = await wait_for_end(act, notebook)
    assert (job["status"], job["problem"]) == ("finished", None)
    assert [step["status"] for step in job["steps"]] == ["succeeded"] * 2
    executed = jp_root_dir / job["steps"][1]["notebook"]
    assert "6" in executed.read_text()
    assert (await ask("runs", job["run_id"]))[1]["status"] == "finished"
    _, plan = await ask("pipeline", notebook=notebook)
    assert [step["foreseen"] for step in plan["steps"]] == ["cached"] * 2
    leaves = plan["steps"][0]["leaves"]
    assert [each["names"] for each in leaves] == [["rows"]]
    assert 0 < leaves[0]["size_bytes"] < 1000
    await act("POST", "run", notebook, start_at="total")
    job = await wait_for_end(act, notebook)
    assert [step["status"] for step in job["steps"]] == ["cached", "succeeded"], job


async def test_failure_and_refusal_are_told(act: Ask, write: Callable[..., str]) -> None:
    """A step that fails says why, and a run that is refused has no step that ran."""
    notebook = write("fail.ipynb", LOAD, ("boom", "raise ValueError('<b>no</b>')"), TOTAL)
    await act("POST", "run", notebook)
    job = await wait_for_end(act, notebook)
    assert job["status"] == "failed"
    assert [step["status"] for step in job["steps"]] == ["succeeded", "failed", "skipped"]
    assert "<b>no</b>" in job["steps"][1]["message"]
    await act("POST", "run", notebook, start_at="nothing")
    job = await wait_for_end(act, notebook)
    assert (job["status"], job["problem"]["error"]) == ("refused", "InvalidValueError")


async def test_cancelled_run_ends(act: Ask, write: Callable[..., str], jp_root_dir: Path) -> None:
    """A click ends a step that would go on for ever, and what had ended stays."""
    notebook = write("long.ipynb", LOAD, ("sleep", "import time\ntime.sleep(600)"))
    await act("POST", "run", notebook)
    while True:
        _, body = await act("GET", "run", notebook)
        assert body["job"]["status"] == "running", body
        if body["job"]["steps"][1]["status"] == "running":
            break
        await asyncio.sleep(0.05)
    code, body = await act("DELETE", "run", notebook)
    assert (code, body["job"]["status"]) == (200, "cancelling")
    job = await wait_for_end(act, notebook)
    assert job["status"] == "interrupted"
    assert [step["status"] for step in job["steps"]] == ["succeeded", "failed"]
    assert (jp_root_dir / job["steps"][0]["notebook"]).is_file()


async def test_process_that_dies_is_told(
    act: Ask, write: Callable[..., str], jp_root_dir: Path
) -> None:
    """A run whose process was killed ends as dead, with the code, and can be run again."""
    notebook = write("dies.ipynb", ("sleep", "import time\ntime.sleep(600)"))
    await act("POST", "run", notebook)
    job = JOBS.find(jp_root_dir / notebook)
    assert job is not None
    os.killpg(job._process.pid, signal.SIGKILL)
    told = await wait_for_end(act, notebook)
    assert told["status"] == "died"
    assert "-9" in told["problem"]["message"]
    assert not job.is_at_work


async def test_who_may_run_no_code_runs_no_step(
    jp_serverapp: Any, act: Ask, write: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right to change our resource is not enough to execute cells."""

    def decide(handler: Any, user: Any, action: str, resource: str) -> bool:
        return (action, resource) != ("execute", "kernels")

    monkeypatch.setattr(jp_serverapp.authorizer, "is_authorized", decide)
    notebook = write("right.ipynb", LOAD)
    assert (await act("POST", "run", notebook))[0] == 403
    assert (await act("DELETE", "run", notebook))[0] == 403
    assert (await act("GET", "run", notebook))[1] == {"job": None}


async def test_export_writes_beside_and_replaces_nothing(
    act: Ask, write: Callable[..., str], jp_root_dir: Path
) -> None:
    """A script is written once, and over its own kind only."""
    notebook = write("out.ipynb", LOAD, TOTAL)
    assert await act("POST", "export", notebook) == (200, {"path": "out.py"})
    assert "total = sum(rows)" in (jp_root_dir / "out.py").read_text()
    (jp_root_dir / "out.py").write_text("mine")
    code, body = await act("POST", "export", notebook)
    assert code == 400
    assert body["hint"]
    assert (jp_root_dir / "out.py").read_text() == "mine"
    assert (await act("POST", "export", notebook, to="airflow"))[0] == 400

"""The routes of what is done with a run once more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from mlops_nb import registry
from mlops_nb.store import Store
from mlops_nb.tracking import link_object
from tests.api.kernels import PlayedKernel
from tests.server.conftest import Ask

Send = Callable[..., Awaitable[tuple[int, Any]]]
LOGS = "import mlops_nb\nwith mlops_nb.start_run('it'):\n    mlops_nb.log_metric('total', 1.0)"
NEVER = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def run_id(jp_root_dir: Path) -> str:
    """Give a run of a notebook that is not there any more; its kernel has ended."""
    kernel = PlayedKernel(jp_root_dir / "nb.ipynb")
    [run_id] = kernel.execute(LOGS)
    kernel.session.close()
    return run_id


async def test_script_of_a_run_is_answered(ask: Ask, run_id: str, tmp_path: Path) -> None:
    """With a name for its file; a run without code, or none at all, is told as such."""
    code, body = await ask("runs", run_id, "script")
    assert code == 200
    assert LOGS in body["source"]
    assert body["name"] == f"it-{run_id[-8:]}.py"
    assert not list(tmp_path.rglob("*.py"))
    assert (await ask("runs", "never", "script"))[0] == 404


async def test_run_is_made_again_in_a_process(ask: Ask, send: Send, run_id: str) -> None:
    """It is watched to its verdict, which the run says from then on."""
    assert await ask("runs", run_id, "reproduction") == (200, {"job": None})
    code, body = await send("POST", "runs", run_id, "reproduction")
    assert (code, body["job"]["mode"], body["job"]["status"]) == (200, "reproduce", "running")
    code, body = await send("POST", "runs", run_id, "reproduction")
    assert (code, "not being made again" in body["message"]) == (400, True)
    while body.get("job", {"status": "running"})["status"] == "running":
        await asyncio.sleep(0.1)
        _, body = await ask("runs", run_id, "reproduction")
    job = body["job"]
    assert (job["status"], job["verdict"]) == ("finished", "same"), job
    assert [(step["name"], step["status"]) for step in job["steps"]] == [("replay", "succeeded")]
    _, run = await ask("runs", run_id)
    assert run["tags"]["mlops.reproduction"] == job["verification"]
    assert run["tags"]["mlops.reproduction_run"] == job["run_id"]


async def test_runs_that_are_not_there_are_told(send: Send) -> None:
    """Nothing is started for a run that nobody knows, or for a part of an id."""
    assert (await send("POST", "runs", NEVER, "reproduction"))[0] == 404
    assert (await send("POST", "runs", "it", "reproduction"))[0] == 400
    assert (await send("DELETE", "runs", NEVER, "reproduction")) == (200, {"job": None})


async def test_who_may_run_no_code_makes_no_run_again(
    send: Send, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch, run_id: str
) -> None:
    """The code of a run is executed: it takes the right to execute kernels."""

    def decide(handler: Any, user: Any, action: str, resource: str) -> bool:
        return resource != "kernels"

    monkeypatch.setattr(jp_serverapp.authorizer, "is_authorized", decide)
    assert (await send("POST", "runs", run_id, "reproduction"))[0] == 403


async def test_model_of_a_run_is_registered_again(
    ask: Ask, send: Send, store: Store, run_id: str
) -> None:
    """From the bytes that are kept, with alias and reason; without any it is said what to do."""
    fields = {"name": "other", "alias": "champion", "reason": "better"}
    code, body = await send("POST", "runs", run_id, "registration", **fields)
    assert (code, "open the run's code as a notebook" in body["hint"]) == (404, True)
    rows = np.arange(12.0).reshape(6, 2)
    model = LogisticRegression().fit(rows, [0, 1] * 3)
    registry.register(store, model, name="first", run=store.read_run(run_id), example=rows)
    code, body = await send("POST", "runs", run_id, "registration", **fields)
    assert (code, body["name"], body["aliases"]) == (200, "other", ["champion"])
    _, body = await ask("runs", run_id, "registration")
    assert [each["name"] for each in body["versions"]] == ["first", "other"]
    assert body["kernel_id"] is None
    assert len({each["digest"] for each in body["versions"]}) == 1
    assert (await ask("models", "other"))[1]["changes"][0]["reason"] == "better"
    wrong = await send("POST", "runs", run_id, "registration", name="No!", alias="a")
    assert wrong[0] == 400


async def test_server_registers_no_object_of_its_own(send: Send, run_id: str) -> None:
    """An object that lives in the kernel is the kernel's to register; see its own test."""
    link_object(model := LogisticRegression(), NEVER)
    assert (await send("POST", "runs", run_id, "registration", name="a"))[0] == 404
    del model

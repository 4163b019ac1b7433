"""The routes that serve a model's version: real processes, asked and ended."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from mlops_nb import registry
from mlops_nb.server import serving_jobs
from mlops_nb.server.serving_jobs import JOBS
from mlops_nb.store import Store
from tests.server.conftest import Ask
from tests.server.test_model_routes import add_version

Send = Callable[..., Awaitable[tuple[int, Any]]]
VERSION = ("models", "iris", "versions", "1")
AGE, KIND = "age", "<b>kind</b>"


@pytest.fixture(autouse=True)
def end_processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave no process behind, whatever failed; give each the time that a busy machine takes."""
    monkeypatch.setattr(serving_jobs, "_START_S", 240.0)
    monkeypatch.setattr(serving_jobs, "_PREDICT_S", 120.0)
    yield
    JOBS.stop_all()


@pytest.fixture
def iris(store: Store) -> str:
    """Give the class that a registered model gives for an age of 1."""
    rows = pd.DataFrame({AGE: [1.0, 2.0, 8.0, 9.0], KIND: [0.0, 1.0, 0.0, 1.0]})
    model = LogisticRegression().fit(rows, ["young", "young", "old", "old"])
    registry.register(store, model, name="iris", example=rows)
    return "young"


async def wait_for(ask: Ask, *wanted: str) -> dict[str, Any]:
    """Watch the one served version until it is in one of some states."""
    while True:
        code, body = await ask("serving")
        assert code == 200
        [served] = body["served"]
        if served["status"] in wanted:
            return dict(served)
        await asyncio.sleep(0.1)


def find_process() -> int:
    """Give the number of the one process that serves."""
    [job] = JOBS._jobs.values()
    return job.pid


def call(url: str, token: str) -> int:
    """Ask the served model's own address."""
    caller = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    with contextlib.closing(caller):
        caller.request("GET", "/model", headers={"Authorization": f"Bearer {token}"})
        return caller.getresponse().status


async def test_version_is_served_asked_and_stopped(ask: Ask, send: Send, iris: str) -> None:
    """A value that does not fit is named by its place; nothing is left running at the end."""
    assert await ask("serving") == (200, {"served": []})
    code, body = await send("POST", *VERSION, "predictions", inputs=[{AGE: 1.0, KIND: 0.0}])
    assert (code, body["error"]) == (409, "RequestError")
    code, body = await send("POST", *VERSION, "serving")
    assert (code, body["served"]["status"]) == (200, "starting")
    pid = find_process()
    served = await wait_for(ask, "serving", "ended")
    assert (served["status"], served["problem"]) == ("serving", None)
    again = await send("POST", *VERSION, "serving")
    assert again[1]["served"]["url"] == served["url"]

    code, body = await send("POST", *VERSION, "predictions", inputs=[{AGE: 1.0, KIND: 0.0}])
    assert (code, body["predictions"], body["problem"]) == (200, [iris], None)
    assert sorted(body["classes"]) == ["old", "young"]
    code, body = await send("POST", *VERSION, "predictions", inputs=[{AGE: 99.0, KIND: 0.0}])
    assert "outside the training range" in body["warnings"][0]
    code, body = await send("POST", *VERSION, "predictions", inputs=[{AGE: "x", KIND: 0.0}])
    assert (code, body["predictions"]) == (200, [])
    assert body["problem"]["path"] == "inputs[0].age"
    assert "expected float64, got 'x'" in body["problem"]["message"]
    assert (await send("POST", *VERSION, "predictions", inputs="x"))[0] == 400
    assert (await send("POST", *VERSION, "predictions", rows=[]))[0] == 400
    loop = asyncio.get_running_loop()
    assert await loop.run_in_executor(None, call, served["url"], served["token"]) == 200
    assert await loop.run_in_executor(None, call, served["url"], "wrong") == 401

    code, body = await send("DELETE", *VERSION, "serving")
    assert (code, body["served"]["status"]) == (200, "stopping")
    while (await ask("serving"))[1]["served"]:
        await asyncio.sleep(0.1)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
async def test_process_that_dies_is_told(ask: Ask, send: Send, store: Store) -> None:
    """With how it ended, until somebody clears that away or serves the version again."""
    add_version(store)
    await send("POST", *VERSION, "serving")
    os.kill(find_process(), signal.SIGKILL)
    served = await wait_for(ask, "ended")
    assert (served["url"], "ended with code -9" in served["problem"]["message"]) == (None, True)
    code, body = await send("POST", *VERSION, "predictions", inputs=[[1.0, 0.0]])
    assert (code, body["hint"]) == (409, "Serve it first.")
    assert await send("DELETE", *VERSION, "serving") == (200, {"served": None})
    assert await ask("serving") == (200, {"served": []})


async def test_version_that_cannot_be_served_says_why(ask: Ask, send: Send, store: Store) -> None:
    """In the words of the model's own loader; and so many at once are enough."""
    add_version(store)
    assert (await send("POST", "models", "iris", "versions", "7", "serving"))[0] == 404
    assert (await send("POST", *VERSION, "serving"))[0] == 200
    served = await wait_for(ask, "ended")
    assert "ddddd" in served["problem"]["message"]


async def test_few_are_served_at_once(
    send: Send, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes memory of its own: the next is refused, with the names of those to stop."""
    add_version(store)
    add_version(store)
    monkeypatch.setattr(serving_jobs, "_MOST_SERVED", 1)
    monkeypatch.setattr(serving_jobs, "_AT_WORK", ("starting", "ended"))  # it may end at once
    await send("POST", *VERSION, "serving")
    code, body = await send("POST", "models", "iris", "versions", "2", "serving")
    assert (code, "iris/1" in body["hint"]) == (400, True)


async def test_who_may_run_no_code_serves_nothing(
    ask: Ask, send: Send, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    """A model is code: it takes the right to execute kernels, and the token goes to no other."""
    add_version(store)
    await send("POST", *VERSION, "serving")
    assert (await ask("serving"))[1]["served"][0]["token"]

    def decide(handler: Any, user: Any, action: str, resource: str) -> bool:
        return resource != "kernels"

    monkeypatch.setattr(jp_serverapp.authorizer, "is_authorized", decide)
    for method, part in (("POST", "serving"), ("DELETE", "serving"), ("POST", "predictions")):
        assert (await send(method, *VERSION, part))[0] == 403
    assert (await ask("serving"))[1]["served"][0]["token"] is None

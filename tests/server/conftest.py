"""A real Jupyter server with our extension, one per test."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pytest_jupyter.jupyter_server import *  # noqa: F403 - fixtures and the hook that runs async tests

from mlops_nb.config import load_settings
from mlops_nb.records import RunStatus
from mlops_nb.server.answers import Problem
from mlops_nb.server.operations import OPERATIONS
from mlops_nb.server.routes import ROUTES
from mlops_nb.store import Store
from mlops_nb.tracking import start_run

Ask = Callable[..., Awaitable[tuple[int, Any]]]
# A busy machine is no fault.
_LONGEST_S = 240


def check_answer(method: str, parts: tuple[str, ...], response: Any) -> tuple[int, Any]:
    """Decode an answer, and hold it to the type that the OpenAPI document gives it."""
    body = json.loads(response.body)
    path = "/".join(parts)
    found = [pattern for pattern, _ in ROUTES if re.fullmatch(pattern, path)]
    operation = OPERATIONS.get((found[0], method.lower())) if found else None
    if response.code == 200 and operation is not None:
        msgspec.convert(body, operation.answer)
    elif response.code in (400, 404, 409, 500) and "error" in body:
        msgspec.convert(body, Problem)
    return response.code, body


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    """Switch our extension on, as its configuration file does where it is installed."""
    return {"ServerApp": {"jpserver_extensions": {"mlops_nb": True}}}


@pytest.fixture(autouse=True)
def end_tasks(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """End what the test's server still does, as the end of a process would."""
    yield
    tasks = asyncio.all_tasks(jp_asyncio_loop)
    for task in tasks:
        task.cancel()
    if tasks:
        jp_asyncio_loop.run_until_complete(asyncio.wait(tasks))


@pytest.fixture
def ask(jp_fetch: Any) -> Ask:
    """Give a function that asks one of our routes and returns status and decoded body."""

    async def fetch(*parts: str, **params: Any) -> tuple[int, Any]:
        pairs = [
            (name, each)
            for name, value in params.items()
            for each in (value if isinstance(value, list) else [value])
        ]
        response = await jp_fetch(
            "mlops-nb", *parts, params=pairs, raise_error=False, request_timeout=_LONGEST_S
        )
        return check_answer("GET", parts, response)

    return fetch


@pytest.fixture
def send(jp_fetch: Any) -> Ask:
    """Give a function that sends a change as JSON and returns status and decoded body."""

    async def fetch(method: str, *parts: str, **fields: Any) -> tuple[int, Any]:
        body = None if method in ("GET", "DELETE") else json.dumps(fields)
        response = await jp_fetch(
            "mlops-nb", *parts, method=method, body=body, raise_error=False,
            request_timeout=_LONGEST_S,
        )  # fmt: skip
        return check_answer(method, parts, response)

    return fetch


@pytest.fixture
def add_run(store: Store) -> Callable[..., str]:
    """Give a function that records a run of a notebook and returns its id."""

    def add(
        name: str,
        notebook: Path | None = None,
        metrics: dict[str, float] | None = None,
        params: dict[str, Any] | None = None,
        status: RunStatus | None = "finished",
        into: Store = store,
    ) -> str:
        meta = {"notebook": str(notebook)} if notebook else {}
        run = start_run(into, load_settings(), name, meta=meta, is_active=False)
        run.log_metrics(metrics or {})
        run.log_params(params or {})
        if status is not None:
            run.end(status)
        return run.run_id

    return add

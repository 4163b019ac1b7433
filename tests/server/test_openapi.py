"""The OpenAPI document says what the routes do: their tests check each answer against it."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.utils import url_path_join

from mlops_nb.server.handler import MLOpsRouteHandler
from mlops_nb.server.openapi import METHODS, build_document
from mlops_nb.server.operations import OPERATIONS
from mlops_nb.server.routes import DESCRIBED, ROUTES
from tests.server.conftest import Ask

KEPT = Path(__file__).resolve().parents[2] / "docs" / "reference" / "openapi.json"
KNOWN = [
    (pattern, handler, method)
    for pattern, handler in DESCRIBED
    for method in METHODS
    if method in vars(handler)
]
READS = re.compile(r"(?:get_query_arguments?|read_argument|read_text)\(\s*\"(\w+)\"")
CHANGES = [
    (method.upper(), pattern.replace("([^/]+)", "x"))
    for pattern, handler in ROUTES
    for method in METHODS
    if method in vars(handler) and method != "get"
]


def test_every_route_is_in_it() -> None:
    """Every method of every route is described, nothing else is, and each has a name of its own."""
    assert {(pattern, method) for pattern, _, method in KNOWN} == set(OPERATIONS)
    assert [pattern for pattern, _ in ROUTES[len(DESCRIBED) :]] == ["openapi"]
    paths = build_document(DESCRIBED)["paths"]
    assert sum(len(methods) for methods in paths.values()) == len(KNOWN)
    names = [each["operationId"] for methods in paths.values() for each in methods.values()]
    assert len(set(names)) == len(names)
    for path, methods in paths.items():
        assert "(" not in path
        for each in methods.values():
            there = {entry["name"] for entry in each["parameters"] if entry["in"] == "path"}
            assert there == set(re.findall(r"{(\w+)}", path))


@pytest.mark.parametrize(("pattern", "handler", "method"), KNOWN)
def test_arguments_are_those_that_are_read(
    pattern: str, handler: type[MLOpsRouteHandler], method: str
) -> None:
    """A handler reads the arguments that are described, and a body where one is."""
    source = inspect.getsource(inspect.unwrap(getattr(handler, method)))
    operation = OPERATIONS[pattern, method]
    assert set(READS.findall(source)) == set(operation.query)
    assert ("self.request.body" in source) == (operation.body is not None)
    assert set(operation.needed) <= {"notebook", *operation.query}
    assert ("need_notebook" in source) == ("notebook" in operation.needed)


async def test_it_is_served_as_it_is_kept(ask: Ask) -> None:
    """Who may ask the routes gets the document of the reference; `make openapi` writes it."""
    code, body = await ask("openapi")
    assert code == 200
    assert body == json.loads(KEPT.read_text(encoding="utf-8"))


def test_every_reference_leads_somewhere() -> None:
    """No schema or answer is named that the document lacks."""
    document = build_document(DESCRIBED)
    text = json.dumps(document)
    for place in set(re.findall(r'"#/components/([^"]+)"', text)):
        found: Any = document["components"]
        for name in place.split("/"):
            found = found[name]
        assert found


async def test_no_change_without_its_xsrf_token(jp_base_url: str, http_server_client: Any) -> None:
    """A page of another site, whose requests carry the cookie alone, changes nothing anywhere."""
    for method, route in CHANGES:
        refused = await http_server_client.fetch(
            url_path_join(jp_base_url, "mlops-nb", route),
            method=method,
            body=None if method == "DELETE" else "{}",
            headers={"Cookie": "_xsrf=2|1|2|3"},
            raise_error=False,
        )
        assert refused.code == 403
        assert "_xsrf" in refused.body.decode()

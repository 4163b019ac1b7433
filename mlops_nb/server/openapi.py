"""The OpenAPI document: made of the route classes and of what they take and answer."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from mlops_nb.server.answers import Problem
from mlops_nb.server.body import Changes
from mlops_nb.server.handler import MLOpsRouteHandler
from mlops_nb.server.operations import OPERATIONS, TEXT, Operation

METHODS = ("get", "post", "put", "patch", "delete")
_GROUP = "([^/]+)"
_PLACE = "#/components/schemas/{name}"
_NOTEBOOK = "Path of a notebook from the server's root; the store of its project is asked."
_FIELDS: dict[type, dict[str, Any]] = {
    str: TEXT,
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    list: {"type": "array", "items": {}},
    dict: {"type": "object", "additionalProperties": TEXT},
    Changes: {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
}
# Status and meaning of answers that are none; the log of the server has more on the last.
_PROBLEMS = {
    "400": "An argument is wrong: which, and what would be right.",
    "403": "Without the server's token or cookie, or not allowed; a change without its XSRF token.",
    "404": "There is nothing of that name; near misses are named.",
    "409": "The store, or what is in it, does not allow it.",
    "500": "An error in mlops_nb.",
}


def build_document(routes: Iterable[tuple[str, type[MLOpsRouteHandler]]]) -> dict[str, Any]:
    """Describe routes as an OpenAPI 3.1 document.

    Parameters
    ----------
    routes
        Pattern below ``/mlops-nb/`` and class of each.

    Returns
    -------
    dict
        JSON types.
    """
    kept = [operation.answer for operation in OPERATIONS.values() if operation.answer is not None]
    schemas, components = msgspec.json.schema_components([*kept, Problem], ref_template=_PLACE)
    answers: dict[type, Any] = dict(zip([*kept, Problem], schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for pattern, handler in routes:
        for method in METHODS:
            if method in vars(handler):
                path, described = _describe(pattern, handler, method, answers)
                paths.setdefault(path, {})[method] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mlops_nb",
            "version": "1",
            "description": "What the panel asks of a Jupyter server, below its base URL.",
        },
        "security": [{"token": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "schemas": {name: components[name] for name in sorted(components)},
            "responses": _describe_problems(answers),
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "The word token, a space, and the server's token.",
                },
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "username-<host>-<port>",
                    "description": "A change needs the header X-XSRFToken beside it.",
                },
            },
        },
    }


def _describe(
    pattern: str, handler: type[MLOpsRouteHandler], method: str, answers: Mapping[type, Any]
) -> tuple[str, dict[str, Any]]:
    """Describe one method of one route, with its path."""
    function = getattr(handler, method)
    names = list(inspect.signature(inspect.unwrap(function)).parameters)[1:]
    path = "/mlops-nb/" + pattern
    for name in names:
        path = path.replace(_GROUP, "{" + name + "}", 1)
    operation = OPERATIONS[pattern, method]
    word = re.sub(r"(Route)?Handler$", "", handler.__name__)
    described: dict[str, Any] = {
        "operationId": method + word,
        "summary": inspect.cleandoc(function.__doc__ or "").split("\n")[0],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": TEXT} for name in names
        ]
        + _list_arguments(operation),
        "responses": {
            "200": _describe_answer(operation, answers),
            **{status: {"$ref": f"#/components/responses/Status{status}"} for status in _PROBLEMS},
        },
    }
    if operation.body is not None:
        described["requestBody"] = _describe_body(operation.body)
    return path, described


def _list_arguments(operation: Operation) -> list[dict[str, Any]]:
    query = {"notebook": TEXT, **operation.query}
    return [
        {
            "name": name,
            "in": "query",
            **({"description": _NOTEBOOK} if name == "notebook" else {}),
            "required": name in operation.needed,
            "schema": schema,
        }
        for name, schema in query.items()
    ]


def _describe_answer(operation: Operation, answers: Mapping[type, Any]) -> dict[str, Any]:
    if operation.answer is None:
        binary = {"schema": {"type": "string", "format": "binary"}}
        return {"description": "The bytes.", "content": {"application/octet-stream": binary}}
    text = inspect.cleandoc(operation.answer.__doc__ or "")
    content = {"application/json": {"schema": answers[operation.answer]}}
    return {"description": text, "content": content}


def _describe_problems(answers: Mapping[type, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": answers[Problem]}}
    described: dict[str, Any] = {
        f"Status{status}": {"description": text, "content": content}
        for status, text in _PROBLEMS.items()
    }
    del described["Status403"]["content"]  # that one is Jupyter's own
    return described


def _describe_body(fields: Mapping[str, type]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {name: _FIELDS[kind] for name, kind in fields.items()},
        "additionalProperties": False,
    }
    return {"content": {"application/json": {"schema": schema}}}

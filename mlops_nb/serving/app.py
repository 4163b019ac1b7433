"""Routes of a served model as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_nb.errors import MLOpsError, RequestError
from mlops_nb.records import FieldSignature, Signature
from mlops_nb.serving.guard import Guard

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from mlops_nb.serving.predictor import Predictor

MAX_BODY_BYTES = 8 * 2**20
"""Longer request bodies are refused."""
_BODY_DEADLINE_S = 10.0
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid_input",
    503: "not_ready",
}
_log = logging.getLogger("mlops_nb.serving")


@dataclass
class ServedModel:
    """What the routes share.

    Attributes
    ----------
    ready
        Whether new requests are welcome; False while the server ends.
    """

    predictor: Predictor
    pool: ThreadPoolExecutor
    ready: bool = True


def make_app(served: ServedModel, hosts: frozenset[str] | None, token: str | None) -> ASGIApp:
    """Make the application that answers for one model.

    Parameters
    ----------
    served
        The model.
    hosts
        Names that requests may call this server by; None lets any through.
    token
        Asked of every request but those for health; None asks for none.

    Returns
    -------
    ASGI application
        To be run by uvicorn, or mounted elsewhere.
    """
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.routing import Route

    routes = _Routes(served)
    app = Starlette(
        routes=[
            Route("/", routes.show_start, methods=["GET"]),
            Route("/predict", routes.predict, methods=["POST"]),
            Route("/invocations", routes.predict, methods=["POST"]),
            Route("/model", routes.show_model, methods=["GET"]),
            Route("/health/live", routes.show_live, methods=["GET"]),
            Route("/health/ready", routes.show_ready, methods=["GET"]),
        ],
        exception_handlers={
            MLOpsError: _answer_error,
            HTTPException: _answer_error,
            Exception: _answer_error,
        },
    )
    return Guard(app, hosts, token)


def make_example(signature: Signature) -> dict[str, Any]:
    """Make a request body that fits a signature.

    Parameters
    ----------
    signature
        What the model takes.

    Returns
    -------
    dict
        One row of values from the middle of the training range.
    """
    values = [_make_value(field) for field in signature.inputs]
    if signature.inputs and signature.inputs[0].dtype == "text":
        return {"inputs": values}
    if signature.named:
        names = [field.name for field in signature.inputs]
        return {"inputs": [dict(zip(names, values, strict=True))]}
    return {"inputs": [values]}


def _make_value(field: FieldSignature) -> Any:
    if field.categories:
        first = field.categories[0]
        inner = field.dtype.partition(":")[2]
        if inner == "bool":
            return first == "True"
        return float(first) if inner.startswith("float") else int(first) if inner else first
    if field.dtype == "bool":
        return True
    if field.dtype == "datetime":
        return "2026-01-31T12:00:00"
    if field.dtype in ("string", "text"):
        return "text"
    low, high = field.minimum or 0.0, field.maximum or field.minimum or 0.0
    middle = low / 2 + high / 2
    return float(f"{middle:.4g}") if field.dtype.startswith(("float", "any")) else int(middle)


class _Routes:
    """The answers, one method per route."""

    def __init__(self, served: ServedModel) -> None:
        self.served = served

    async def predict(self, request: Request) -> Response:
        """Answer a prediction; the work is done in a thread so that health answers meanwhile."""
        _check_media_type(request)
        body = await _read_body(request)
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self.served.pool, self.served.predictor.answer, body)
        return _answer({**answer, "request_id": find_request_id(request)}, request)

    async def show_start(self, request: Request) -> Response:
        """Tell what is served here and how to ask for it."""
        predictor = self.served.predictor
        return _answer(
            {
                "model": predictor.identity,
                "routes": {
                    "POST /predict": "predictions; /invocations is the same",
                    "GET /model": "signature and lineage",
                    "GET /health/live": "the process answers",
                    "GET /health/ready": "predictions are answered",
                },
                "example": make_example(predictor.signature),
            },
            request,
        )

    async def show_model(self, request: Request) -> Response:
        """Give the version with signature and lineage."""
        document = {
            **self.served.predictor.version.to_json(),
            "model": self.served.predictor.identity,
        }
        return _answer(document, request)

    async def show_live(self, request: Request) -> Response:
        """Tell that the process answers."""
        return _answer({"status": "live"}, request)

    async def show_ready(self, request: Request) -> Response:
        """Tell whether predictions are answered."""
        if not self.served.ready:
            raise RequestError("", "the server is ending", status=503)
        return _answer({"status": "ready", "model": self.served.predictor.identity}, request)


def find_request_id(request: Request) -> str:
    """Give the caller's request id where it is a plain word, else a new one.

    Parameters
    ----------
    request
        The request; the id stays with it.

    Returns
    -------
    str
        At most 64 characters.
    """
    known: str | None = getattr(request.state, "request_id", None)
    if known is None:
        given = request.headers.get("x-request-id", "")
        known = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        request.state.request_id = known
    return known


def _check_media_type(request: Request) -> None:
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    if media_type.strip().lower() != "application/json":
        hint = "Set the header Content-Type: application/json."
        raise RequestError("", "the content type is not application/json", hint, status=415)
    charset = parameters.strip().lower().replace('"', "")
    if charset and charset not in ("charset=utf-8", "charset=utf8"):
        raise RequestError("", "the charset is not UTF-8", "JSON is UTF-8.", status=415)
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.strip().lower() != "identity":
        hint = "Send the body as it is."
        raise RequestError("", "compressed bodies are not taken", hint, status=415)


async def _read_body(request: Request) -> bytes:
    """Read the body, up to a size and within a time."""
    too_large = RequestError(
        "", f"the body is longer than {MAX_BODY_BYTES} bytes", "Send fewer rows.", status=413
    )
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length[:19]) > MAX_BODY_BYTES:
        raise too_large
    parts, size = [], 0
    try:
        async with asyncio.timeout(_BODY_DEADLINE_S):
            async for part in request.stream():
                size += len(part)
                if size > MAX_BODY_BYTES:
                    raise too_large
                parts.append(part)
    except TimeoutError:
        raise RequestError("", "the body did not arrive in time", status=408) from None
    return b"".join(parts)


def _answer(document: Any, request: Request, status: int = 200) -> Response:
    import msgspec
    from starlette.responses import Response

    data = msgspec.json.encode(document, enc_hook=str)
    headers = {"x-request-id": find_request_id(request)}
    if status in (408, 413):
        headers["connection"] = "close"  # what is left of the body is not waited for
    return Response(data, status, headers, media_type="application/json")


async def _answer_error(request: Request, error: Exception) -> Response:
    """Answer an error as JSON without traces, inputs or paths of this machine."""
    from starlette.exceptions import HTTPException

    status, message, hint, path = 500, "the server failed; its log says why.", "", ""
    if isinstance(error, HTTPException):
        status, message = error.status_code, str(error.detail).lower()
        hint = "GET / lists the routes."
    elif isinstance(error, MLOpsError):
        status, message, hint = error.status, error.message, error.hint
        path = getattr(error, "path", "")
    else:
        _log.error("request %s failed", find_request_id(request), exc_info=error)
    document = {
        "error": _CODES.get(status, "internal" if status >= 500 else "bad_request"),
        "message": message,
        "hint": hint,
        "path": path,
        "request_id": find_request_id(request),
    }
    return _answer(document, request, status)

"""Calls of a served model over real HTTP."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

JSON = {"Content-Type": "application/json"}


def send(
    url: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Send one request and give status and document."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    try:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection.request(method, path, data, JSON if headers is None else headers)
        response = connection.getresponse()
        assert response.headers["content-type"] == "application/json"
        assert response.headers["x-content-type-options"] == "nosniff"
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def predict(url: str, body: Any) -> tuple[int, dict[str, Any]]:
    """Ask for predictions."""
    return send(url, "POST", "/predict", body)

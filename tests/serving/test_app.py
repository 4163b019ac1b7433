"""A served model answers over real HTTP, and whatever is sent gets a plain answer."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlops_nb import registry, serving
from mlops_nb.records import RunRecord
from mlops_nb.serving.app import MAX_BODY_BYTES
from mlops_nb.store import Store
from tests.serving.calls import JSON, predict, send

X, Y = load_breast_cancer(return_X_y=True, as_frame=True)


@pytest.fixture(scope="module")
def model() -> Any:
    """Give a pipeline trained on a real frame."""
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)


@pytest.fixture(scope="module")
def url(store: Store, model: Any) -> Iterator[str]:
    """Give the address of the breast cancer model."""
    run = RunRecord("run-1", "calm-otter", "default", "finished", 1.0, environment="ee")
    registry.register(store, model, name="breast-cancer", alias="champion", run=run, example=X)
    with serving.start_in_background(store, "breast-cancer@champion") as handle:
        yield handle.url


FORMS = {
    "positions": lambda frame: {"inputs": frame.to_numpy().tolist()},
    "records": lambda frame: {"inputs": frame.to_dict(orient="records")},
    "split": lambda frame: {"dataframe_split": frame.to_dict(orient="split")},
    "mlflow": lambda frame: {"dataframe_records": frame.to_dict(orient="records")},
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", ["/predict", "/invocations"])
def test_answers_are_the_models_own(url: str, model: Any, form: str, path: str) -> None:
    """Each form of a request gets the predictions and probabilities of the model itself."""
    rows = X.iloc[:5]
    status, answer = send(url, "POST", path, FORMS[form](rows))
    assert status == 200
    assert answer["predictions"] == model.predict(rows).tolist()
    # the order of values in memory may change the last bit of a sum
    np.testing.assert_allclose(answer["probabilities"], model.predict_proba(rows), rtol=1e-12)
    assert answer["classes"] == [0, 1]
    assert answer["model"] == {"name": "breast-cancer", "version": 1, "alias": "champion"}
    assert answer["warnings"] == []
    assert len(answer["request_id"]) == 32


def test_order_of_columns_does_not_matter(url: str, model: Any) -> None:
    """Columns that carry their names may come in any order."""
    rows = X.iloc[:3]
    mixed = rows[list(reversed(rows.columns))]
    for form in ("records", "split"):
        status, answer = predict(url, FORMS[form](mixed))
        assert status == 200
        assert answer["predictions"] == model.predict(rows).tolist()


def test_value_outside_training_is_answered_and_flagged(url: str) -> None:
    """A number that training never saw gets an answer and a warning that names it."""
    row = X.iloc[0].to_dict() | {"mean radius": 99.0}
    status, answer = predict(url, {"inputs": [row]})
    assert status == 200
    assert answer["warnings"] == [
        "inputs[0].mean radius: 99.0 is outside the training range 6.981 to 28.11"
    ]


ROW = X.iloc[0].to_list()
RECORD = X.iloc[0].to_dict()
SPLIT = X.iloc[:2].to_dict(orient="split")


def change(**values: Any) -> dict[str, Any]:
    return {"inputs": [RECORD | {name.replace("_", " "): value for name, value in values.items()}]}


def raw(value: str) -> bytes:
    """Give a body whose first value is written as it is."""
    return json.dumps({"inputs": [["@", *ROW[1:]]]}).replace('"@"', value).encode()


WITHOUT = {"inputs": [{name: each for name, each in RECORD.items() if name != "mean area"}]}
BAD: dict[str, tuple[Any, str]] = {
    "text": (
        change(mean_radius="abc"),
        "inputs[0].mean radius: expected float64, got 'abc'",
    ),
    "number as text": (change(mean_radius="0.5"), "inputs[0].mean radius: expected float64"),
    "true": (change(mean_radius=True), "inputs[0].mean radius: expected float64, got true"),
    "null": (change(mean_radius=None), "inputs[0].mean radius: expected float64, got null"),
    "list": (change(mean_radius=[1]), "inputs[0].mean radius: expected float64, got a list of 1"),
    "object": (change(mean_radius={}), "inputs[0].mean radius: expected float64, got an object"),
    "long text": (change(mean_radius="x" * 10_000), "inputs[0].mean radius: expected float64"),
    "NaN": (raw("NaN"), "inputs[0][0] (mean radius): expected float64, got nan"),
    "Infinity": (raw("-Infinity"), "inputs[0][0] (mean radius): expected float64, got -inf"),
    "1e400": (raw("1e400"), "inputs[0][0] (mean radius): expected float64, got inf"),
    "huge integer": (raw("9" * 400), "inputs[0][0] (mean radius): expected float64"),
    "endless integer": (raw("9" * 5000), "not JSON"),
    "missing": (WITHOUT, "inputs[0].mean area: is missing"),
    "extra": ({"inputs": [RECORD | {"target": 1}]}, "inputs[0]: unknown column 'target'"),
    "renamed": (
        {"inputs": [{"Mean Area": 1.0, **WITHOUT["inputs"][0]}]},
        "inputs[0]: unknown column 'Mean Area'",
    ),
    "second row": ({"inputs": [RECORD, {}]}, "inputs[1].mean radius: is missing (and 29 more)"),
    "narrow": ({"inputs": [ROW[:-1]]}, "inputs[0]: has 29 values, expected 30"),
    "wide": ({"inputs": [[*ROW, 1.0]]}, "inputs[0]: has 31 values, expected 30"),
    "ragged": ({"inputs": [ROW, ROW[:3]]}, "inputs[1]: has 3 values, expected 30"),
    "mixed": ({"inputs": [ROW, RECORD]}, "inputs[1]: expected a list of values, got an object"),
    "flat": ({"inputs": ROW}, "inputs[0]: expected a list of values, got 17.99"),
    "no rows": ({"inputs": []}, "inputs: has no rows"),
    "empty row": ({"inputs": [[]]}, "inputs[0]: has 0 values"),
    "many rows": ({"inputs": [[]] * 10_001}, "inputs: has 10001 rows"),
    "not rows": ({"inputs": 3}, "inputs: expected a list of rows, got 3"),
    "no inputs": ({}, "expected 'inputs'"),
    "other key": ({"inputs": [ROW], "params": {}}, "unknown key 'params'"),
    "two forms": ({"inputs": [ROW], "dataframe_split": SPLIT}, "'inputs' and 'dataframe_split'"),
    "list of rows": ([ROW], "the body is a list of 1, expected an object"),
    "nothing": (b"", "the body is empty"),
    "garbage": (b"\x00\xff\xfe", "the body is not"),
    "cut off": (json.dumps({"inputs": [ROW]}).encode()[:-3], "not JSON"),
    "deep": (b"[" * 100_000, "nested too deeply"),
    "deep inside": (b'{"inputs": ' + b"[" * 100_000, "nested too deeply"),
    "byte order mark": (b"\xef\xbb\xbf" + json.dumps({"inputs": [ROW]}).encode(), "not JSON"),
    "UTF-16": (json.dumps({"inputs": [ROW]}).encode("utf-16"), "the body is not"),
    "surrogate": (raw(r'"\ud800"'), "inputs[0][0] (mean radius): expected float64"),
    "twin keys": (b'{"inputs": [[1]], "inputs": [[2]]}', "'inputs' stands twice"),
    "twin fields": (
        json.dumps({"inputs": [RECORD]}).replace("mean area", "mean radius").encode(),
        "'mean radius' stands twice",
    ),
    "comment": (b'{"inputs": [[1]] /* */}', "not JSON"),
    "split lacks data": ({"dataframe_split": {"columns": []}}, "dataframe_split.data: is missing"),
    "split lacks a column": (
        {"dataframe_split": {"columns": SPLIT["columns"][1:], "data": SPLIT["data"]}},
        "dataframe_split.columns.mean radius: is missing",
    ),
    "split has an extra": (
        {"dataframe_split": {"columns": [*SPLIT["columns"], "y"], "data": SPLIT["data"]}},
        "dataframe_split.columns: unknown column 'y'",
    ),
    "split has twins": (
        {"dataframe_split": {"columns": [*SPLIT["columns"], "mean area"], "data": [[1]]}},
        "column 'mean area' stands twice",
    ),
    "split columns are objects": (
        {"dataframe_split": {"columns": [{}], "data": [[1]]}},
        "dataframe_split.columns: unknown column an object",
    ),
    "split is ragged": (
        {"dataframe_split": {"columns": SPLIT["columns"], "data": [[1.0]]}},
        "dataframe_split.data[0]: has 1 values, expected 30",
    ),
    "split has a text": (
        {"dataframe_split": {"columns": SPLIT["columns"], "data": [["x", *ROW[1:]]]}},
        "dataframe_split.data[0][0] (mean radius): expected float64, got 'x'",
    ),
    "split holds rows": ({"dataframe_split": {"columns": [], "data": [3]}}, "dataframe_split"),
    "split is a list": ({"dataframe_split": []}, "dataframe_split: expected an object"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_body_is_answered_with_its_place(url: str, name: str) -> None:
    """A body that does not fit gets a 422 that says where and what, short, and no prediction."""
    body, expected = BAD[name]
    status, answer = predict(url, body)
    assert status == 422
    assert set(answer) == {"error", "message", "hint", "path", "request_id"}
    assert expected in answer["message"]
    assert answer["error"] == "invalid_input"
    assert len(json.dumps(answer)) < 700  # never the payload
    assert "Traceback" not in json.dumps(answer)


def test_known_nearby_column_is_offered(url: str) -> None:
    """A misspelt column comes with the one that was meant."""
    _, answer = predict(url, BAD["renamed"][0])
    assert answer["hint"] == "Did you mean 'mean area'?"


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "", "application/json; charset=utf-16"],
)
def test_other_content_types_are_refused(url: str, content_type: str) -> None:
    """What a web form could send without asking first is refused with 415."""
    body = json.dumps({"inputs": [ROW]}).encode()
    status, answer = send(url, "POST", "/predict", body, {"Content-Type": content_type})
    assert (status, answer["error"]) == (415, "unsupported_media_type")


def test_compressed_body_is_refused(url: str) -> None:
    """A compressed body is refused unread."""
    headers = JSON | {"Content-Encoding": "gzip"}
    assert send(url, "POST", "/predict", b"\x1f\x8b", headers)[0] == 415


def test_body_over_the_limit_is_refused(url: str) -> None:
    """A body is refused by its announced length, and by its real one where none is announced."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    connection.putrequest("POST", "/predict")
    for name, value in (JSON | {"Content-Length": str(MAX_BODY_BYTES + 1)}).items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    assert response.status == 413
    assert json.loads(response.read())["error"] == "too_large"
    connection.close()
    parts = (b" " * 2**20 for _ in range(9))
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    try:
        connection.request("POST", "/predict", parts, JSON, encode_chunked=True)
        assert connection.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # the server had stopped reading before all was sent
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Host": "evil.example"}, False),
        ({"Host": "localhost.evil.example"}, False),
        ({"Host": "127.0.0.1:evil"}, False),
        ({"Host": ""}, False),
        ({"Host": "localhost:1"}, True),
        ({"Host": "[::1]:1"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "https://localhost.evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://localhost:8888"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
    ],
)
@pytest.mark.parametrize("path", ["/", "/predict", "/invocations", "/model", "/health/live", "/x"])
def test_other_sites_are_refused_on_every_route(
    url: str, headers: dict[str, str], allowed: bool, path: str
) -> None:
    """Requests that another site made a browser send are refused before any route sees them."""
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
        status, _ = send(url, method, path, {"inputs": [ROW]}, JSON | headers)
        assert (status != 403) is allowed


def test_unknown_routes_and_methods_are_json(url: str) -> None:
    """Unknown paths and methods get a JSON answer that repeats nothing of the request."""
    for path in ("/secret-path", "/../../etc/passwd", "/%2e%2e/x", "/%00", "/v2/models/a"):
        status, answer = send(url, "GET", path)
        assert (status, answer["error"], answer["message"]) == (404, "not_found", "not found")
    status, answer = send(url, "GET", "/predict")
    assert (status, answer["error"]) == (405, "method_not_allowed")


def test_request_id_is_the_callers_where_it_is_a_word(url: str) -> None:
    """A plain request id is kept, anything else is replaced."""
    for given, kept in (("abc-1", True), ("x" * 65, False), ("a b", False), ("<b>", False)):
        body = {"inputs": [ROW]}
        _, answer = send(url, "POST", "/predict", body, JSON | {"X-Request-Id": given})
        assert (answer["request_id"] == given) is kept


def test_health_and_model_are_shown(url: str) -> None:
    """Health, the start page and the model's lineage are told without a prediction."""
    assert send(url, "GET", "/health/live") == (200, {"status": "live"})
    status, ready = send(url, "GET", "/health/ready")
    assert (status, ready["status"]) == (200, "ready")
    status, shown = send(url, "GET", "/model")
    assert status == 200
    assert (shown["name"], shown["run_id"], shown["environment"]) == (
        "breast-cancer",
        "run-1",
        "ee",
    )
    assert shown["signature"]["inputs"][0]["name"] == "mean radius"
    status, start = send(url, "GET", "/")
    assert status == 200
    assert predict(url, start["example"])[0] == 200

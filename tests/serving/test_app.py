"""A served model answers over real HTTP, and whatever is sent gets a plain answer."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest
from palmerpenguins import load_penguins
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mlops_nb import registry, serving
from mlops_nb.records import RunRecord
from mlops_nb.serving.app import MAX_BODY_BYTES
from mlops_nb.store import Store, open_store

X, Y = load_breast_cancer(return_X_y=True, as_frame=True)
JSON = {"Content-Type": "application/json"}


def send(
    url: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Send one request and give status and document."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
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


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Give a store for this module's models, each registered once under its own name."""
    folder: Path = tmp_path_factory.mktemp("serving")
    return open_store(folder / "store")


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
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    connection.putrequest("POST", "/predict")
    for name, value in (JSON | {"Content-Length": str(MAX_BODY_BYTES + 1)}).items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    assert response.status == 413
    assert json.loads(response.read())["error"] == "too_large"
    connection.close()
    parts = (b" " * 2**20 for _ in range(9))
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
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


def test_mixed_frame_is_served(store: Store) -> None:
    """A model over texts, categories and gaps answers as itself, and names what does not fit."""
    penguins = load_penguins().dropna(subset=["species"])
    frame = penguins[["island", "sex", "body_mass_g", "year"]].astype({"sex": "category"})
    columns = make_column_transformer(
        (OneHotEncoder(), ["island", "sex"]),
        (make_pipeline(SimpleImputer(), StandardScaler()), ["body_mass_g", "year"]),
    )
    model = make_pipeline(columns, RandomForestClassifier(5, random_state=0))
    model.fit(frame, penguins["species"])
    registry.register(store, model, name="penguins", example=frame)
    rows: list[dict[str, Any]] = [
        {"island": "Dream", "sex": "male", "body_mass_g": 3700.0, "year": 2008},
        {"island": "Biscoe", "sex": None, "body_mass_g": None, "year": 2009},
    ]
    with serving.start_in_background(store, "penguins/1") as handle:
        status, answer = predict(handle.url, {"inputs": rows})
        table = pd.DataFrame(rows).astype({"sex": frame["sex"].dtype})
        assert status == 200
        assert answer["predictions"] == model.predict(table).tolist()
        assert answer["classes"] == ["Adelie", "Chinstrap", "Gentoo"]
        assert answer["model"]["alias"] is None
        changes: list[tuple[dict[str, Any], str]] = [
            ({"sex": "other"}, "inputs[0].sex: 'other' is no category of training"),
            ({"sex": 3}, "inputs[0].sex: expected category or null, got 3"),
            ({"island": None}, "inputs[0].island: expected string, got null"),
            ({"island": 3}, "inputs[0].island: expected string, got 3"),
            ({"year": 2008.5}, "inputs[0].year: expected int64, got 2008.5"),
            ({"year": True}, "inputs[0].year: expected int64, got true"),
            ({"year": 2**70}, "inputs[0].year: expected int64"),
            ({"body_mass_g": "1"}, "inputs[0].body_mass_g: expected float64 or null, got '1'"),
            ({"island": "Atlantis"}, "the model refused these rows"),
        ]
        for change_of, message in changes:
            status, answer = predict(handle.url, {"inputs": [rows[0] | change_of]})
            assert status == 422
            assert message in answer["message"]
        assert answer["hint"] == "inputs[0].island: 'Atlantis' was not seen in training"
        status, answer = predict(handle.url, {"inputs": [rows[0] | {"year": 2008.0}]})
        assert status == 200  # a whole number is one, however it is written


def test_positions_gaps_and_narrow_floats_are_served(store: Store) -> None:
    """A model trained on a bare float32 array with gaps takes rows by position and null as gap."""
    data = X.iloc[:, :4].to_numpy(dtype="float32", copy=True)
    data[::7, 2] = np.nan
    model = HistGradientBoostingClassifier(max_iter=5).fit(data, Y)
    registry.register(store, model, name="bare", example=data)
    rows = data[:8].astype(object)
    rows[np.isnan(data[:8])] = None
    with serving.start_in_background(store, "bare") as handle:
        status, answer = predict(handle.url, {"inputs": rows.tolist()})
        assert status == 200
        assert answer["predictions"] == model.predict(data[:8]).tolist()
        numbered = {"columns": [0, 1, 2, 3], "data": rows.tolist()}
        assert (
            predict(handle.url, {"dataframe_split": numbered})[1]["predictions"]
            == (answer["predictions"])
        )
        status, answer = predict(handle.url, {"inputs": [[None, 1.0, 1.0, 1.0]]})
        assert (status, answer["path"]) == (422, "inputs[0][0] (x0)")
        status, answer = predict(handle.url, {"inputs": [[1e39, 1.0, 1.0, 1.0]]})
        assert (status, answer["path"]) == (422, "inputs[0][0] (x0)")  # no room in float32


def test_texts_are_served(store: Store) -> None:
    """A text model takes a list of texts and refuses numbers."""
    texts = ["good film", "bad film", "awful", "great"] * 3
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [1, 0, 0, 1] * 3)
    registry.register(store, model, name="texts", example=texts)
    with serving.start_in_background(store, "texts") as handle:
        status, answer = predict(handle.url, {"inputs": ["a great film", "bad"]})
        assert (status, answer["predictions"]) == (200, [1, 0])
        status, answer = predict(handle.url, {"inputs": ["a great film", 3]})
        assert (status, answer["path"]) == (422, "inputs[1]")


def test_times_booleans_and_numbered_categories_are_served(store: Store) -> None:
    """Values of the rarer types are checked and reach the model in the types of training."""
    frame = pd.DataFrame(
        {
            "when": pd.to_datetime(["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"]),
            "paid": [True, False, True, False],
            "grade": pd.Categorical([1, 2, 3, 1]),
        }
    )
    columns = make_column_transformer(
        (OneHotEncoder(), ["grade", "when"]), ("passthrough", ["paid"])
    )
    model = make_pipeline(columns, LinearRegression()).fit(frame, [1.0, 2.0, 3.0, 4.0])
    registry.register(store, model, name="rare", example=frame)
    row = {"when": "2026-02-01T00:00:00", "paid": False, "grade": 2}
    with serving.start_in_background(store, "rare") as handle:
        status, answer = predict(handle.url, {"inputs": [row]})
        assert status == 200
        assert answer["predictions"] == pytest.approx([2.0])
        assert "probabilities" not in answer
        for wrong, field in (
            ({"when": "yesterday"}, "when"),
            ({"when": 1767225600}, "when"),
            ({"when": "2026-02-01T00:00:00+01:00"}, "when"),
            ({"paid": 1}, "paid"),
            ({"paid": "true"}, "paid"),
            ({"grade": "2"}, "grade"),
            ({"grade": 4}, "grade"),
            ({"grade": 2.0}, "grade"),
        ):
            status, answer = predict(handle.url, {"inputs": [row | wrong]})
            assert (status, answer["path"]) == (422, f"inputs[0].{field}")
        assert send(handle.url, "GET", "/")[1]["example"]["inputs"][0]["grade"] == 1
        status, answer = predict(handle.url, {"inputs": [row | {"when": "2027-01-01"}]})
        assert (status, answer["path"]) == (422, "inputs")  # the encoder never saw that day


def test_model_of_unknown_types_takes_plain_values(store: Store) -> None:
    """Registered without an example, a mixed model takes texts and numbers, nothing nested."""
    frame = pd.DataFrame({"island": ["a", "b"] * 5, "mass": np.arange(10.0)})
    columns = make_column_transformer((OneHotEncoder(), ["island"]), (StandardScaler(), ["mass"]))
    model = make_pipeline(columns, LogisticRegression()).fit(frame, [0, 1] * 5)
    registry.register(store, model, name="unknown", alias="a")
    with serving.start_in_background(store, "unknown@a") as handle:
        status, answer = predict(handle.url, {"inputs": [{"island": "b", "mass": 3}]})
        assert (status, answer["predictions"]) == (200, [1])
        nested: list[Any] = [{}, [1], None]
        for value in nested:
            status, answer = predict(handle.url, {"inputs": [{"island": "b", "mass": value}]})
            assert (status, answer["path"]) == (422, "inputs[0].mass")
        body = b'{"inputs": [{"island": "b", "mass": NaN}]}'
        status, answer = predict(handle.url, body)
        assert (status, answer["path"]) == (422, "inputs[0].mass")
        status, answer = predict(handle.url, {"inputs": [{"island": "b", "mass": "heavy"}]})
        assert (status, answer["path"]) == (422, "inputs")


def test_unreadable_text_in_a_fitting_body_is_refused(store: Store) -> None:
    """A body whose values fit but whose text is not strict JSON gets no prediction."""
    texts = ["good", "bad"] * 3
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [1, 0] * 3)
    registry.register(store, model, name="strict", example=texts)
    with serving.start_in_background(store, "strict") as handle:
        status, answer = predict(handle.url, b'{"inputs": ["\\ud800"]}')
        assert (status, answer["error"]) == (422, "invalid_input")
        assert send(handle.url, "GET", "/")[1]["example"] == {"inputs": ["text"]}
        assert predict(handle.url, {"inputs": ["text"]})[0] == 200


def test_torch_module_is_served(store: Store) -> None:
    """A torch network answers with its outputs for rows of numbers."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    rows = np.random.default_rng(0).random((5, 3), dtype="float32")
    registry.register(store, net, name="net", example=rows)
    with serving.start_in_background(store, "net") as handle:
        status, answer = predict(handle.url, {"inputs": rows.tolist()})
    with torch.inference_mode():
        expected = net(torch.from_numpy(rows)).numpy()
    assert status == 200
    np.testing.assert_allclose(answer["predictions"], expected, rtol=1e-5)


def test_example_of_positions_fits(store: Store) -> None:
    """The example on the start page is taken as it is, also for a model without names."""
    data = X.to_numpy()[:, :3]
    registry.register(store, LogisticRegression(max_iter=500).fit(data, Y), name="p", example=data)
    with serving.start_in_background(store, "p") as handle:
        start = send(handle.url, "GET", "/")[1]
        status, answer = predict(handle.url, start["example"])
        assert (status, answer["warnings"]) == (200, [])

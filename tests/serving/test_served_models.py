"""Models of every kind answer as they do in memory, once they are served."""

from __future__ import annotations

from typing import Any

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
from mlops_nb.store import Store
from tests.serving.calls import predict, send

X, Y = load_breast_cancer(return_X_y=True, as_frame=True)


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

"""A signature says what a model takes and gives, and survives JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mlops_nb.errors import InvalidValueError
from mlops_nb.records import FieldSignature, Signature
from mlops_nb.registry.signature import (
    infer_signature,
    signature_from_columns,
    signature_from_json,
    signature_to_json,
)

sparse = pytest.importorskip("scipy.sparse")  # published without type information


def make_frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "length": [1.5, 2.5, np.nan, 4.5],
            "count": np.array([1, 2, 3, 4], dtype="int32"),
            "island": ["Dream", "Biscoe", "Dream", "Torgersen"],
            "sex": pd.Categorical(["f", "m", "f", "m"]),
            "year": pd.Categorical([2007, 2008, 2007, 2009]),
            "tagged": [True, False, True, True],
            "seen": pd.to_datetime(["2026-01-01"] * 4),
            "size": pd.array([1, None, 3, 4], dtype="Int64"),
        }
    )


def test_frame_gives_types_ranges_and_categories() -> None:
    """Each column of a frame becomes a field with its type, range, categories and gaps."""
    fields = {field.name: field for field in infer_signature(object(), make_frame()).inputs}
    assert fields["length"] == FieldSignature("length", "float64", 1.5, 4.5, None, True)
    assert fields["count"] == FieldSignature("count", "int32", 1.0, 4.0)
    assert fields["island"].dtype == "string"
    assert fields["island"].categories == ("Biscoe", "Dream", "Torgersen")
    assert fields["sex"] == FieldSignature("sex", "category", categories=("f", "m"))
    assert fields["year"].dtype == "category:int64"
    assert fields["year"].categories == ("2007", "2008", "2009")
    assert fields["tagged"].dtype == "bool"
    assert fields["seen"].dtype == "datetime"
    assert fields["size"] == FieldSignature("size", "int64", 1.0, 4.0, None, True)


def test_texts_of_their_own_in_each_row_are_not_kept() -> None:
    """Names and the like never become categories of a signature."""
    frame = pd.DataFrame({"name": [f"person {i}" for i in range(50)], "town": ["A", "B"] * 25})
    name, town = infer_signature(object(), frame).inputs
    assert name == FieldSignature("name", "string")
    assert town.categories == ("A", "B")


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix, sparse.csr_array])
def test_matrix_gives_positions_as_names(make: Any) -> None:
    """Data without names get x0, x1 ... and the range of each column."""
    signature = infer_signature(object(), make(np.array([[0.0, 2.0], [3.0, -1.0]])))
    assert signature.named is False
    assert signature.inputs == (
        FieldSignature("x0", "float64", 0.0, 3.0),
        FieldSignature("x1", "float64", -1.0, 2.0),
    )


def test_array_keeps_gaps_infinities_and_width_of_numbers() -> None:
    """NaN makes a column nullable, an infinity is no limit, float32 stays float32."""
    data = np.array([[1.0, np.inf], [np.nan, 2.0]], dtype="float32")
    first, second = infer_signature(object(), data).inputs
    assert first == FieldSignature("x0", "float32", 1.0, 1.0, None, True)
    assert second == FieldSignature("x1", "float32", 2.0, None)


def test_series_of_texts_is_one_text_per_row() -> None:
    """A vectorizer's input is a list of texts, not a table."""
    texts = pd.Series(["good film", "bad film"] * 5)
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [0, 1] * 5)
    for data in (texts, list(texts), texts.to_numpy(), None):
        signature = infer_signature(model, data)
        assert [field.dtype for field in signature.inputs] == ["text"]
        assert signature.named is False


def test_columns_follow_the_order_of_training() -> None:
    """A frame with other order and with the target still in it gives the model's own columns."""
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)  # noqa: N806
    model = LinearRegression().fit(X, y)
    shuffled = X[list(reversed(X.columns))].assign(target=y)
    assert [f.name for f in infer_signature(model, shuffled).inputs] == list(X.columns)


def test_missing_column_is_named() -> None:
    """An example that lacks a column of training is refused by the column's name."""
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)  # noqa: N806
    model = LinearRegression().fit(X, y)
    with pytest.raises(InvalidValueError, match="mean radius"):
        infer_signature(model, X.drop(columns="mean radius"))
    with pytest.raises(InvalidValueError, match="expected 30"):
        infer_signature(model, X.to_numpy()[:, :7])


def test_array_gets_names_from_the_model() -> None:
    """An array of a model trained on a frame takes the frame's names."""
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)  # noqa: N806
    signature = infer_signature(LinearRegression().fit(X, y), X.to_numpy())
    assert signature.named is True
    assert signature.inputs[0].name == "mean radius"
    assert signature.inputs[0].maximum == X["mean radius"].max()


def test_model_alone_gives_names_and_width() -> None:
    """Without data the model's own names or number of columns are used."""
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)  # noqa: N806
    named = infer_signature(LinearRegression().fit(X, y))
    plain = infer_signature(HistGradientBoostingClassifier(max_iter=2).fit(X.to_numpy(), y))
    assert named.inputs[0] == FieldSignature("mean radius", "float64")
    assert plain.inputs[29].name == "x29"
    assert plain.named is False
    assert plain.outputs == (FieldSignature("prediction", "int64", categories=("0", "1")),)


def test_model_of_mixed_columns_alone_takes_anything() -> None:
    """A column transformer does not say the types of its columns, so none are claimed."""
    frame = pd.DataFrame({"island": ["a", "b"] * 3, "mass": [1.0, 2, 3, 4, 5, 6]})
    columns = make_column_transformer((OneHotEncoder(), ["island"]), (StandardScaler(), ["mass"]))
    model = make_pipeline(columns, LogisticRegression()).fit(frame, ["x", "y"] * 3)
    assert [field.dtype for field in infer_signature(model).inputs] == ["any", "any"]
    recorded = signature_from_columns(model, (("mass", "float64"), ("island", "str")))
    assert recorded is not None
    assert [(f.name, f.dtype) for f in recorded.inputs] == [
        ("island", "string"),
        ("mass", "float64"),
    ]
    assert recorded.outputs[0] == FieldSignature("prediction", "string", categories=("x", "y"))
    assert signature_from_columns(model, (("mass", "float64"),)) is None


def test_recorded_types_are_mapped() -> None:
    """Types as data sets record them become types of a signature."""
    names = {
        "a": "Int64", "b": "float32", "c": "boolean", "d": "datetime64[ns, UTC]", "e": "category",
        "f": "large_string[pyarrow]", "g": "timedelta64[ns]",
    }  # fmt: skip
    model = HistGradientBoostingClassifier(max_iter=1)
    model.fit(pd.DataFrame({name: [0.0, 1.0] * 30 for name in names}), [0, 1] * 30)
    signature = signature_from_columns(model, tuple(names.items()))
    assert signature is not None
    types = [field.dtype for field in signature.inputs]
    assert types == ["int64", "float32", "bool", "datetime", "string", "string", "any"]


def test_search_over_a_pipeline_is_seen_through() -> None:
    """The first step of a pipeline inside a search says what the columns may be."""
    frame = pd.DataFrame({"island": ["a", "b"] * 10, "mass": [1.0, 2.0] * 10})
    columns = make_column_transformer((OneHotEncoder(), ["island"]), (StandardScaler(), ["mass"]))
    search = GridSearchCV(
        make_pipeline(columns, LogisticRegression()), {"logisticregression__C": [1.0]}, cv=2
    ).fit(frame, ["x", "y"] * 10)
    assert [field.dtype for field in infer_signature(search).inputs] == ["any", "any"]


def test_objects_are_read_by_what_they_hold() -> None:
    """Columns of type object take the type of their values; repeated names become positions."""
    frame = pd.DataFrame({"a": [True, None], "b": [1, 2], "c": [{}, []]}, dtype=object)
    assert [f.dtype for f in infer_signature(object(), frame).inputs] == ["bool", "int64", "any"]
    twins = pd.DataFrame([[1.0, 2.0]], columns=["a", "a"])
    signature = infer_signature(object(), twins)
    assert [field.name for field in signature.inputs] == ["x0", "x1"]
    assert signature.named is False


def test_several_targets_are_several_outputs() -> None:
    """A regressor of two targets gives two outputs."""
    X, Y = np.random.default_rng(0).random((20, 3)), np.ones((20, 2))  # noqa: N806
    model = LinearRegression().fit(X, Y)
    assert len(infer_signature(model, X, model.predict(X)).outputs) == 2


def test_empty_data_make_no_range() -> None:
    """Data of no rows give names and types only."""
    frame = pd.DataFrame({"a": np.array([], dtype=float), "b": np.array([], dtype="int64")})
    assert [f.minimum for f in infer_signature(object(), frame).inputs] == [None, None]
    assert len(infer_signature(object(), frame.to_numpy()).inputs) == 2


fields = st.builds(
    FieldSignature,
    name=st.text(),
    dtype=st.sampled_from(["float64", "int64", "string", "category", "bool"]),
    minimum=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    maximum=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    categories=st.none() | st.lists(st.text()).map(tuple),
    nullable=st.booleans(),
)


@given(st.lists(fields).map(tuple), st.lists(fields).map(tuple), st.booleans())
def test_signature_survives_json(
    inputs: tuple[FieldSignature, ...], outputs: tuple[FieldSignature, ...], named: bool
) -> None:
    """What is written as JSON text is read back equal."""
    signature = Signature(inputs, outputs, named)
    assert signature_from_json(json.loads(json.dumps(signature_to_json(signature)))) == signature


BAD_FIELDS: list[Any] = [[3], [{}], "x", [{"name": "a"}]]
BAD_FIELDS += [[{"name": "a", "dtype": "b", "minimum": "z"}]]
BAD: list[Any] = [None, [], {}, {"named": True}, {"named": 1, "inputs": [], "outputs": []}]
BAD += [{"named": True, "inputs": fields, "outputs": []} for fields in BAD_FIELDS]


@pytest.mark.parametrize("document", BAD)
def test_other_documents_are_refused(document: Any) -> None:
    """What is not a signature is refused, never half read."""
    with pytest.raises(InvalidValueError):
        signature_from_json(document)

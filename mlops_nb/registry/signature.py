"""What a model takes and gives, inferred from the data it was trained on."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from mlops_nb.errors import InvalidValueError
from mlops_nb.records import FieldSignature, Signature

_MAX_CATEGORIES = 200
"""More distinct values than this are no categories; texts also where most rows have their own."""
_MIXED = frozenset(
    {"ColumnTransformer", "FeatureUnion", "FunctionTransformer", "OneHotEncoder", "OrdinalEncoder"}
    | {"TargetEncoder", "LabelEncoder", "DictVectorizer", "FeatureHasher"}
)
"""Estimators whose columns need not be numbers."""


def infer_signature(model: Any, X: Any = None, predictions: Any = None) -> Signature:  # noqa: N803 - sklearn's name
    """Infer what a model takes and gives.

    Parameters
    ----------
    model
        A fitted model.
    X
        Data as it was trained on: frame, series, array, sparse matrix or list of texts. Without it
        the names and number of columns come from the model and their types are a guess.
    predictions
        What ``predict`` gave for some rows; without it the classes the model knows are used.

    Returns
    -------
    Signature
        Inputs in training order and outputs.

    Raises
    ------
    InvalidValueError
        `X` lacks columns that the model was trained on, or has another number of them.
    """
    trained = [str(name) for name in getattr(model, "feature_names_in_", ())]
    if X is None:
        inputs, named = _read_inputs_from_model(model, trained)
    elif hasattr(X, "columns"):
        inputs, named = _read_frame(X, trained)
    else:
        inputs, named = _read_array(X)
    width = getattr(model, "n_features_in_", None)
    if X is not None and width is not None and inputs[0].dtype != "text" and len(inputs) != width:
        raise InvalidValueError("number of columns of X", len(inputs), f"{width}, as in training")
    if X is not None and len(trained) == len(inputs) and not named:
        inputs = tuple(
            FieldSignature(name, f.dtype, f.minimum, f.maximum, f.categories, f.nullable)
            for name, f in zip(trained, inputs, strict=True)
        )
        named = True
    return Signature(inputs, _read_outputs(model, predictions), named)


def signature_from_columns(model: Any, columns: tuple[tuple[str, str], ...]) -> Signature | None:
    """Infer a signature from recorded column names and types, where no data are at hand.

    Parameters
    ----------
    model
        A fitted model.
    columns
        Pairs of column name and type, as a dataset record keeps them.

    Returns
    -------
    Signature or None
        None where the columns are not the ones the model was trained on.
    """
    trained = [str(name) for name in getattr(model, "feature_names_in_", ())]
    types = dict(columns)
    if not trained or any(name not in types for name in trained):
        return None
    guessed, _ = _read_inputs_from_model(model, trained)
    inputs = tuple(
        FieldSignature(field.name, _read_type_name(types[field.name]), nullable=field.nullable)
        for field in guessed
    )
    return Signature(inputs, _read_outputs(model, None), named=True)


def signature_to_json(signature: Signature) -> dict[str, Any]:
    """Give a signature as JSON types.

    Parameters
    ----------
    signature
        What a model takes and gives.

    Returns
    -------
    dict
        ``inputs``, ``outputs`` and ``named``.
    """
    document = asdict(signature)
    for key in ("inputs", "outputs"):
        document[key] = list(document[key])
        for entry in document[key]:
            if entry["categories"] is not None:
                entry["categories"] = list(entry["categories"])
    return document


def signature_from_json(document: Any) -> Signature:
    """Read a signature back.

    Parameters
    ----------
    document
        What `signature_to_json` gave.

    Returns
    -------
    Signature
        The same signature.

    Raises
    ------
    InvalidValueError
        The document is not a signature.
    """
    expected = "an object with 'inputs', 'outputs' and 'named'"
    if not isinstance(document, dict) or not isinstance(document.get("named"), bool):
        raise InvalidValueError("signature", document, expected)
    parts = []
    for key in ("inputs", "outputs"):
        entries = document.get(key)
        if not isinstance(entries, list | tuple):
            raise InvalidValueError("signature", document, expected)
        parts.append(tuple(_read_field(entry) for entry in entries))
    return Signature(parts[0], parts[1], document["named"])


def _read_field(entry: Any) -> FieldSignature:
    try:
        categories = entry.get("categories")
        low, high = entry.get("minimum"), entry.get("maximum")
        return FieldSignature(
            name=str(entry["name"]),
            dtype=str(entry["dtype"]),
            minimum=None if low is None else float(low),
            maximum=None if high is None else float(high),
            categories=None if categories is None else tuple(str(each) for each in categories),
            nullable=bool(entry.get("nullable", False)),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InvalidValueError("field of a signature", entry, "an object with a name") from None


def _read_inputs_from_model(
    model: Any, trained: list[str]
) -> tuple[tuple[FieldSignature, ...], bool]:
    names = trained or [f"x{i}" for i in range(int(getattr(model, "n_features_in_", 0)))]
    dtype = "any" if _takes_mixed(model) else "float64"
    if not names and type(_first_part(model)).__name__.endswith("Vectorizer"):
        return (FieldSignature("x0", "text"),), False
    nullable = _takes_missing(model)
    return tuple(FieldSignature(name, dtype, nullable=nullable) for name in names), bool(trained)


def _first_part(model: Any) -> Any:
    """Give what sees the data first in a pipeline or a search over one."""
    while True:
        if getattr(model, "steps", None):
            model = model.steps[0][1]
        elif hasattr(model, "cv") and hasattr(model, "estimator"):
            model = model.estimator
        else:
            return model


def _takes_mixed(model: Any) -> bool:
    """Tell whether columns may be other than numbers."""
    name = type(_first_part(model)).__name__
    return name in _MIXED or name.endswith("Vectorizer")


def _takes_missing(model: Any) -> bool:
    try:
        from sklearn.utils import get_tags

        return bool(get_tags(model).input_tags.allow_nan)
    except (ImportError, AttributeError, TypeError, ValueError):
        return False  # older scikit-learn, or not an estimator


def _read_frame(frame: Any, trained: list[str]) -> tuple[tuple[FieldSignature, ...], bool]:
    names = list(frame.columns)
    named = len(set(names)) == len(names) and all(isinstance(name, str) for name in names)
    if not named:
        columns = [frame.iloc[:, i] for i in range(len(names))]
        return tuple(_read_column(f"x{i}", each) for i, each in enumerate(columns)), False
    if trained:
        missing = [name for name in trained if name not in names]
        if missing:
            raise InvalidValueError(
                "columns of X", names, f"the columns of training; missing: {missing[:5]}"
            )
        names = trained  # the target may still be in the frame
    return tuple(_read_column(name, frame[name]) for name in names), True


def _read_array(data: Any) -> tuple[tuple[FieldSignature, ...], bool]:
    import numpy as np

    if hasattr(data, "tocsc"):
        columns = data.tocsc()
        low, high = columns.min(axis=0).toarray().ravel(), columns.max(axis=0).toarray().ravel()
        name = _read_numpy_type(data.dtype)
        pairs = zip(low, high, strict=True)
        fields = (FieldSignature(f"x{i}", name, *_limits(a, b)) for i, (a, b) in enumerate(pairs))
        return tuple(fields), False
    if hasattr(data, "to_frame"):  # a series: one text or number per row
        field = _read_column(str(data.name or "x0"), data)
        if field.dtype == "string":
            field = FieldSignature(field.name, "text")
        return (field,), isinstance(data.name, str) and field.dtype != "text"
    array = np.asarray(data)
    if array.ndim == 1:
        if array.dtype.kind in "UTO":
            return (FieldSignature("x0", "text"),), False
        array = array.reshape(-1, 1)
    flat = array.reshape(len(array), math.prod(array.shape[1:]))
    if flat.dtype.kind in "fiu" and len(flat):  # one pass; a frame per column would be slow
        return _read_matrix(flat), False
    return tuple(_read_column(f"x{i}", flat[:, i]) for i in range(flat.shape[1])), False


def _read_matrix(matrix: Any) -> tuple[FieldSignature, ...]:
    import numpy as np

    dtype, missing = str(matrix.dtype), np.isnan(matrix)
    low = np.where(missing, np.inf, matrix).min(axis=0).tolist()
    high = np.where(missing, -np.inf, matrix).max(axis=0).tolist()
    rows = zip(low, high, missing.any(axis=0).tolist(), strict=True)
    return tuple(
        FieldSignature(f"x{i}", dtype, *_limits(first, last), None, nullable)
        for i, (first, last, nullable) in enumerate(rows)
    )


def _read_column(name: str, values: Any) -> FieldSignature:
    """Read one column of a frame or array, with what was seen in it."""
    import pandas as pd

    series = values if isinstance(values, pd.Series) else pd.Series(values)
    nullable = bool(series.isna().any())
    dtype = _read_type(series)
    if dtype.startswith("category"):
        categories = tuple(str(each) for each in series.cat.categories)
        return FieldSignature(name, dtype, categories=categories, nullable=nullable)
    if dtype == "string":
        seen = sorted(str(each) for each in series.dropna().unique())
        # names and addresses of people are nearly one a row: they are not copied into a record
        few = len(seen) <= min(_MAX_CATEGORIES, max(20, len(series) // 2))
        known = tuple(seen) if few else None
        return FieldSignature(name, dtype, categories=known, nullable=nullable)
    if dtype in {"bool", "datetime", "any"}:
        return FieldSignature(name, dtype, nullable=nullable)
    low, high = _limits(series.min(), series.max())
    return FieldSignature(name, dtype, low, high, None, nullable)


def _limits(low: Any, high: Any) -> tuple[float | None, float | None]:
    try:
        pair = float(low), float(high)
    except (TypeError, ValueError):
        return None, None
    # an infinite limit says nothing, and JSON has no word for it
    first, last = (each if math.isfinite(each) else None for each in pair)
    return first, last


def _read_type(series: Any) -> str:
    """Name the type of a column as clients see it, keeping the width of numbers."""
    import pandas as pd

    dtype, types = series.dtype, pd.api.types
    if isinstance(dtype, pd.CategoricalDtype):
        inner = _read_type(pd.Series(dtype.categories))
        return "category" if inner == "string" else f"category:{inner}"
    if types.is_bool_dtype(dtype):
        return "bool"
    if types.is_datetime64_any_dtype(dtype):
        return "datetime"
    if types.is_numeric_dtype(dtype):
        return str(getattr(dtype, "numpy_dtype", dtype)).lower()
    kind = types.infer_dtype(series, skipna=True)
    if kind in {"string", "empty"}:
        return "string"
    return {"boolean": "bool", "integer": "int64", "floating": "float64"}.get(kind, "any")


def _read_numpy_type(dtype: Any) -> str:
    return "bool" if dtype.kind == "b" else str(dtype)


def _read_type_name(name: str) -> str:
    """Map the name of a recorded column type to ours."""
    lowered = name.lower()
    if lowered.startswith(("int", "uint", "float")):
        return lowered.split("[")[0]
    if lowered.startswith("bool"):
        return "bool"
    if lowered.startswith("datetime"):
        return "datetime"
    # categories are not recorded with the type, so nothing can be checked against them
    return "string" if lowered.startswith(("str", "object", "category", "large_string")) else "any"


def _read_outputs(model: Any, predictions: Any) -> tuple[FieldSignature, ...]:
    import numpy as np

    classes = getattr(model, "classes_", None)
    if isinstance(classes, list):  # several targets
        each = [np.asarray(some) for some in classes]
        return tuple(_read_classes(f"prediction{i}", some) for i, some in enumerate(each))
    if predictions is None:
        if classes is not None:
            return (_read_classes("prediction", np.asarray(classes)),)
        return (FieldSignature("prediction", "float64"),) if hasattr(model, "predict") else ()
    array = np.asarray(predictions)
    if array.ndim > 1 and array.shape[1] > 1:
        kind = _read_numpy_type(array.dtype)
        return tuple(FieldSignature(f"prediction{i}", kind) for i in range(array.shape[1]))
    if classes is not None:
        return (_read_classes("prediction", np.asarray(classes)),)
    return (FieldSignature("prediction", _read_numpy_type(array.dtype)),)


def _read_classes(name: str, classes: Any) -> FieldSignature:
    dtype = "string" if classes.dtype.kind in "UTO" else _read_numpy_type(classes.dtype)
    known = tuple(str(each) for each in classes.tolist())
    return FieldSignature(name, dtype, categories=known if len(known) <= _MAX_CATEGORIES else None)

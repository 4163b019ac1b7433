"""Models are saved in forms that run no code on load, and nothing else is ever loaded."""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from mlops_nb.errors import InvalidValueError, NotFoundError, UnsafeModelError
from mlops_nb.registry import flavors
from mlops_nb.registry.flavors import find_flavor, load_model, save_model

X, Y = load_iris(return_X_y=True)
FOREST = RandomForestClassifier(5, random_state=0)
MODELS = {
    "logistic": LogisticRegression(max_iter=500),
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
    "log": make_pipeline(FunctionTransformer(np.log1p), LogisticRegression(max_iter=500)),
    "forest": FOREST,
    "hist": HistGradientBoostingClassifier(max_iter=5),
    "boosting": GradientBoostingClassifier(n_estimators=3),
    "neighbors": KNeighborsClassifier(),
    "svm": SVC(),
    "calibrated": CalibratedClassifierCV(SVC(), cv=2),
    "process": GaussianProcessClassifier(1.0 * RBF(1.0), optimizer=None),
    "network": MLPClassifier((4,), solver="lbfgs", max_iter=2000, random_state=0),
    "best": make_pipeline(SelectKBest(k=2), LogisticRegression()),
    "stack": StackingClassifier([("a", LogisticRegression(max_iter=500)), ("b", FOREST)], cv=2),
    "search": GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression()),
        {"logisticregression__C": [0.1, 1.0]},
        scoring=make_scorer(f1_score, average="macro"),
        cv=StratifiedKFold(2),
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_estimators_come_back_with_the_same_predictions(name: str) -> None:
    """Common estimators are saved and predict the same to the last bit after loading."""
    model = clone(MODELS[name]).fit(X, Y)
    saved = save_model(model)
    copy = load_model(saved.flavor, saved.data)
    assert saved.flavor == "skops"
    assert saved.model_class.endswith("." + type(model).__name__)
    assert type(copy) is type(model)
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))


def test_mixed_columns_come_back() -> None:
    """A pipeline over texts, categories and numbers with gaps is saved with its encoders."""
    frame = pd.DataFrame(
        {
            "island": ["Dream", "Biscoe", "Torgersen"] * 10,
            "sex": pd.Categorical(["f", "m"] * 15),
            "mass": [3750.0, np.nan, 3250.0] * 10,
        }
    )
    species = ["Adelie", "Gentoo", "Chinstrap"] * 10
    one = ColumnTransformer(
        [
            ("text", OneHotEncoder(handle_unknown="ignore"), ["island", "sex"]),
            ("number", make_pipeline(SimpleImputer(), StandardScaler()), ["mass"]),
        ]
    )
    two = make_column_transformer(
        (OneHotEncoder(), make_column_selector(dtype_include="category")),
        (SimpleImputer(), make_column_selector(dtype_include="number")),
    )
    by_type = HistGradientBoostingClassifier(max_iter=3, categorical_features="from_dtype")
    for model, data in (
        (make_pipeline(one, LogisticRegression()), frame),
        (make_pipeline(two, clone(FOREST)), frame),
        (by_type, frame[["sex", "mass"]]),
    ):
        model.fit(data, species)
        saved = save_model(model)
        copy = load_model(saved.flavor, saved.data)
        assert copy.predict(data).tolist() == model.predict(data).tolist()


def test_texts_come_back() -> None:
    """A text pipeline keeps its vocabulary."""
    texts = ["good film", "bad film", "awful", "great"] * 3
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [1, 0, 0, 1] * 3)
    saved = save_model(model)
    copy = load_model(saved.flavor, saved.data)
    np.testing.assert_array_equal(copy.predict_proba(texts), model.predict_proba(texts))


class FromNotebook(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A transformer as one is written in a cell."""

    def fit(self, X: Any, y: Any = None) -> FromNotebook:  # noqa: N803
        """Learn nothing."""
        self.fitted_ = True
        return self

    def transform(self, X: Any) -> Any:  # noqa: N803
        """Give back what came."""
        return X


@pytest.mark.parametrize(
    ("step", "named"),
    [
        (FunctionTransformer(lambda data: data), "lambda"),
        (FunctionTransformer(json.dumps, check_inverse=False), "json"),
        (FromNotebook(), "FromNotebook"),
    ],
)
def test_code_of_the_notebook_is_refused_by_name(step: Any, named: str) -> None:
    """Functions and classes that would need code on load are named with a way to go on."""
    model = make_pipeline(StandardScaler(), step, LogisticRegression(max_iter=500))
    model.steps[0][1].fit(X)
    model.steps[2][1].fit(X, Y)
    with pytest.raises(UnsafeModelError, match=named) as caught:
        save_model(model)
    assert "FunctionTransformer with a numpy function" in caught.value.hint


@pytest.mark.parametrize("thing", [{"a": 1}, print, None, FromNotebook])
def test_other_objects_are_refused(thing: Any) -> None:
    """What no flavor takes is refused, and pickle is not offered."""
    with pytest.raises(UnsafeModelError, match="no safe way"):
        save_model(thing)


def test_unfitted_model_is_refused() -> None:
    """A model that was never fitted is told apart from one that was."""
    with pytest.raises(InvalidValueError, match="fitted"):
        save_model(LogisticRegression())


class Bomb:
    """Runs code when unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        """Ask pickle to create the canary."""
        return (Path.touch, (self.canary,))


def make_archive(entries: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return buffer.getvalue()


def test_pickle_named_as_model_is_never_run(tmp_path: Path) -> None:
    """A pickle, bare, after a zip's magic, or inside skops entries, is refused; no code runs."""
    canary = tmp_path / "canary"
    attack = pickle.dumps(Bomb(canary))
    arrays = io.BytesIO()
    np.save(arrays, np.array([Bomb(canary)], dtype=object), allow_pickle=True)
    schema = {
        "__class__": "ndarray",
        "__module__": "numpy",
        "__loader__": "NdArrayNode",
        "__id__": 1,
        "type": "numpy",
        "file": "a.npy",
        "protocol": 2,
    }
    inside = make_archive(
        [("schema.json", json.dumps(schema).encode()), ("a.npy", arrays.getvalue())]
    )
    prefixed = attack + inside
    for data in (attack, b"PK\x03\x04" + attack, inside, prefixed, b"", b"\x80"):
        with pytest.raises(UnsafeModelError):
            load_model("skops", data)
    assert not canary.exists()
    pickle.loads(attack)
    assert canary.exists()  # the attack itself works


def describe(module: str, name: str, loader: str, **more: Any) -> dict[str, Any]:
    return {"__class__": name, "__module__": module, "__loader__": loader, "__id__": 7, **more}


def text(value: str) -> dict[str, Any]:
    return describe("builtins", "str", "JsonNode", content=json.dumps(value), is_json=True)


ATTACKS = {
    "system": describe("os", "system", "FunctionNode"),
    "type": describe("subprocess", "Popen", "TypeNode"),
    "object": describe("subprocess", "Popen", "ObjectNode", content=None),
    "call": describe(
        "os",
        "system",
        "ConstructorFromReduceNode",
        content={**describe("builtins", "tuple", "TupleNode", content=[text("id")]), "__id__": 8},
    ),
    "list": describe("os", "system", "ListNode", content=[]),
    "eval": describe("builtins", "eval", "FunctionNode"),
    "loader": describe("sklearn.linear_model._logistic", "LogisticRegression", "NoSuchNode"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_crafted_types_are_refused(attack: str) -> None:
    """A skops file that names types outside our list is refused, whatever it says of trust."""
    schema = {**ATTACKS[attack], "protocol": 2, "trusted": ["os.system", "subprocess.Popen"]}
    data = make_archive([("schema.json", json.dumps(schema).encode())])
    with pytest.raises(UnsafeModelError):
        load_model("skops", data)


def test_list_in_the_artifact_is_ignored() -> None:
    """An archive that brings a list of types to trust is not trusted more for it."""
    schema = {**ATTACKS["system"], "protocol": 2}
    data = make_archive(
        [
            ("schema.json", json.dumps(schema).encode()),
            ("trusted.json", b'["posix.system", "os.system"]'),
        ]
    )
    with pytest.raises(UnsafeModelError, match="outside our list"):
        load_model("skops", data)


def repack(data: bytes, change: Any, compression: int = zipfile.ZIP_STORED) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [(name, archive.read(name)) for name in archive.namelist()]
    return make_archive(change(entries), compression)


def test_archives_of_another_make_are_refused() -> None:
    """Compression, twin names, paths and missing parts are refused before anything is parsed."""
    data = save_model(clone(FOREST).fit(X, Y)).data
    assert load_model("skops", repack(data, list)) is not None
    bomb = repack(data, lambda entries: [*entries, ("x", b"0" * 10**6)], zipfile.ZIP_DEFLATED)
    with pytest.warns(UserWarning, match="Duplicate name"):
        twins = repack(data, lambda entries: [*entries, entries[0]])
    paths = [repack(data, lambda entries, p=p: [*entries, (p, b"")]) for p in ("../a", "/a", ".a")]
    lacking = repack(data, lambda entries: entries[1:])
    for archive in (bomb, twins, *paths, lacking, data[:-30], data[: len(data) // 2], b"PK"):
        with pytest.raises(UnsafeModelError):
            load_model("skops", archive)


def test_deep_schema_is_refused() -> None:
    """A schema nested without end is an error of ours, not a crash."""
    deep = b"[" * 200_000
    with pytest.raises(UnsafeModelError):
        load_model("skops", make_archive([("schema.json", deep)]))


def test_unknown_flavor_is_named() -> None:
    """A flavor that this package does not know is an error that names it."""
    with pytest.raises(NotFoundError, match="skpos") as caught:
        load_model("skpos", b"")
    assert caught.value.near == ("skops",)


def test_flavor_is_found_without_importing_libraries() -> None:
    """Asking for the flavor of an object that is no model imports neither skops nor torch."""
    code = (
        "import sys\nfrom mlops_nb.registry import flavors\n"
        "try:\n    flavors.find_flavor(3)\nexcept ValueError:\n    pass\n"
        "print([m for m in ('skops', 'torch', 'sklearn', 'numpy', 'pandas') if m in sys.modules])"
    )
    command, place = [sys.executable, "-c", code], Path(flavors.__file__).parents[2]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    breast, _ = load_breast_cancer(return_X_y=True)
    assert find_flavor(StandardScaler().fit(breast)) == "skops"

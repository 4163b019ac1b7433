"""Registering is all or nothing, references find what a person means, loading verifies first."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from mlops_nb import registry
from mlops_nb.errors import (
    CorruptObjectError,
    InvalidValueError,
    ModelNotFoundError,
    UnsafeModelError,
)
from mlops_nb.records import DatasetRecord, FieldSignature, RunRecord, Signature
from mlops_nb.registry.versions import check_alias, check_name
from mlops_nb.store import Store

X, Y = load_breast_cancer(return_X_y=True, as_frame=True)


@pytest.fixture(scope="module")
def model() -> Any:
    """Give a pipeline trained on a real frame."""
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)


def list_files(store: Store) -> list[str]:
    files = (path for path in store.root.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(store.root)) for path in files)


def test_version_carries_signature_lineage_and_alias(store: Store, model: Any) -> None:
    """A registered version tells what it takes, where it comes from and who registered it."""
    first, second = DatasetRecord("aa", "frame"), DatasetRecord("bb", "series")
    run = RunRecord(
        run_id="r1",
        name="calm-otter",
        experiment="default",
        status="finished",
        started_at=1.0,
        metrics={"accuracy": 0.98},
        datasets=(first, second, first),
        environment="ee",
        code="cc",
    )
    version = registry.register(
        store, model, name="breast-cancer", alias="champion", run=run, example=X, user="ada"
    )
    assert (version.name, version.version, version.aliases) == ("breast-cancer", 1, ("champion",))
    assert (version.flavor, version.model_class) == ("skops", "sklearn.pipeline.Pipeline")
    assert version.run_id == "r1"
    assert version.datasets == ("aa", "bb")
    assert (version.environment, version.code) == ("ee", "cc")
    assert version.metrics == {"accuracy": 0.98}
    assert version.user == "ada"
    assert version.signature is not None
    assert version.signature.inputs[0].name == "mean radius"
    assert version.signature.outputs == (
        FieldSignature("prediction", "int64", categories=("0", "1")),
    )
    assert registry.resolve(store, "breast-cancer@champion") == version
    copy = registry.load(store, "breast-cancer@champion")
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))


def test_numbers_grow_and_alias_moves(store: Store, model: Any) -> None:
    """Versions are counted from 1, the plain name is the newest, an alias moves when told."""
    for _ in range(3):
        registry.register(store, model, name="m", alias="champion")
    assert registry.resolve(store, "m").version == 3
    assert registry.resolve(store, "m/2").aliases == ()
    assert registry.set_alias(store, "m", "champion", 1).aliases == ("champion",)
    assert registry.resolve(store, "m@champion").version == 1
    assert [each.version for each in registry.list_versions(store, "m")] == [3, 2, 1]
    events = [record.event for record in store.audit.records()]
    assert events == ["model.registered", "alias.set"] * 3 + ["alias.set"]


def test_signature_comes_from_the_recorded_data(store: Store) -> None:
    """Without an example the types come from the data set that the run recorded."""
    frame = pd.DataFrame({"island": ["a", "b"] * 3, "mass": [1.0, 2, 3, 4, 5, 6]})
    columns = make_column_transformer((OneHotEncoder(), ["island"]), (StandardScaler(), ["mass"]))
    mixed = make_pipeline(columns, LogisticRegression()).fit(frame, ["x", "y"] * 3)
    data = DatasetRecord("aa", "frame", columns=(("island", "str"), ("mass", "float64")))
    run = RunRecord("r1", "n", "default", "finished", 1.0, datasets=(data,))
    version = registry.register(store, mixed, name="m", run=run)
    assert version.signature is not None
    assert [field.dtype for field in version.signature.inputs] == ["string", "float64"]


def test_given_signature_is_kept(store: Store, model: Any) -> None:
    """A signature inferred at training time is taken as it is."""
    signature = Signature((FieldSignature("a", "float64"),), ())
    assert registry.register(store, model, name="m", signature=signature).signature == signature


BAD_NAMES = ["", " ", ".", "..", "a/b", "a\\b", "a:b", "a%2f..", "a\0", "a\n", "A", "-rf", "a-"]
BAD_NAMES += ["a" * 65, "con", "nul.x", "\u0430", "\ufb01", "a\u202e", "~a", "$(id)", "{{7}}", "é"]
BAD_NAMES += ["\ud800", "m@champion", "m/3", "a\u0301", "../../etc"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_name_writes_nothing(store: Store, model: Any, name: str) -> None:
    """A name outside the rule is refused with the rule, and the store is as it was."""
    before = list_files(store)
    with pytest.raises(InvalidValueError, match="a-z, 0-9"):
        registry.register(store, model, name=name)
    assert list_files(store) == before


@pytest.mark.parametrize("alias", ["", "3", "v3", "A", "a b", "-a", "a/b", "a@b", "x" * 64, "a\n"])
def test_bad_alias_writes_nothing(store: Store, model: Any, alias: str) -> None:
    """An alias that reads like a version, or breaks the rule, is refused before any write."""
    before = list_files(store)
    with pytest.raises(InvalidValueError, match="alias"):
        registry.register(store, model, name="m", alias=alias)
    assert list_files(store) == before


def test_unsafe_model_and_wrong_example_write_nothing(store: Store, model: Any) -> None:
    """What cannot be saved, or does not fit its example, leaves no trace."""
    before = list_files(store)
    unsafe = make_pipeline(FunctionTransformer(lambda data: data), LinearRegression()).fit(X, Y)
    with pytest.raises(UnsafeModelError):
        registry.register(store, unsafe, name="m")
    with pytest.raises(InvalidValueError, match="mean radius"):
        registry.register(store, model, name="m", example=X.drop(columns="mean radius"))
    with pytest.raises(InvalidValueError, match="training"):
        registry.register(store, model, name="m", example=X.astype(str) + "x")
    with pytest.raises(InvalidValueError, match="fitted"):
        registry.register(store, LogisticRegression(), name="m")
    assert list_files(store) == before


def test_unknown_names_offer_near_misses(store: Store, model: Any) -> None:
    """An unknown model, alias or version is named together with what may be meant."""
    registry.register(store, model, name="breast-cancer", alias="champion")
    for ref, near in (
        ("brest-cancer", "breast-cancer"),
        ("Breast-Cancer", "breast-cancer"),
        ("breast-cancer@champio", "champion"),
        ("breast-cancer/2", "breast-cancer/1"),
        ("../breast-cancer", None),
    ):
        with pytest.raises((ModelNotFoundError, InvalidValueError)) as caught:
            registry.resolve(store, ref)
        assert near is None or repr(near) in str(caught.value)
    with pytest.raises(ModelNotFoundError):
        registry.set_alias(store, "breast-cancer", "champion", 9)
    with pytest.raises(ModelNotFoundError):
        registry.list_versions(store, "other")


@pytest.mark.parametrize(
    ("ref", "parts"),
    [
        ("m", ("m", None, None)),
        ("m@champion", ("m", None, "champion")),
        ("m/3", ("m", 3, None)),
        ("m/v3", ("m", 3, None)),
        ("models:/m/3", ("m", 3, None)),
        ("models:/m@champion", ("m", None, "champion")),
    ],
)
def test_references_are_read(ref: str, parts: tuple[Any, ...]) -> None:
    """The three forms of a reference are read, also as MLflow writes them."""
    parsed = registry.parse_ref(ref)
    assert (parsed.name, parsed.version, parsed.alias) == parts


@pytest.mark.parametrize("ref", ["", "@", "/", "m@", "@a", "m/", "/3", "m/x", "m/-1", "m/3/4"])
def test_other_references_are_refused(ref: str) -> None:
    """Another form is refused with the forms there are."""
    with pytest.raises(InvalidValueError, match="name@alias"):
        registry.parse_ref(ref)


@given(st.text() | st.from_regex(r"[a-z0-9._@/-]{1,80}"))
def test_checks_never_fail_otherwise(text: str) -> None:
    """Whatever is given as name, alias or reference is taken or refused, by our error only."""
    for check in (check_name, check_alias, registry.parse_ref):
        try:
            check(text)
        except InvalidValueError:
            continue


def test_one_flipped_byte_is_refused_before_parsing(
    store: Store, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that changed on disk are refused by their digest; no parser sees them."""
    version = registry.register(store, model, name="m")
    ((pack, record),) = store.objects.index.find(bytes.fromhex(version.digest))
    path = store.objects.packs.locate(pack)
    whole = path.read_bytes()

    def refuse(*_: Any) -> Any:
        raise AssertionError("a parser saw the bytes")

    monkeypatch.setattr("mlops_nb.registry.flavor_skops.load", refuse)
    for position in (0, record.stored_bytes // 2, record.stored_bytes - 1):
        broken = bytearray(whole)
        broken[record.offset + position] ^= 1
        path.write_bytes(bytes(broken))
        with pytest.raises(CorruptObjectError, match=version.digest[:16]):
            registry.load(store, "m")


class _Bomb:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.canary,))


def test_pickle_in_the_store_is_never_run(store: Store, tmp_path: Path) -> None:
    """A version record that points at a pickle is refused; the code in it does not run."""
    canary = tmp_path / "canary"
    data = pickle.dumps(_Bomb(canary))
    store.models.create_version(
        {
            "name": "evil",
            "flavor": "skops",
            "digest": store.objects.put_bytes(data),
            "size_bytes": len(data),
            "registered_at": 0.0,
        }
    )
    with pytest.raises(UnsafeModelError):
        registry.load(store, "evil")
    assert not canary.exists()


def test_copy_that_predicts_otherwise_is_not_registered(
    store: Store, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A saved model whose predictions differ from the model's own is refused."""
    other = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, 1 - Y)
    monkeypatch.setattr("mlops_nb.registry.versions.load_model", lambda *_: other)
    before = list_files(store)
    with pytest.raises(UnsafeModelError, match="predictions"):
        registry.register(store, model, name="m", example=X)
    assert list_files(store) == before

"""Versions of registered models: named, immutable, with the lineage of the run behind them."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_nb.errors import InvalidValueError, ModelNotFoundError, UnsafeModelError
from mlops_nb.registry.flavors import find_flavor, load_model, save_model
from mlops_nb.registry.signature import infer_signature, signature_from_columns
from mlops_nb.store.writer import find_user

if TYPE_CHECKING:
    from mlops_nb.records import ModelVersion, RunRecord, Signature
    from mlops_nb.store import Store

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_ALIAS = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_VERSION_LIKE = re.compile(r"v?\d+")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?")  # no file names on Windows
_REFERENCE = "'name', 'name@alias' or 'name/3'"
_SAMPLE_ROWS = 32


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Which version of which model is meant.

    Attributes
    ----------
    name
        The model.
    version
        Its version number, or None.
    alias
        Its alias, or None; where both are None the newest version is meant.
    """

    name: str
    version: int | None = None
    alias: str | None = None


def check_name(name: str) -> str:
    """Check the name of a model that is to be registered.

    Parameters
    ----------
    name
        As given.

    Returns
    -------
    str
        The same name.

    Raises
    ------
    InvalidValueError
        The name breaks the rule, which the message states.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name) or _RESERVED.fullmatch(name):
        raise InvalidValueError(
            "model name",
            name,
            "1 to 64 of a-z, 0-9, '.', '_' and '-', with a letter or digit at both ends",
            "For example: breast-cancer",
        )
    return name


def check_alias(alias: str) -> str:
    """Check an alias that is to be set.

    Parameters
    ----------
    alias
        As given.

    Returns
    -------
    str
        The same alias.

    Raises
    ------
    InvalidValueError
        The alias breaks the rule, which the message states.
    """
    good = isinstance(alias, str) and _ALIAS.fullmatch(alias)
    if not good or _VERSION_LIKE.fullmatch(alias):
        raise InvalidValueError(
            "alias",
            alias,
            "1 to 63 of a-z, 0-9, '.', '_' and '-', not a version number such as 3 or v3",
            "For example: champion",
        )
    return alias


def parse_ref(ref: str) -> ModelRef:
    """Read which model version a person means.

    Parameters
    ----------
    ref
        ``name`` (the newest version), ``name@alias`` or ``name/3``; ``models:/`` may stand before.

    Returns
    -------
    ModelRef
        Its parts; whether they exist is not checked.

    Raises
    ------
    InvalidValueError
        The text has another form.

    Examples
    --------
    >>> parse_ref("breast-cancer@champion")
    ModelRef(name='breast-cancer', version=None, alias='champion')
    """
    text = ref.removeprefix("models:/") if isinstance(ref, str) else ""
    name, at, alias = text.partition("@")
    if at and name and alias:
        return ModelRef(name, alias=alias)
    name, slash, number = text.partition("/")
    if name and not slash and not at:
        return ModelRef(name)
    digits = number.removeprefix("v")
    if name and not at and digits.isascii() and digits.isdigit() and len(digits) < 10:
        return ModelRef(name, version=int(digits))
    raise InvalidValueError("model", ref, _REFERENCE)


def register(
    store: Store,
    model: Any,
    *,
    name: str,
    alias: str | None = None,
    run: RunRecord | None = None,
    example: Any = None,
    signature: Signature | None = None,
    user: str = "",
) -> ModelVersion:
    """Keep a fitted model as the next version of a registered model.

    Parameters
    ----------
    store
        Where to.
    model
        A fitted scikit-learn estimator or a torch module.
    name
        Name of the registered model.
    alias
        Alias that shall name this version.
    run
        The run that trained it; its data, environment, code and metrics become the lineage.
    example
        Data as the model was trained on: the signature is inferred from it, and some of its rows
        must get the same predictions from the saved model.
    signature
        What the model takes and gives, where it was inferred at training time.
    user
        Who registers; the user of this process by default.

    Returns
    -------
    ModelVersion
        With its number and, where one was set, its alias.

    Raises
    ------
    InvalidValueError
        A name or the example is not of the form it must have. Nothing was written.
    UnsafeModelError
        The model cannot be saved safely or does not load as it was. Nothing was written.
    """
    check_name(name)
    if alias is not None:
        check_alias(alias)
    sample = None if example is None else _take_rows(example)
    expected = _predict(model, sample)
    if signature is None:
        signature = _find_signature(model, run, example, expected)
    saved = save_model(model)
    _check_copy(load_model(saved.flavor, saved.data), sample, expected)
    # The object comes first: a version record never names bytes that are not there.
    digest = store.objects.put_bytes(saved.data)
    version = store.models.create_version(
        {
            "name": name,
            "flavor": saved.flavor,
            "digest": digest,
            "size_bytes": len(saved.data),
            "registered_at": time.time(),
            "model_class": saved.model_class,
            "signature": signature,
            "user": user or find_user(),
            **_read_lineage(run),
        }
    )
    if alias is None:
        return version
    store.models.set_alias(name, alias, version.version)
    return store.models.get(name, version.version)


def resolve(store: Store, ref: str) -> ModelVersion:
    """Find the version that a reference means.

    Parameters
    ----------
    store
        Where to look.
    ref
        ``name``, ``name@alias`` or ``name/3``.

    Returns
    -------
    ModelVersion
        With all its aliases.

    Raises
    ------
    ModelNotFoundError
        There is no such model, alias or version; near misses are named.
    """
    parsed = parse_ref(ref)
    names = store.models.names()
    if parsed.name not in names:
        raise ModelNotFoundError(parsed.name, names)
    if parsed.version is not None:
        return store.models.get(parsed.name, parsed.version)
    if parsed.alias is None:
        return store.models.get(parsed.name, max(store.models.versions(parsed.name)))
    aliases = store.models.aliases(parsed.name)
    if parsed.alias not in aliases:
        raise ModelNotFoundError(parsed.alias, aliases, f"alias of model {parsed.name!r}")
    return store.models.get(parsed.name, aliases[parsed.alias])


def load(store: Store, ref: str | ModelVersion) -> Any:
    """Load a registered model.

    Parameters
    ----------
    store
        Where it is kept.
    ref
        ``name``, ``name@alias`` or ``name/3``, or a version that was resolved before.

    Returns
    -------
    object
        The model. Its bytes were compared with their digest before anything read them.

    Raises
    ------
    ModelNotFoundError
        There is no such version.
    CorruptObjectError
        The bytes are not the ones that were registered.
    UnsafeModelError
        The bytes are not of their flavor or hold types outside our fixed list.
    """
    version = resolve(store, ref) if isinstance(ref, str) else ref
    return load_model(version.flavor, store.objects.read_bytes(version.digest))


def set_alias(
    store: Store, name: str, alias: str, version: int, reason: str | None = None
) -> ModelVersion:
    """Let an alias name a version, whatever it named before.

    Parameters
    ----------
    store
        Where the model is kept.
    name
        The model.
    alias
        The alias.
    version
        Number of the version.
    reason
        Why, for the record of the change.

    Returns
    -------
    ModelVersion
        The version with its aliases.

    Raises
    ------
    InvalidValueError
        The alias breaks the rule.
    ModelNotFoundError
        There is no such model or version.
    """
    check_alias(alias)
    store.models.set_alias(name, alias, version, reason)
    return store.models.get(name, version)


def list_versions(store: Store, name: str | None = None) -> list[ModelVersion]:
    """List registered versions, newest first within each model.

    Parameters
    ----------
    store
        Where to look.
    name
        One model only; all by default.

    Returns
    -------
    list of ModelVersion
        With their aliases.

    Raises
    ------
    ModelNotFoundError
        There is no model of that name.
    """
    known = store.models.names()
    if name is not None and name not in known:
        raise ModelNotFoundError(name, known)
    return [
        store.models.describe(each, number)
        for each in (known if name is None else [name])
        for number in reversed(store.models.versions(each))
    ]


def _read_lineage(run: RunRecord | None) -> dict[str, Any]:
    if run is None:
        return {}
    used = [data for data in run.datasets if data.role != "written"]
    return {
        "run_id": run.run_id,
        "datasets": tuple(dict.fromkeys(each.fingerprint for each in used if each.fingerprint)),
        "environment": run.environment,
        "code": run.code,
        "metrics": dict(run.metrics),
    }


def _find_signature(model: Any, run: RunRecord | None, example: Any, predictions: Any) -> Signature:
    if example is None and run is not None:
        for data in run.datasets:
            found = signature_from_columns(model, data.columns)
            if found is not None:
                return found
    return infer_signature(model, example, predictions)


def _take_rows(data: Any) -> Any:
    return data.iloc[:_SAMPLE_ROWS] if hasattr(data, "iloc") else data[:_SAMPLE_ROWS]


def _predict(model: Any, sample: Any) -> Any:
    """Give predictions for the sample, None where the model or the sample has none to give."""
    if sample is None or find_flavor(model) != "skops" or not hasattr(model, "predict"):
        return None
    trained = getattr(model, "feature_names_in_", None)
    if trained is not None and hasattr(sample, "columns"):
        if any(name not in sample.columns for name in trained):
            return None  # infer_signature names the missing columns
        sample = sample[list(trained)]
    try:
        return model.predict(sample)
    except (ValueError, TypeError) as error:
        raise InvalidValueError(
            "example", type(sample).__name__, f"data as in training ({error})"
        ) from error


def _check_copy(copy: Any, sample: Any, expected: Any) -> None:
    """Refuse a saved model that does not predict what the model itself predicts."""
    if expected is None:
        return
    import numpy as np

    given, wanted = np.asarray(_predict(copy, sample)), np.asarray(expected)
    if wanted.dtype.kind == "f":  # threads may add up in another order
        same = given.shape == wanted.shape and np.allclose(given, wanted, 1e-9, 0, equal_nan=True)
    else:
        same = np.array_equal(given, wanted)
    if not same:
        raise UnsafeModelError(
            "the saved model does not give the predictions of the model",
            [type(copy).__name__],
            "It was not registered. Please report this with the class of the model.",
        )

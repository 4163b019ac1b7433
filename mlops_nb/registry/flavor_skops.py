"""Flavor of scikit-learn estimators: skops, under a fixed list of trusted types."""

from __future__ import annotations

import io
import pickle
import zipfile
from typing import Any

from mlops_nb.errors import InvalidValueError, UnsafeModelError
from mlops_nb.registry.skops_import import import_skops
from mlops_nb.registry.trusted_types import TRUSTED_TYPES

_MAX_ENTRIES = 100_000
_FROM_NOTEBOOK = (
    "Functions, lambdas and classes written in a notebook cannot be loaded without running code. "
    "Use scikit-learn's own transformers, or FunctionTransformer with a numpy function such as "
    "np.log1p, or prepare the columns in a step before the model."
)
_UNREADABLE = (
    "It was not loaded, and no other format is tried. Register the model again from its notebook."
)
_MALFORMED = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    KeyError,
    ValueError,  # also broken JSON and text
    TypeError,
    AttributeError,
    ImportError,
    IndexError,
    OSError,
    EOFError,
    NotImplementedError,
    RecursionError,
    pickle.UnpicklingError,  # numpy's refusal of object arrays
)


def save(model: Any) -> bytes:
    """Save an estimator and check that it may be loaded again.

    Parameters
    ----------
    model
        A fitted estimator.

    Returns
    -------
    bytes
        A zip archive without compression; the store compresses.

    Raises
    ------
    UnsafeModelError
        The estimator holds something outside the trusted types.
    InvalidValueError
        The estimator has not been fitted.
    """
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    skops = import_skops()
    try:
        check_is_fitted(model)
    except (NotFittedError, TypeError):
        raise InvalidValueError(
            "model", type(model).__name__, "a fitted estimator", "Call fit before registering."
        ) from None
    try:
        data: bytes = skops.dumps(model)
    except (TypeError, ValueError, AttributeError, RecursionError, pickle.PicklingError) as error:
        raise UnsafeModelError(
            f"this model cannot be saved safely ({error})", [type(model).__name__], _FROM_NOTEBOOK
        ) from error
    unknown = _find_unknown(data)
    if unknown:
        raise UnsafeModelError(
            "the model holds types that cannot be loaded safely", unknown, _FROM_NOTEBOOK
        )
    return data


def load(data: bytes) -> Any:
    """Load an estimator.

    Parameters
    ----------
    data
        What `save` gave.

    Returns
    -------
    object
        The estimator.

    Raises
    ------
    UnsafeModelError
        The bytes are not what `save` writes, or hold types outside the fixed list.
    """
    skops = import_skops()
    _check_archive(data)
    try:
        unknown = _find_unknown(data)
        if not unknown:
            return skops.loads(data, trusted=sorted(TRUSTED_TYPES))
    except _MALFORMED as error:
        raise UnsafeModelError(
            f"the saved model is damaged or not a skops file ({type(error).__name__})",
            hint=_UNREADABLE,
        ) from error
    raise UnsafeModelError("the saved model holds types outside our list", unknown, _UNREADABLE)


def _find_unknown(data: bytes) -> list[str]:
    return sorted(set(import_skops().get_untrusted_types(data=data)) - TRUSTED_TYPES)


def _check_archive(data: bytes) -> None:
    """Refuse what `save` never writes: other formats, compression (bombs), twin names, paths."""
    try:
        entries = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise UnsafeModelError("the saved model is not a skops file", hint=_UNREADABLE) from error
    names = [entry.filename for entry in entries]
    found = ""
    if not data.startswith(b"PK\x03\x04"):
        found = "begins with other data"
    elif len(entries) > _MAX_ENTRIES or sum(entry.file_size for entry in entries) > len(data):
        found = "unpacks to more than it is"
    elif any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        found = "is compressed"
    elif len(set(names)) != len(names):
        found = "holds two entries of one name"
    elif any("/" in name or "\\" in name or name.startswith(".") for name in names):
        found = "holds paths"
    if found:
        raise UnsafeModelError(
            f"the saved model is not a skops file of ours: it {found}", hint=_UNREADABLE
        )

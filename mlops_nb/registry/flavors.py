"""How models are saved: one flavor per kind of library, none of which runs code on load."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from mlops_nb.errors import NotFoundError, UnsafeModelError

_MODULES = {
    "skops": "mlops_nb.registry.flavor_skops",
    "torch": "mlops_nb.registry.flavor_torch",
}
_FLAVOR_OF_LIBRARY = {"torch": "torch", "sklearn": "skops"}


@dataclass(frozen=True, slots=True)
class SavedModel:
    """A model as bytes.

    Attributes
    ----------
    flavor
        How it is saved, and so how it is loaded.
    data
        Everything that is needed, in one piece.
    model_class
        Full name of the model's class.
    """

    flavor: str
    data: bytes
    model_class: str


def find_flavor(model: Any) -> str:
    """Find how a model is saved, without importing any library.

    Parameters
    ----------
    model
        A fitted model.

    Returns
    -------
    str
        ``skops`` or ``torch``.

    Raises
    ------
    UnsafeModelError
        No safe flavor takes the model.
    """
    libraries = {cls.__module__.partition(".")[0] for cls in type(model).__mro__}
    for library, flavor in _FLAVOR_OF_LIBRARY.items():
        if library in libraries:
            return flavor
    raise UnsafeModelError(
        "no safe way is known to save an object of this class",
        [name_class(type(model))],
        "Register a fitted scikit-learn estimator or pipeline, or a torch module. "
        "Pickle is not offered: loading it runs whatever code the file holds.",
    )


def name_class(cls: type) -> str:
    """Give the full name of a class.

    Parameters
    ----------
    cls
        The class.

    Returns
    -------
    str
        Module and qualified name.
    """
    return f"{cls.__module__}.{cls.__qualname__}"


def save_model(model: Any) -> SavedModel:
    """Save a model in the safe flavor that fits it, and prove that it loads again.

    Parameters
    ----------
    model
        A fitted scikit-learn estimator or a torch module. It is not changed.

    Returns
    -------
    SavedModel
        The bytes and how to read them.

    Raises
    ------
    UnsafeModelError
        The model holds something that could not be loaded without running unchecked code.
    """
    flavor = find_flavor(model)
    data: bytes = import_module(_MODULES[flavor]).save(model)
    return SavedModel(flavor, data, name_class(type(model)))


def load_model(flavor: str, data: bytes) -> Any:
    """Load a model from bytes whose digest was verified.

    Parameters
    ----------
    flavor
        How the model was saved, from its version record; the bytes are never asked.
    data
        What `save_model` gave.

    Returns
    -------
    object
        The model.

    Raises
    ------
    UnsafeModelError
        The bytes are of another form, or hold types outside our fixed list. There is no fallback.
    NotFoundError
        This package knows no such flavor.
    """
    if flavor not in _MODULES:
        raise NotFoundError("flavor", flavor, _MODULES, "A newer mlops-nb may know it.")
    return import_module(_MODULES[flavor]).load(data)

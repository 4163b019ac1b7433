"""Imports skops without the libraries that it does not need.

To list scikit-learn's estimators skops walks all packages of scikit-learn, and among these are
bridges to torch, Dask and CuPy, which import those: seconds, hundreds of megabytes, and an import
in a notebook that never asked for it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_BRIDGES = "sklearn.externals.array_api_compat."
_BRIDGED = frozenset({"torch", "dask", "cupy"})


class _Hidden:
    """Finder that hides the bridges to libraries that are not loaded, from one thread only."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Refuse a bridge; who walks packages passes over what cannot be imported."""
        library = name.removeprefix(_BRIDGES)
        if (
            name.startswith(_BRIDGES)
            and library in _BRIDGED
            and library not in sys.modules
            and threading.get_ident() == self._thread
        ):
            raise ModuleNotFoundError(f"{name} is not needed to save a model", name=name)
        return None


def import_skops() -> Any:
    """Import the part of skops that reads and writes models.

    Returns
    -------
    module
        ``skops.io``.
    """
    if "skops.io" in sys.modules:
        return import_module("skops.io")  # waits where another thread is still at it
    hidden = _Hidden()
    sys.meta_path.insert(0, hidden)
    try:
        return import_module("skops.io")
    finally:
        sys.meta_path.remove(hidden)

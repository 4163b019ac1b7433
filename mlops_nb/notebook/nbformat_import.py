"""Imports nbformat without the grammar that it does not need.

nbformat imports jsonschema, and that a grammar of addresses which takes a second to be read, each
time a process starts, for formats (``iri``) that no notebook's schema has. It is read when it is
first asked for.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_GRAMMAR = "rfc3987_syntax"


class _Postponed(Loader):
    """Finder and loader of a module that stands for the grammar, for one thread only."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Give the module that stands for the grammar where that is installed."""
        if name != _GRAMMAR or threading.get_ident() != self._thread:
            return None
        return ModuleSpec(name, self) if PathFinder.find_spec(name) else None

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave making the module to Python."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module: what is called reads the grammar, and so does any other name."""

        def load() -> ModuleType:
            if sys.modules.get(_GRAMMAR) is module:
                del sys.modules[_GRAMMAR]
            return import_module(_GRAMMAR)

        def is_valid_syntax(term: str, value: str) -> Any:
            return load().is_valid_syntax(term, value)

        def find(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return getattr(load(), name)

        vars(module).update(is_valid_syntax=is_valid_syntax, __getattr__=find)


def import_nbformat() -> Any:
    """Import nbformat; call it before what imports nbformat too, such as papermill.

    Returns
    -------
    module
        ``nbformat``.
    """
    if "jsonschema" in sys.modules or _GRAMMAR in sys.modules:
        return import_module("nbformat")
    postponed = _Postponed()
    sys.meta_path.insert(0, postponed)
    try:
        return import_module("nbformat")
    finally:
        sys.meta_path.remove(postponed)
        stand_in = sys.modules.get(_GRAMMAR)
        if getattr(stand_in, "__loader__", None) is postponed:
            del sys.modules[_GRAMMAR]

"""Tells when a module has been imported, without importing it and without touching ``import``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Callback = Callable[[ModuleType], None]


class _NotifyingLoader:
    """Stands in for a module's loader until the module runs, then steps out of the way."""

    def __init__(self, loader: Any, watcher: ImportWatcher) -> None:
        self._loader, self._watcher = loader, watcher

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The module must see its own loader while it runs, and keep it afterwards.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._watcher.notify(module)


class ImportWatcher:
    """A finder at the head of ``sys.meta_path`` that finds nothing itself.

    Notes
    -----
    Other imports cost one look into a set. The finder is there only while it waits for a module.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, list[Callback]] = {}

    def watch(self, name: str, callback: Callback) -> None:
        """Call back once a module is imported; at once where it already is.

        Parameters
        ----------
        name
            Full name of the module.
        callback
            Called with the module; it must not raise.
        """
        module = sys.modules.get(name)
        spec = getattr(module, "__spec__", None)
        if module is not None and not getattr(spec, "_initializing", False):
            callback(module)
            return
        self._waiting.setdefault(name, []).append(callback)
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def close(self) -> None:
        """Wait for nothing any more and leave ``sys.meta_path`` as it was."""
        self._waiting.clear()
        self._leave()

    def _leave(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def notify(self, module: ModuleType) -> None:
        """Tell whoever waited that a module has run."""
        callbacks = self._waiting.pop(module.__name__, [])
        if not self._waiting:
            self._leave()
        for callback in callbacks:
            callback(module)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a watched module as the other finders would, with a loader that notifies."""
        if name not in self._waiting:
            return None
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec: ModuleSpec | None = find(name, path, target)
            if spec is not None:
                if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                    spec.loader = _NotifyingLoader(spec.loader, self)  # type: ignore[assignment]
                return spec
        return None

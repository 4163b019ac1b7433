"""State that calls leave inside libraries: ``mimetypes.add_type``, ``dask.config.set``.

Only the modules are looked at in which a function is defined that the notebook calls. What their
variables hold is compared with what they held when the module was imported, before any cell of the
notebook could use it. Caches are left out: without them a function computes the same again.
"""

from __future__ import annotations

import collections
import importlib
import itertools
import re
import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any

from mlops_nb.pipeline.names import is_local_module

# Their settings and registries are carried one by one, or what they keep is theirs alone.
_LEFT_OUT = frozenset(
    [
        *("numpy", "pandas", "matplotlib", "matplotlib_inline", "sklearn", "torch", "IPython"),
        *("mlops_nb", "ipykernel", "__main__", "builtins", "sys", "os", "posixpath", "threading"),
        *("logging", "warnings", "random", "re", "functools", "collections", "typing", "linecache"),
        *("importlib", "inspect", "traceback", "gc", "signal", "atexit", "codecs", "weakref"),
        *("scipy", "copy", "dataclasses", "enum", "types"),  # filled when used, or by imports
        *("abc", "copyreg", "decimal", "locale", "time", "asyncio", "concurrent", "subprocess"),
        *("multiprocessing", "tempfile", "contextvars", "contextlib", "unittest", "pickle", "io"),
        *("tqdm", "ipywidgets", "traitlets", "pathlib", "joblib", "distributed", "papermill"),
    ]
)
_KEPT_FOR_SPEED = re.compile(
    r"cache|memo|lock|lru|pool|thread|regex|pattern|compil|dispatch|init(ed|ialized)?$|warn|__.*__",
    re.IGNORECASE,
)
_DEEPEST, _MOST = 5, 2_000
_PLAIN = (str, bytes, int, float, complex, bool, type(None))
_CODE = (types.FunctionType, types.BuiltinFunctionType, types.ModuleType)

_STARTING_THREADS = re.compile(r"(threading|concurrent\.futures)\.(.*\.)?(Thread\w*|Timer)")
_COUNT = re.compile(r"count\((\d+)\)")
_COUNTER = "_counter"

_before: dict[str, dict[str, tuple[Any, int]]] = {}
_asked: dict[str, None] = {}
_counted: set[str] = set()


def begin(paths: Iterable[str]) -> None:
    """Remember what modules hold, now or as soon as they are imported.

    Parameters
    ----------
    paths
        Dotted paths of functions that the notebook calls.
    """
    listed = tuple(paths)
    _counted.update(_find_counters(listed))
    _asked.update(dict.fromkeys(p for p in listed if p.partition(".")[0] not in _LEFT_OUT))
    if _asked and not any(isinstance(finder, _Watcher) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Watcher())
    _remember()


def _find_counters(paths: Iterable[str]) -> set[str]:
    """Name the modules that count the threads of a notebook, whose names show the number."""
    found = {path.partition(".")[0] for path in paths if _STARTING_THREADS.fullmatch(path)}
    return {"concurrent.futures.thread" if name == "concurrent" else name for name in found}


def _find_counting(name: str) -> Any:
    module = importlib.import_module(name)
    return module if hasattr(module, _COUNTER) else vars(module)["ThreadPoolExecutor"]


def _remember() -> None:
    for path in _asked:
        for name in _find_modules(path):
            if name not in _before:
                _before[name] = _describe_module(sys.modules[name])


def _find_modules(path: str, executed: str = "") -> set[str]:
    """Find the module of a path and that in which its function is defined, where imported."""
    parts = path.split(".")
    count = next((n for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in sys.modules), 0)
    name = ".".join(parts[:count])
    module = sys.modules.get(name)
    if not isinstance(module, types.ModuleType) or (name != executed and _is_loading(module)):
        return set()
    found = {name}
    owner: Any = module
    for part in parts[count:]:
        owner = vars(owner).get(part) if isinstance(owner, types.ModuleType | type) else None
        origin = getattr(owner, "__module__", None)
        if isinstance(origin, str) and isinstance(sys.modules.get(origin), types.ModuleType):
            found.add(origin)
    return {each for each in found if not _is_left_out(each)}


def _is_left_out(name: str) -> bool:
    is_known = name.partition(".")[0] in _LEFT_OUT
    return is_known or is_local_module(sys.modules[name])  # its variables are carried one by one


def _is_loading(module: types.ModuleType) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


class _Watcher:
    """Lets every import pass, and looks at what the notebook calls once it is there."""

    def __init__(self) -> None:
        self._is_busy = False

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if self._is_busy or not any(each == name or each.startswith(f"{name}.") for each in _asked):
            return None
        self._is_busy = True
        try:
            found = (f.find_spec(name, path, target) for f in sys.meta_path if f is not self)
            spec = next((each for each in found if each is not None), None)
        finally:
            self._is_busy = False
        loader = getattr(spec, "loader", None)
        execute = getattr(loader, "exec_module", None)
        if loader is None or execute is None or not hasattr(loader, "__dict__"):
            return spec
        if isinstance(loader, type):
            return spec  # built into the interpreter: it has no variables of Python

        def exec_module(module: types.ModuleType) -> None:
            vars(loader).pop("exec_module", None)
            execute(module)
            for each in _asked:
                if each == name or each.startswith(f"{name}."):
                    for found in _find_modules(each, name):
                        if found not in _before and found in sys.modules:
                            _before[found] = _describe_module(sys.modules[found])

        loader.exec_module = exec_module
        return spec


def _describe_module(module: types.ModuleType) -> dict[str, tuple[Any, int]]:
    root = module.__name__.partition(".")[0]
    return {
        name: (_describe(value, root, 0), id(value))
        for name, value in list(vars(module).items())
        if not isinstance(value, (*_CODE, type)) and not _KEPT_FOR_SPEED.search(name)
    }


def _describe(value: Any, root: str, depth: int) -> Any:
    """Give something that differs where a value differs; by address where nobody can look in."""
    kind = type(value)
    if kind in _PLAIN:
        return kind.__name__, value
    if depth > _DEEPEST:
        return "deep"
    if isinstance(value, dict) and len(value) <= _MOST:
        pairs = [(_name(k), _describe(v, root, depth + 1)) for k, v in list(value.items())]
        return "dict", tuple(pairs)
    if isinstance(value, set | frozenset) and len(value) <= _MOST:
        return "set", frozenset(map(_name, value))
    if isinstance(value, list | tuple | collections.deque) and len(value) <= _MOST:
        return "list", tuple(_describe(item, root, depth + 1) for item in list(value))
    if isinstance(value, list | tuple | dict | set):
        return "many", len(value)
    own = kind.__module__.partition(".")[0] == root
    if own and isinstance(getattr(value, "__dict__", None), dict):
        return kind.__name__, _describe(vars(value), root, depth + 1)
    return id(value)


def _name(key: Any) -> Any:
    return (type(key).__name__, key) if isinstance(key, _PLAIN) else id(key)


def collect_changed() -> dict[str, dict[str, Any]]:
    """Collect the variables of libraries that calls have changed.

    Returns
    -------
    dict
        By module: pairs of whether it is still the same object, and the value, by name.
    """
    _remember()
    found: dict[str, dict[str, Any]] = {}
    for name in _counted:
        # itertools.count shows where it is; asking it would move it on.
        told = _COUNT.search(repr(getattr(_find_counting(name), _COUNTER).__self__))
        if told is not None:
            found[name] = {_COUNTER: (True, int(told[1]))}
    for name, before in _before.items():
        module = sys.modules.get(name)
        if module is None:
            continue
        now = _describe_module(module)
        for key, (content, address) in now.items():
            old = before.get(key, (None, 0))
            if content != old[0]:
                found.setdefault(name, {})[key] = (address == old[1], getattr(module, key))
    return found


def restore_changed(name: str, values: Mapping[str, tuple[bool, Any]]) -> None:
    """Give a library what calls have left in it elsewhere.

    Parameters
    ----------
    name
        The module.
    values
        From `collect_changed`.
    """
    module = importlib.import_module(name)
    if _COUNTER in values and isinstance(values[_COUNTER][1], int):
        setattr(_find_counting(name), _COUNTER, itertools.count(values[_COUNTER][1]).__next__)
        return
    for key, (is_same, value) in values.items():
        now: Any = getattr(module, key, None)
        if now is value:
            continue
        if not is_same or type(now) is not type(value):
            setattr(module, key, value)
        elif isinstance(now, dict | set):
            now.clear()
            now.update(value)
        elif isinstance(now, list | collections.deque):
            now.clear()
            now.extend(value)
        elif isinstance(getattr(now, "__dict__", None), dict):
            vars(now).clear()
            vars(now).update(vars(value))
        else:
            setattr(module, key, value)

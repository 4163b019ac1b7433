"""Settings of the interpreter and its standard library that calls make and no name shows."""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

_start: dict[str, Any] = {}
_DIALECTS = ("excel", "excel-tab", "unix")
_FORMAT = (
    *("delimiter", "doublequote", "escapechar", "lineterminator", "quotechar", "quoting"),
    *("skipinitialspace", "strict"),
)
# Of modules that are loaded after the start.
_USUAL = {"csv.size": 131072, "csv.dialects": {}, "socket.timeout": None}


def _read_mask() -> int:
    mask = os.umask(0o077)  # there is no other way to read it
    os.umask(mask)
    return mask


def _set_collecting(is_on: bool) -> None:
    (gc.enable if is_on else gc.disable)()


def _set_level_names(names: Mapping[int, str]) -> None:
    for level, name in names.items():
        logging.addLevelName(level, name)


def _read_limits(resource: Any) -> dict[int, tuple[int, int]]:
    kinds = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]
    return {kind: resource.getrlimit(kind) for kind in kinds}


def _set_limits(resource: Any, limits: Mapping[int, tuple[int, int]]) -> None:
    for kind, limit in limits.items():
        if resource.getrlimit(kind) != limit:
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(kind, limit)


def _read_dialects(csv: Any) -> dict[str, dict[str, Any]]:
    found = {name: csv.get_dialect(name) for name in csv.list_dialects() if name not in _DIALECTS}
    return {k: {name: getattr(v, name) for name in _FORMAT} for k, v in found.items()}


def _set_dialects(csv: Any, dialects: Mapping[str, Mapping[str, Any]]) -> None:
    for name in {*csv.list_dialects()} - {*dialects, *_DIALECTS}:
        csv.unregister_dialect(name)
    for name, options in dialects.items():
        csv.register_dialect(name, **options)


def _name_thread(name: str) -> None:
    threading.main_thread().name = name


_Pair = tuple[Callable[[], Any], Callable[[Any], Any]]
_OWN: dict[str, _Pair] = {
    "gc": (gc.isenabled, _set_collecting),
    "gc.threshold": (gc.get_threshold, lambda value: gc.set_threshold(*value)),
    "switches": (sys.getswitchinterval, sys.setswitchinterval),
    "digits": (sys.get_int_max_str_digits, sys.set_int_max_str_digits),
    "stack": (threading.stack_size, threading.stack_size),
    "mask": (_read_mask, os.umask),
    "logging": (
        lambda: logging.root.manager.disable,
        lambda level: setattr(logging.root.manager, "disable", level),
    ),
    "logging.names": (lambda: dict(logging._levelToName), _set_level_names),  # noqa: SLF001
    "thread": (lambda: threading.main_thread().name, _name_thread),
    "arguments": (lambda: list(sys.argv), lambda value: setattr(sys, "argv", value)),
}
_Further = tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]
_OF_MODULES: dict[str, tuple[str, _Further]] = {
    "socket.timeout": (
        "socket",
        (lambda m: m.getdefaulttimeout(), lambda m, value: m.setdefaulttimeout(value)),
    ),
    "csv.size": (
        "csv",
        (lambda m: m.field_size_limit(), lambda m, value: m.field_size_limit(value)),
    ),
    "csv.dialects": ("csv", (_read_dialects, _set_dialects)),
    "limits": ("resource", (_read_limits, _set_limits)),
}


def read_interpreter() -> dict[str, Any]:
    """Read the settings.

    Returns
    -------
    dict
        Plain values; those of modules that are loaded.
    """
    found = {name: read() for name, (read, _) in _OWN.items()}
    for name, (module, (read_from, _)) in _OF_MODULES.items():
        if module in sys.modules:
            found[name] = read_from(sys.modules[module])
    return found


def begin() -> None:
    """Remember what this process has started with."""
    if not _start:
        _start.update(read_interpreter())


def capture_interpreter() -> dict[str, Any]:
    """Collect the settings that are not as at the start.

    Returns
    -------
    dict
        For `restore_interpreter`.
    """
    now = read_interpreter()
    return {k: v for k, v in now.items() if v != _start.get(k, _USUAL.get(k, v))}


def restore_interpreter(state: Mapping[str, Any]) -> None:
    """Give this process the settings of another one.

    Parameters
    ----------
    state
        From `capture_interpreter`. Settings that are not in it become as they were at the start.
    """
    now = read_interpreter()
    for name, value in {**_start, **state}.items():
        if name in now and now[name] == value:
            continue
        if name in _OWN:
            _OWN[name][1](value)
            continue
        module, (_, write) = _OF_MODULES[name]
        write(importlib.import_module(module), value)

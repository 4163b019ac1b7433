"""The state of a kernel that no name holds: seeds, options, folder, environment."""

from __future__ import annotations

import contextlib
import decimal
import linecache
import locale
import logging
import os
import random
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from mlops_nb.pipeline import ambient_interpreter, ambient_libraries

# Set by the launcher for one kernel; another kernel has its own.
# Needed before anything can be unpickled: the folder and paths that imports depend on.
PLAIN_PARTS = ("environment", "environment_removed", "folder", "path")
# The rest are set by libraries when they are imported, in every kernel anew.
_OWN_ENVIRONMENT = (
    *("JPY_", "MLOPS_NB_", "PYTEST_", "PYDEVD_", "_", "KMP_INIT_AT_FORK", "KMP_DUPLICATE_LIB_OK"),
)


def read_environment() -> dict[str, str]:
    """Read the environment variables that a notebook may have changed.

    Returns
    -------
    dict
        Without those that belong to one kernel.
    """
    return {k: v for k, v in os.environ.items() if not k.startswith(_OWN_ENVIRONMENT)}


def _capture_loggers() -> dict[str, tuple[int, bool, bool]]:
    found = {"": (logging.root.level, False, True)}
    # By name: their own order is that of imports, which differs where steps come from the cache.
    for name, logger in sorted(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger):
            state = (logger.level, logger.disabled, logger.propagate)
            if state != (logging.NOTSET, False, True):
                found[name] = state
    return found


def _capture_cells() -> dict[str, Any]:
    # Source of executed cells, so that inspect.getsource and tracebacks work in the next step.
    return {
        name: entry
        for name, entry in linecache.cache.items()
        if len(entry) == 4 and ("ipykernel_" in name or name.startswith("<ipython-input"))
    }


def capture_ambient(environment: dict[str, str] | None = None) -> dict[str, Any]:
    """Collect the state of this process that no name of the notebook holds.

    Parameters
    ----------
    environment
        Environment variables when the kernel started. Only differences are kept, so no secret
        that the launcher had is written to disk.

    Returns
    -------
    dict
        Plain values, each under the name of the part it belongs to.
    """
    before = environment or {}
    now = read_environment()
    state: dict[str, Any] = {
        "environment": {k: v for k, v in sorted(now.items()) if before.get(k) != v},
        "environment_removed": sorted(set(before) - set(now)),
        "path": list(sys.path),
        "recursion_limit": sys.getrecursionlimit(),
        "warnings": list(warnings.filters),
        "random": random.getstate(),
        "decimal": decimal.getcontext().copy(),
        "locale": locale.setlocale(locale.LC_ALL),
        "loggers": _capture_loggers(),
        "cells": _capture_cells(),
        "interpreter": ambient_interpreter.capture_interpreter(),
        "libraries": ambient_libraries.capture_libraries(),
    }
    with contextlib.suppress(OSError):  # the folder may be gone; then there is none to go to
        state["folder"] = str(Path.cwd())
    return state


def _restore_environment(state: dict[str, Any]) -> None:
    zone = os.environ.get("TZ")
    for name in state["environment_removed"]:
        os.environ.pop(name, None)
    os.environ.update(state["environment"])
    if os.environ.get("TZ") != zone and hasattr(time, "tzset"):
        time.tzset()


def prepare_imports(state: dict[str, Any]) -> None:
    """Go to the folder and the import paths that payloads were written under.

    Parameters
    ----------
    state
        From `capture_ambient`; only plain values of it are used.
    """
    _restore_environment(state)
    if "folder" in state:
        os.chdir(state["folder"])
    if "path" in state:
        sys.path[:] = state["path"]


def restore_ambient(state: dict[str, Any]) -> None:
    """Put this process into the state of another one.

    Parameters
    ----------
    state
        From `capture_ambient`. Libraries that were imported there are imported here.
    """
    ambient_libraries.import_libraries(state["libraries"])
    sys.setrecursionlimit(state["recursion_limit"])
    decimal.setcontext(state["decimal"].copy())
    with contextlib.suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, state["locale"])
    for name, (level, disabled, propagate) in state["loggers"].items():
        logger = logging.getLogger(name or None)
        if logger.level != level:
            logger.setLevel(level)
        logger.disabled, logger.propagate = disabled, propagate
    linecache.cache.update(state["cells"])
    ambient_interpreter.restore_interpreter(state["interpreter"])
    # Libraries before warnings and seeds: setting options may warn, importing may draw.
    ambient_libraries.restore_libraries(state["libraries"])
    warnings.filters[:] = state["warnings"]  # type: ignore[index]
    warnings._filters_mutated()  # type: ignore[attr-defined]  # noqa: SLF001 - or the cache stays
    random.setstate(state["random"])

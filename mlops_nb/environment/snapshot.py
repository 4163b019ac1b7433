"""The environment and the code as documents: the same environment is the same object."""

from __future__ import annotations

import json
import os
import platform
import sys
import threading
from pathlib import Path
from typing import Any

from mlops_nb.capture.git import capture_git
from mlops_nb.capture.hardware import capture_hardware, capture_threads
from mlops_nb.capture.packages import (
    Distribution,
    list_imported,
    read_installed,
)
from mlops_nb.store import Store

# Only these are ever read: masking secrets in everything else would be a guess.
VARIABLES = (
    "CONDA_DEFAULT_ENV",
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_VISIBLE_DEVICES",
    "JAX_ENABLE_X64",
    "KMP_AFFINITY",
    "KMP_BLOCKTIME",
    "LANG",
    "LC_ALL",
    "LOKY_MAX_CPU_COUNT",
    "MKL_CBWR",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_DYNAMIC",
    "OMP_NUM_THREADS",
    "OMP_PROC_BIND",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "PYTHONOPTIMIZE",
    "SKLEARN_ASSUME_FINITE",
    "TF_DETERMINISTIC_OPS",
    "TZ",
    "VECLIB_MAXIMUM_THREADS",
)

_lock = threading.Lock()
# What the store loads when it first keeps something tells nothing of the user's work, and would
# make the second document of a process differ from its first.
_OWN = frozenset({"blake3", "zstandard", "pyfastcdc"})
_machine: list[dict[str, Any]] = []


def _read_installed(cache: Path | None) -> dict[str, Distribution]:
    """Read what is installed, again only after an installation changed a folder of ``sys.path``."""
    with _lock:
        return read_installed(cache=cache)


def _read_machine() -> dict[str, Any]:
    with _lock:
        if not _machine:
            _machine.append(capture_hardware())
        return _machine[0]


def capture_environment(cache: Path | None = None) -> dict[str, Any]:
    """Describe the environment of this process.

    Parameters
    ----------
    cache
        Folder in which the list of what is installed is kept for the next process.

    Returns
    -------
    dict
        JSON types only: ``python``, ``machine``, ``packages`` (all, with versions), ``imported``
        (those this process has loaded), ``origins`` (not from an index), ``variables`` (a fixed
        list of names, never all), ``threads``. States of random generators belong to a run, not
        to an environment, which would else never be the same twice.

    Notes
    -----
    Safe on any thread: nothing is imported or drawn on behalf of the user. Packages are read again
    only when a folder of ``sys.path`` changed.
    """
    installed = _read_installed(cache)
    threads = capture_threads()  # first: it loads a library, and the next call would list it
    return {
        "format": 1,
        "python": {
            "version": platform.python_version(),
            "implementation": platform.python_implementation(),
            "build": " ".join(platform.python_build()),
            "compiler": platform.python_compiler(),
            "prefix": sys.prefix,
            "executable": sys.executable,
            "optimize": sys.flags.optimize,
            "is_hash_random": bool(sys.flags.hash_randomization),
        },
        "machine": _read_machine(),
        "packages": {name: each.version for name, each in installed.items()},
        "origins": {name: each.origin for name, each in installed.items() if each.origin},
        "imported": {k: v for k, v in list_imported(installed=installed).items() if k not in _OWN},
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        "threads": threads,
    }


def snapshot_environment(store: Store) -> str:
    """Keep the environment document.

    Parameters
    ----------
    store
        Where it goes; the same environment is kept once.

    Returns
    -------
    str
        Digest of the document.

    Raises
    ------
    OSError
        The store cannot be written.
    """
    return store.objects.put_json(_make_plain(capture_environment(store.cache)))


def snapshot_code(store: Store, folder: Path) -> str | None:
    """Keep the git state of a folder, with everything that is not committed.

    Parameters
    ----------
    store
        Where it goes.
    folder
        The notebook's folder.

    Returns
    -------
    str or None
        Digest of a document with ``commit``, ``branch``, ``remote``, ``dirty``, ``diff`` and
        ``untracked``; None where there is no repository.

    Raises
    ------
    OSError
        The store cannot be written.
    """
    state = capture_git(folder)
    if state["root"] is None:
        return None
    state.pop("root")  # where somebody cloned it is no part of the code
    return store.objects.put_json(_make_plain({"format": 1, **state}))


def _make_plain(document: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(document, default=str))
    return plain

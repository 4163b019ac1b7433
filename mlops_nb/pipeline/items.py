"""A notebook's values and the state around them, all as named values."""

from __future__ import annotations

import enum
import importlib
import sys
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mlops_nb.pipeline import ambient, ambient_interpreter, library_state, rebuild
from mlops_nb.pipeline.names import is_local_module, list_user_names
from mlops_nb.pipeline.patches import capture_patches, list_added, restore_patches

# What no name holds gets a name that no notebook can use.
PROCESS = "<process>"
SEEDS = "<seeds>"
OPTIONS = "<options>"
CELLS = "<cells>"
PATCH = "<patch>"
LIBRARY = "<library>"
MODULE = "<module>"
HISTORY = "<history>"
_SEEDS_OF_LIBRARIES = ("seed", "cuda")
_CODE = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType)


def is_pseudo(name: str) -> bool:
    """Tell whether a name stands for state that no variable holds.

    Parameters
    ----------
    name
        Name of a value in a state.

    Returns
    -------
    bool
        False for variables.
    """
    return name.startswith("<")


def read_start() -> dict[str, Any]:
    """Read what the kernel started with, so that only changes cross.

    Returns
    -------
    dict
        Environment variables, folder and import paths.
    """
    folder = str(Path.cwd())
    ambient_interpreter.begin()
    return {"environment": ambient.read_environment(), "folder": folder, "path": list(sys.path)}


def list_own_names(user_ns: dict[str, Any]) -> set[str]:
    """List the names that the notebook itself has made.

    Parameters
    ----------
    user_ns
        The user namespace.

    Returns
    -------
    set of str
        Without those of the shell.
    """
    shell = rebuild.get_shell()
    hidden = {} if shell is None else dict(shell.user_ns_hidden)
    return {n for n in list_user_names(user_ns, hidden) if user_ns[n] is not user_ns}


def collect_ambient(start: Mapping[str, Any]) -> dict[str, Any]:
    """Collect the state of this process that no name of the notebook holds.

    Parameters
    ----------
    start
        From `read_start`.

    Returns
    -------
    dict
        Value by pseudo name.
    """
    state = ambient.capture_ambient(start["environment"])
    process = {k: state.pop(k) for k in ambient.PLAIN_PARTS if k in state}
    for part in ("folder", "path"):
        if process.get(part) == start[part]:
            process.pop(part, None)
    seeds: dict[str, Any] = {"random": state.pop("random")}
    for library, options in state["libraries"].items():
        found = {k: options.pop(k) for k in _SEEDS_OF_LIBRARIES if k in options}
        if found:
            seeds[library] = found
    cells = {f"{CELLS}{name}": entry for name, entry in state.pop("cells").items()}
    return {PROCESS: process, SEEDS: seeds, **cells, OPTIONS: state}


def restore_ambient(found: Mapping[str, Any]) -> None:
    """Put this process into the state that `collect_ambient` has found.

    Parameters
    ----------
    found
        Value by pseudo name; `PROCESS` is restored before anything else is read.
    """
    state = dict(found[OPTIONS])
    seeds = dict(found[SEEDS])
    libraries = {name: dict(options) for name, options in state["libraries"].items()}
    state["random"] = seeds.pop("random")
    for library, values in seeds.items():
        libraries.setdefault(library, {}).update(values)
    state["libraries"] = libraries
    state["cells"] = {n.removeprefix(CELLS): v for n, v in found.items() if n.startswith(CELLS)}
    ambient.restore_ambient(state)


def collect_modules() -> dict[str, Any]:
    """Collect the variables of the modules that belong to the project.

    Returns
    -------
    dict
        Value by pseudo name, one for each variable.
    """
    kept = (*_CODE, type)
    found: dict[str, Any] = {}
    for name, module in list(sys.modules.items()):
        if not isinstance(module, types.ModuleType) or not is_local_module(module):
            continue
        for key, value in vars(module).items():
            if not key.startswith("__") and not isinstance(value, kept):
                found[f"{MODULE}{name}:{key}"] = value
            elif isinstance(value, type) and value.__module__ == name:
                found |= _collect_class(f"{MODULE}{name}:{key}", value)
    return found


def _collect_class(path: str, kind: type) -> dict[str, Any]:
    """Collect the variables of a class, which its methods and the notebook may have changed."""
    if issubclass(kind, enum.Enum):
        return {}
    return {
        f"{path}.{key}": value
        for key, value in vars(kind).items()
        if not key.startswith("__")
        and not isinstance(value, (*_CODE, type))
        and not hasattr(type(value), "__get__")
        and key != "_abc_impl"
    }


def collect_patches(paths: Iterable[str]) -> dict[str, Any]:
    """Collect what the notebook has set on libraries.

    Parameters
    ----------
    paths
        From `patches.find_patches`.

    Returns
    -------
    dict
        Value by pseudo name.
    """
    found = capture_patches([*paths, *list_added()])
    values: dict[str, Any] = {f"{PATCH}{path}": value for path, value in found.items()}
    for module, variables in library_state.collect_changed().items():
        values[f"{LIBRARY}{module}"] = variables
    return values


def restore_pseudo(values: Mapping[str, Any]) -> None:
    """Restore all that no variable holds.

    Parameters
    ----------
    values
        Value by name. `PROCESS` is restored before anything else is read, and not here.
    """
    for name, value in values.items():
        if name.startswith(MODULE):
            module, _, key = name.removeprefix(MODULE).partition(":")
            owner: Any = importlib.import_module(module)
            *parents, last = key.split(".")
            for parent in parents:
                owner = getattr(owner, parent)
            setattr(owner, last, value)
    if OPTIONS in values:
        restore_ambient(values)
    for name, variables in values.items():
        if name.startswith(LIBRARY):
            library_state.restore_changed(name.removeprefix(LIBRARY), variables)
    patches = {n.removeprefix(PATCH): v for n, v in values.items() if n.startswith(PATCH)}
    restore_patches(patches)

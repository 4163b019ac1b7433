"""Which names and modules belong to the notebook and not to the shell around it."""

from __future__ import annotations

import functools
import os
import re
import sys
import sysconfig
import types
from collections.abc import Mapping
from typing import Any

_MODULE_NAMES = {
    "__name__", "__doc__", "__package__", "__loader__", "__spec__", "__builtin__", "__builtins__",
    "__file__", "__warningregistry__", "__session__", "_mlops", "__vsc_ipynb_file__",
}  # fmt: skip
_HISTORY = re.compile(r"_i?\d+|_{1,3}|_i{1,3}|_[iod]h|In|Out")
_KERNEL_NAMES = ("exit", "quit", "open", "get_ipython")


def list_user_names(namespace: Mapping[str, Any], hidden: Mapping[str, Any]) -> set[str]:
    """List the names that a notebook itself has made.

    Parameters
    ----------
    namespace
        The user namespace.
    hidden
        Names that the shell put there; they count only where the notebook has replaced them.

    Returns
    -------
    set of str
        Without the shell's history and the module's own names.
    """
    found = set()
    for name, value in namespace.items():
        if not isinstance(name, str) or name in _MODULE_NAMES or _HISTORY.fullmatch(name):
            continue
        if name in hidden and hidden[name] is value:
            continue
        if name in _KERNEL_NAMES and type(value).__module__.startswith("IPython."):
            continue
        if name in _KERNEL_NAMES and getattr(value, "__module__", "").startswith("IPython."):
            continue
        found.add(name)
    return found


def is_local_module(module: types.ModuleType) -> bool:
    """Tell whether a module belongs to the project and not to an installed package.

    Parameters
    ----------
    module
        Any module.

    Returns
    -------
    bool
        True for files outside the interpreter and its packages.
    """
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or module.__name__.split(".")[0] in ("mlops_nb", "__main__"):
        return False
    if not os.path.isabs(file):  # noqa: PTH117 - a thousand modules are asked
        # Packages such as torch make modules that name no real file; they belong to the package.
        top = sys.modules.get(module.__name__.partition(".")[0], module)
        return top is module or is_local_module(top)
    installed = ("site-packages" in file) or ("dist-packages" in file)
    return not installed and not file.startswith(_list_roots())


@functools.lru_cache(maxsize=1)
def _list_roots() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    found = {paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    return tuple(root + os.sep for root in found)

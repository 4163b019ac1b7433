"""Which notebook a kernel runs, as its front end names it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any


def find_notebook(shell: Any) -> str | None:
    """Find the notebook that runs in a shell.

    Parameters
    ----------
    shell
        The running IPython shell.

    Returns
    -------
    str or None
        Absolute path; None where no front end tells (a terminal, Colab).

    Notes
    -----
    ``MLOPS_NB_NOTEBOOK`` is set by whoever executes a notebook without a front end,
    ``__vsc_ipynb_file__`` by VS Code, and ``JPY_SESSION_NAME`` by Jupyter Server, where it names
    consoles as well: only a file that exists counts.
    """
    named = os.environ.get("MLOPS_NB_NOTEBOOK") or shell.user_ns.get("__vsc_ipynb_file__")
    named = named or os.environ.get("JPY_SESSION_NAME")
    if not isinstance(named, str) or not named.endswith(".ipynb"):
        return None
    path = Path(named).absolute()
    return str(path) if path.is_file() else None


def find_kernel_id() -> str | None:
    """Find the name that Jupyter Server gave to this kernel; a restart does not change it.

    Returns
    -------
    str or None
        None where no server started the kernel.
    """
    module = sys.modules.get("ipykernel.kernelapp")
    kind = getattr(module, "IPKernelApp", None)
    if kind is None or not kind.initialized():
        return None
    # The only place where a kernel finds it: Jupyter names the file after the kernel.
    file = Path(str(getattr(kind.instance(), "connection_file", "")))
    found = re.fullmatch(r"kernel-([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})", file.stem)
    return found and found[1]


def is_being_run(notebook: str) -> bool:
    """Tell whether this kernel runs a step of a pipeline of that very notebook.

    Parameters
    ----------
    notebook
        Path of the notebook.

    Returns
    -------
    bool
        True where a cell that runs the notebook would run itself, and so on without end.
    """
    named = os.environ.get("MLOPS_NB_NOTEBOOK")
    if not os.environ.get("MLOPS_NB_PARENT_RUN") or not named:
        return False
    return Path(named).resolve() == Path(notebook).resolve()

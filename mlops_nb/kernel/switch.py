"""The switch of the panel: what it executes in the kernel, out of the notebook's sight."""

from __future__ import annotations

from typing import Any

from mlops_nb import api
from mlops_nb.kernel.extension import find_extension, load_ipython_extension


def set_recording(is_on: bool, shell: Any = None) -> None:
    """Switch recording on, loading the extension where that was not done, or off.

    Parameters
    ----------
    is_on
        Which of the two.
    shell
        The IPython shell; by default the one that runs.

    Raises
    ------
    StoreError
        Nothing can be recorded in this kernel.
    """
    if shell is None:
        from IPython import get_ipython

        shell = get_ipython()
    is_loaded = find_extension(shell) is not None
    if not is_loaded and not is_on:
        return
    if not is_loaded:
        # Through IPython, which then knows of it: a later %load_ext does not load it twice.
        shell.extension_manager.load_extension("mlops_nb")
        if find_extension(shell) is None:
            load_ipython_extension(shell)  # loaded and unloaded before
    api.switch_recording(is_on)

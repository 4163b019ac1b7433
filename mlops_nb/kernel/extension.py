"""Loading and unloading: what ``%load_ext mlops_nb`` does, once, and undoes exactly."""

from __future__ import annotations

import atexit
import os
from typing import Any

from mlops_nb import api
from mlops_nb.config import Settings, load_settings
from mlops_nb.errors import MLOpsError
from mlops_nb.kernel.cardboard import CardBoard
from mlops_nb.kernel.guard import describe_failure, say
from mlops_nb.kernel.hooks import CellHooks
from mlops_nb.kernel.magics import MlopsMagics
from mlops_nb.kernel.matcher import MagicMatcher
from mlops_nb.kernel.notebooks import find_kernel_id, find_notebook


class Extension:
    """Everything this package has placed into one IPython shell.

    Parameters
    ----------
    shell
        The running IPython shell.

    Attributes
    ----------
    hooks : CellHooks or None
        The hooks; None where nothing is recorded.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.hooks: CellHooks | None = None
        self._matcher = MagicMatcher(shell)
        self._owner = os.getpid()
        self._is_open = False

    def load(self) -> None:
        """Register magics and completion, then begin to record where that is possible."""
        magics = MlopsMagics(self.shell, self)
        self.shell.register_magics(magics)
        self.shell.Completer.custom_matchers.append(self._matcher)
        try:
            settings = load_settings()
            if not settings.disabled:
                self._start(settings)
        except MLOpsError as error:
            say(f"nothing is recorded: {error.message} {error.hint}")
        except Exception as error:  # noqa: BLE001 - a notebook must work without its recorder
            say(f"nothing is recorded: {describe_failure(error)}")

    def _start(self, settings: Settings) -> None:
        self._is_open = True
        # A restart of the kernel ends the process without unloading its extensions.
        atexit.register(self._finish)
        if not api.open_session(find_notebook(self.shell), find_kernel_id()):
            return  # it has said why in one line
        cards = CardBoard(self.shell) if settings.cards else None
        self.hooks = CellHooks(self.shell, cards)
        self.hooks.install()

    def _finish(self) -> None:
        if os.getpid() != self._owner:
            return  # a forked child must not end its parent's runs
        try:
            api.close_session()
        except Exception as error:  # noqa: BLE001 - the process is ending
            say(f"the session was not closed: {describe_failure(error)}")

    def unload(self) -> None:
        """Take everything out of the shell again and end the session."""
        registered = self.shell.magics_manager
        for kind in ("line", "cell"):
            registered.magics[kind].pop("mlops", None)
        held = registered.registry.pop(MlopsMagics.__name__, None)
        if held is not None:
            held.close()
        if self._matcher in self.shell.Completer.custom_matchers:
            self.shell.Completer.custom_matchers.remove(self._matcher)
        if self.hooks is not None:
            self.hooks.remove()
            self.hooks = None
        if self._is_open:
            self._is_open = False
            atexit.unregister(self._finish)
            self._finish()


def find_extension(shell: Any) -> Extension | None:
    """Find what is loaded in a shell.

    Parameters
    ----------
    shell
        The running IPython shell.

    Returns
    -------
    Extension or None
        The loaded extension. It hangs on its registered magics, so that a module reloaded by
        autoreload still finds it.
    """
    held = shell.magics_manager.registry.get(MlopsMagics.__name__)
    return None if held is None else held.extension


def load_ipython_extension(shell: Any) -> None:
    """Load the extension into a shell; a second time does nothing.

    Parameters
    ----------
    shell
        The running IPython shell.
    """
    if find_extension(shell) is None:
        Extension(shell).load()


def unload_ipython_extension(shell: Any) -> None:
    """Take the extension out of a shell.

    Parameters
    ----------
    shell
        The running IPython shell.
    """
    extension = find_extension(shell)
    if extension is not None:
        extension.unload()

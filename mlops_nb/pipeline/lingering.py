"""What a notebook leaves in its process that no name holds and no file can carry."""

from __future__ import annotations

import atexit
import logging
import sys
from collections.abc import Collection
from typing import Any

_SETTERS = frozenset(["basicConfig", "addHandler", "dictConfig", "fileConfig"])
_state: dict[str, Any] = {"registered": [], "handlers": None}


def begin() -> None:
    """Begin to note what the notebook registers for its end, and remember who logs already."""
    if _state["handlers"] is not None:
        return
    _state["handlers"] = {id(handler) for handler in _list_handlers()}
    original = atexit.register

    def register(function: Any, *arguments: Any, **options: Any) -> Any:
        if sys._getframe(1).f_globals.get("__name__") == "__main__":  # noqa: SLF001 - who asks
            _state["registered"].append(getattr(function, "__qualname__", repr(function)))
        return original(function, *arguments, **options)

    atexit.register = register  # type: ignore[assignment]


def _list_handlers() -> list[logging.Handler]:
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    return [h for one in loggers if isinstance(one, logging.Logger) for h in one.handlers]


def find_lingering(repeated: Collection[str]) -> dict[str, str]:
    """Find what keeps the next step in this process.

    Parameters
    ----------
    repeated
        Words of the lines that every step runs again.

    Returns
    -------
    dict
        Reason by ``<what>``.
    """
    found: dict[str, str] = {}
    for name in _state["registered"]:
        found[f"<end {name}>"] = "it is registered to run when the notebook ends"
    known = _state["handlers"] or set()
    is_repeated = not _SETTERS.isdisjoint(repeated)
    for handler in _list_handlers():
        writes_file = isinstance(handler, logging.FileHandler)
        if id(handler) not in known and (writes_file or not is_repeated) and _is_own(handler):
            found[f"<handler {handler!r}>"] = "it writes what is logged"
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and pyplot.get_fignums():
        found["<figures>"] = "pyplot goes on with figures that are open"
    return found


def _is_own(handler: logging.Handler) -> bool:
    """Tell whether a cell has set the handler, not a library for itself when it was imported."""
    owners = [
        one.name
        for one in [logging.root, *logging.root.manager.loggerDict.values()]
        if isinstance(one, logging.Logger) and handler in one.handlers
    ]
    return any(name == "root" or name.split(".")[0] not in sys.modules for name in owners)

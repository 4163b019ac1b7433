"""What a notebook leaves in its process that no name holds and no file can carry."""

from __future__ import annotations

import atexit
import codecs
import dis
import functools
import logging
import sys
import types
from collections.abc import Collection
from typing import Any

from mlops_nb.pipeline import hiding, leftovers
from mlops_nb.pipeline.names import is_local_module
from mlops_nb.pipeline.rebuild import get_shell

_OURS = "mlops_nb"
_SETTERS = frozenset(["basicConfig", "addHandler", "dictConfig", "fileConfig"])
_SHOWING = ("matplotlib", "IPython", "functools", "mlops_nb", "__main__")
_OF_CODECS = ("register", "register_error")
_state: dict[str, Any] = {"registered": [], "handlers": None, "codecs": [], "extensions": set()}


def begin() -> None:
    """Begin to note what the notebook registers for its end, and remember who logs already."""
    if _state["handlers"] is not None:
        return
    hiding.begin()
    leftovers.begin()
    _state["printers"] = _list_printers()
    known = {id(handler) for handler in _list_handlers()}
    _state["handlers"] = known
    _state["extensions"] = _list_extensions()
    _leave_out_imports(known)
    _note_calls(atexit, "register", _state["registered"])
    for name in _OF_CODECS:  # their tables are in C, and nothing lists them
        _note_calls(codecs, name, _state["codecs"])


def _leave_out_imports(known: set[int]) -> None:
    """Count handlers that a library sets while it is imported as there from the beginning."""
    original = logging.Logger.addHandler

    @functools.wraps(original)
    def add(self: logging.Logger, hdlr: logging.Handler) -> None:
        original(self, hdlr)
        if _is_importing():
            known.add(id(hdlr))

    logging.Logger.addHandler = add  # type: ignore[method-assign]


def _is_importing() -> bool:
    frame: types.FrameType | None = sys._getframe(2)  # noqa: SLF001 - to see who calls
    while frame is not None and frame.f_globals.get("__name__") != "__main__":
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def _note_calls(module: Any, name: str, noted: list[str]) -> None:
    """Note what cells hand to a function that keeps it where nobody can look."""
    original = getattr(module, name)

    @functools.wraps(original)
    def call(*arguments: Any, **options: Any) -> Any:
        if sys._getframe(1).f_globals.get("__name__") == "__main__":  # noqa: SLF001 - who asks
            first = next(iter([*arguments, *options.values()]), None)
            noted.append(str(getattr(first, "__qualname__", first)))
        return original(*arguments, **options)

    setattr(module, name, call)


def _list_extensions() -> set[str]:
    manager = getattr(get_shell(), "extension_manager", None)
    return set(getattr(manager, "loaded", ()))


def _list_printers() -> set[str]:
    """Name the classes that libraries show in a way of their own, except for figures."""
    formatters = getattr(getattr(get_shell(), "display_formatter", None), "formatters", {})
    return {
        f"{kind.__module__}.{kind.__qualname__}"
        for formatter in formatters.values()
        for kind, printer in formatter.type_printers.items()
        if not str(getattr(printer, "__module__", "functools")).startswith(_SHOWING)
    }


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
    for name in _state["codecs"] if set(repeated).isdisjoint(_OF_CODECS) else ():
        found[f"<codec {name}>"] = "it is registered at the codecs"
    for name in sorted(_list_extensions() - _state["extensions"] - {_OURS}):
        if name.rpartition(".")[2] not in repeated:
            found[f"<extension {name}>"] = "it is loaded into the shell"
    if "init_printing" not in repeated:
        for kind in sorted(_list_printers() - _state["printers"]):
            found[f"<formatter of {kind}>"] = "a library was told how cells show its values"
    known = _state["handlers"] or set()
    is_repeated = not _SETTERS.isdisjoint(repeated)
    for handler in _list_handlers():
        writes_file = isinstance(handler, logging.FileHandler)
        if id(handler) not in known and (writes_file or not is_repeated) and _is_own(handler):
            found[f"<handler {handler!r}>"] = "it writes what is logged"
    found |= _find_held_by_modules()
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and pyplot.get_fignums():
        found["<figures>"] = "pyplot goes on with figures that are open"
    return found


def _find_held_by_modules() -> dict[str, str]:
    """Find functions of local modules that keep something between calls: importing forgets it."""
    found = {}
    for module in list(sys.modules.values()):
        if not isinstance(module, types.ModuleType) or not is_local_module(module):
            continue
        for name, value in vars(module).items():
            if isinstance(value, types.FunctionType) and _keeps_something(value):
                found[f"<function {module.__name__}.{name}>"] = "it keeps values between its calls"
    return found


def _keeps_something(function: types.FunctionType) -> bool:
    if set(vars(function)) - {"__wrapped__"} or any(map(_can_change, function.__defaults__ or ())):
        return True
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            value = cell.cell_contents
        except ValueError:
            continue
        if _can_change(value) or _rebinds(function.__code__, name):
            return True
    return False


def _can_change(value: Any) -> bool:
    return isinstance(value, list | dict | set | bytearray) and bool(value)


def _rebinds(code: types.CodeType, name: str) -> bool:
    return any(
        one.opname == "STORE_DEREF" and one.argval == name for one in dis.get_instructions(code)
    )


def _is_own(handler: logging.Handler) -> bool:
    """Tell whether a cell has set the handler, not a library for itself when it was imported."""
    owners = [
        one.name
        for one in [logging.root, *logging.root.manager.loggerDict.values()]
        if isinstance(one, logging.Logger) and handler in one.handlers
    ]
    return any(name == "root" or name.split(".")[0] not in sys.modules for name in owners)

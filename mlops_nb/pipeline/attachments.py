"""What ties a notebook to its process: threads, and functions that it has registered somewhere."""

from __future__ import annotations

import abc
import collections.abc
import copyreg
import functools
import importlib
import numbers
import signal
import sys
import threading
import types
from collections.abc import Iterator
from typing import Any

from mlops_nb.pipeline.leftovers import find_leftovers
from mlops_nb.pipeline.rebuild import get_shell

_HOOKS = ("excepthook", "unraisablehook", "displayhook", "breakpointhook")
_REGISTERED = "the notebook has registered code of its own there"


def find_attachments(namespace: dict[str, Any]) -> dict[str, str]:
    """Find what of the notebook this process holds on to, and the next one would not.

    Parameters
    ----------
    namespace
        The user namespace.

    Returns
    -------
    dict
        Reason by what it is, in angle brackets: no variable is called so.
    """
    found = {}
    for thread in threading.enumerate():
        target = getattr(thread, "_target", None)
        if getattr(target, "__globals__", None) is namespace or _is_of_main(type(thread)):
            found[f"<thread {thread.name}>"] = "it still runs code of the notebook"
    for place, value in [*_list_process(), *_list_abstract(), *_list_shell()]:
        if _is_own(value, namespace):
            found[f"<{place}>"] = _REGISTERED
    return found | find_leftovers(namespace, lambda value: _is_own(value, namespace))


def _is_of_main(value: Any) -> bool:
    return getattr(value, "__module__", None) == "__main__"


def _is_own(value: Any, namespace: dict[str, Any]) -> bool:
    while isinstance(value, functools.partial | types.MethodType):
        owner = value.func if isinstance(value, functools.partial) else value.__self__
        if isinstance(value, types.MethodType) and _is_of_main(type(owner)):
            return True
        value = owner if isinstance(value, functools.partial) else value.__func__
    if isinstance(value, types.FunctionType):
        return value.__globals__ is namespace
    return _is_of_main(value) or _is_of_main(type(value))


def _list_process() -> Iterator[tuple[str, Any]]:
    for number in signal.valid_signals():
        yield f"signal {number}", signal.getsignal(number)
    for kind, reduction in copyreg.dispatch_table.items():
        yield "copyreg", kind
        yield "copyreg", reduction
    for hook in _HOOKS:
        yield f"sys.{hook}", getattr(sys, hook)


def _list_abstract() -> Iterator[tuple[str, Any]]:
    """List the classes that were said to be of an abstract kind of the standard library."""
    dump = importlib.import_module("_abc")._get_dump  # noqa: SLF001 - the registries are in C
    for kind in [*vars(collections.abc).values(), *vars(numbers).values()]:
        if not isinstance(kind, abc.ABCMeta):
            continue
        for reference in dump(kind)[0]:
            yield f"{kind.__name__}.register", reference()


def _list_shell() -> Iterator[tuple[str, Any]]:
    shell = get_shell()
    if shell is None:
        return
    for event, callbacks in shell.events.callbacks.items():
        for callback in callbacks:
            yield f"event {event}", callback
    for magics in shell.magics_manager.magics.values():
        for name, magic in magics.items():
            yield f"magic {name}", magic
    for transformer in [*shell.input_transformers_post, *shell.ast_transformers]:
        yield "input transformer", transformer
    for formatter in shell.display_formatter.formatters.values():
        for kind, printer in formatter.type_printers.items():
            yield "formatter", kind
            yield "formatter", printer

"""How the shell of a notebook shows things: modes, aliases, formats of figures."""

from __future__ import annotations

import functools
from typing import Any

# What ``%precision``, ``%pprint`` and the like set.
_OF_TEXT = ("float_precision", "pprint", "max_width", "max_seq_length", "verbose")
_OF_SHELL = ("ast_node_interactivity", "autoawait", "autocall", "automagic")
_OF_FORMATTER = ("active_types",)
_OF_ERRORS = ("skip_hidden",)
_OF_INLINE = ("rc", "print_figure_kwargs", "figure_formats", "close_figures")


def _find_parts(ipython: Any) -> list[tuple[str, Any, tuple[str, ...]]]:
    shell = ipython.get_ipython()
    formatter = getattr(shell, "display_formatter", None)
    if formatter is None:
        return []
    return [
        ("text", formatter.formatters["text/plain"], _OF_TEXT),
        ("shell", shell, _OF_SHELL),
        ("formatter", formatter, _OF_FORMATTER),
        ("errors", shell.InteractiveTB, _OF_ERRORS),
    ]


def capture_shell(ipython: Any) -> dict[str, Any]:
    """Read how the shell shows things.

    Parameters
    ----------
    ipython
        The module.

    Returns
    -------
    dict
        Plain values; empty outside a notebook.
    """
    parts = _find_parts(ipython)
    state: dict[str, Any] = {
        part: {name: getattr(owner, name) for name in names} for part, owner, names in parts
    }
    if parts:
        shell = ipython.get_ipython()
        state["mode"] = shell.InteractiveTB.mode
        state["aliases"] = dict(shell.alias_manager.aliases)
        state["folders"] = list(shell.dir_stack)
        # Where it has been only once, a notebook that was moved is still the same.
        been = [str(folder) for folder in shell.user_ns.get("_dh", ())]
        state["been"] = been if len(been) > 1 else []
    return state


def restore_shell(ipython: Any, state: dict[str, Any]) -> None:
    """Make the shell of this process show things as another one does.

    Parameters
    ----------
    ipython
        The module.
    state
        From `capture_shell`.
    """
    parts = _find_parts(ipython)
    for part, owner, names in parts:
        for name in names:
            if part in state and state[part][name] != getattr(owner, name):
                setattr(owner, name, state[part][name])
    if not parts or "mode" not in state:
        return
    shell = ipython.get_ipython()
    if shell.InteractiveTB.mode != state["mode"]:
        shell.InteractiveTB.set_mode(mode=state["mode"])
    shell.dir_stack[:] = state["folders"]
    if state["been"] and "_dh" in shell.user_ns:
        shell.user_ns["_dh"][:] = state["been"]
    known = dict(shell.alias_manager.aliases)
    for name in known.keys() - state["aliases"].keys():
        shell.alias_manager.undefine_alias(name)
    for name, command in state["aliases"].items():
        if known.get(name) != command:
            shell.alias_manager.define_alias(name, command)


def capture_inline(backend: Any) -> dict[str, Any]:
    """Read how figures are shown below cells.

    Parameters
    ----------
    backend
        The module ``matplotlib_inline.backend_inline``.

    Returns
    -------
    dict
        Plain values; empty where nobody has asked for a figure yet.
    """
    if not backend.InlineBackend.initialized():
        return {}
    options = backend.InlineBackend.instance()
    state: dict[str, Any] = {name: getattr(options, name) for name in _OF_INLINE}
    state["figure_formats"] = sorted(state["figure_formats"])
    return state | {"printers": _find_printers(backend)}


def _find_printers(backend: Any) -> dict[str, Any]:
    """List what makes pictures of figures, by type of picture; a call may have replaced it."""
    formatters = backend.get_ipython().display_formatter.formatters
    found = {
        kind: formatter.type_printers.get(_get_figure()) for kind, formatter in formatters.items()
    }
    return {k: v for k, v in found.items() if isinstance(v, functools.partial)}


def restore_inline(backend: Any, state: dict[str, Any]) -> None:
    """Show figures below cells as another process does.

    Parameters
    ----------
    backend
        The module ``matplotlib_inline.backend_inline``.
    state
        From `capture_inline`.
    """
    if not state:
        return
    options = backend.InlineBackend.instance(parent=backend.get_ipython())
    if options.shell is None:
        options.shell = backend.get_ipython()
    wanted = state | {"figure_formats": {*state["figure_formats"]}}
    for name in _OF_INLINE:
        if getattr(options, name) != wanted[name]:
            setattr(options, name, wanted[name])
    formatters = backend.get_ipython().display_formatter.formatters
    now = _find_printers(backend)
    for kind, printer in state["printers"].items():
        if repr(now.get(kind)) != repr(printer):
            formatters[kind].for_type(_get_figure(), printer)
    for kind in now.keys() - state["printers"].keys():
        formatters[kind].pop(_get_figure(), None)


def _get_figure() -> Any:
    from matplotlib.figure import Figure

    return Figure

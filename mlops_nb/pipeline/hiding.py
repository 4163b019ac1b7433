"""Keeps what a notebook hooks into its shell from seeing cells that the notebook does not have."""

from __future__ import annotations

from typing import Any

from mlops_nb.pipeline.rebuild import get_shell

# The cells that stand around those of the notebook.
CALL = "import mlops_nb.pipeline.step as _mlops; _mlops.{0}"
_OWN = CALL.partition("{")[0]


def begin() -> None:
    """Hide our own cells from callbacks that are registered from now on."""
    shell = get_shell()
    events = getattr(shell, "events", None)
    if events is None or "trigger" in vars(events):
        return
    known = {event: list(callbacks) for event, callbacks in events.callbacks.items()}
    original = events.trigger

    def trigger(event: str, *arguments: Any, **options: Any) -> None:
        callbacks = events.callbacks
        registered = callbacks[event]
        hidden = [one for one in registered if one not in known[event]]
        if not hidden or not _is_own_cell(shell):
            original(event, *arguments, **options)
            return
        callbacks[event] = [one for one in registered if one not in hidden]
        try:
            original(event, *arguments, **options)
        finally:
            callbacks[event] = registered

    events.trigger = trigger


def _is_own_cell(shell: Any) -> bool:
    """Tell whether the kernel was asked to run a cell of ours; its code may run others."""
    content = shell.get_parent().get("content", {})
    return bool(content.get("silent")) or str(content.get("code", "")).startswith(_OWN)

"""IPython's own history, carried where a cell reads it: ``Out[3]``, ``_``, ``In[2]``."""

from __future__ import annotations

from typing import Any

_LAST = ("_i00", "_i", "_ii", "_iii")


def collect(shell: Any) -> dict[str, Any]:
    """Collect what was typed so far.

    Parameters
    ----------
    shell
        The shell of this kernel.

    Returns
    -------
    dict
        Plain texts.
    """
    manager = shell.history_manager
    return {
        "parsed": list(manager.input_hist_parsed),
        "raw": list(manager.input_hist_raw),
        "last": {name: getattr(manager, name, "") for name in _LAST},
    }


def restore(shell: Any, outputs: dict[int, Any], typed: dict[str, Any] | None) -> None:
    """Go on with the history of the kernel before.

    Parameters
    ----------
    shell
        The shell of this kernel; its ``_oh`` is what the state brought.
    outputs
        The dict that the shell itself fills.
    typed
        From `collect`.
    """
    namespace, hook = shell.user_ns, shell.displayhook
    outputs.update(namespace.get("_oh") or {})
    namespace["_oh"] = namespace["Out"] = outputs
    latest = {name: namespace[name] for name in ("_", "__", "___") if name in namespace}
    for name, value in latest.items():
        setattr(hook, name, value)
    numbered = {f"_{number}": value for number, value in outputs.items()}
    if typed is not None:
        manager = shell.history_manager
        manager.input_hist_parsed[:] = typed["parsed"]
        manager.input_hist_raw[:] = typed["raw"]
        for name, text in typed["last"].items():
            setattr(manager, name, text)
        latest |= {name: typed["last"].get(name, "") for name in _LAST if name != "_i00"}
        numbered |= {f"_i{n}": text for n, text in enumerate(typed["raw"]) if n}
    # As the shell itself does it, or it would take the names for the user's own.
    shell.push(latest | numbered, interactive=False)

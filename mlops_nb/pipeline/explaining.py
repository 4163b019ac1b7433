"""Says in words why the result of a step from before cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_nb.pipeline.items import LIBRARY, MODULE, OPTIONS, PATCH, PROCESS

_MOST = 3
_UNKNOWN = "what it read outside the notebook has changed"
_WORDS = {
    OPTIONS: "options of libraries",
    PROCESS: "the folder, the environment or the import path",
}


def explain_change(latest: Mapping[str, Any] | None, parts: Mapping[str, Any]) -> str:
    """Compare what a step depends on with what it depended on when it last ran.

    Parameters
    ----------
    latest
        The last record of the step, None where there is none.
    parts
        What it depends on now.

    Returns
    -------
    str
        A clause without a full stop.
    """
    if latest is None:
        return "it has not run yet"
    before = latest["parts"]
    if before == parts:
        uncached = latest["uncached"]
        return f"its result is never kept: {uncached}" if uncached else _UNKNOWN
    if before.get("format") != parts["format"]:
        return "another version of mlops_nb made the result"
    if before.get("python") != parts["python"]:
        return f"it ran under another Python ({_show_python(before.get('python'))})"
    if before.get("code") != parts["code"]:
        return "its code has changed"
    for part, words in (("parameters", "parameter"), ("environment", "environment variable")):
        changed = _find_changed(before.get(part) or {}, parts.get(part) or {})
        if changed:
            return f"{words} {_list(changed)} changed"
    changed = _find_changed(before.get("inputs") or {}, parts.get("inputs") or {})
    if changed:
        return f"{_list([_name(name) for name in changed])} changed"
    return "the number of cells before it has changed"


def _find_changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))


def _name(name: str) -> str:
    if name in _WORDS:
        return _WORDS[name]
    if name.startswith(MODULE):
        return name.removeprefix(MODULE).replace(":", ".")
    if name.startswith(LIBRARY):
        return f"what calls have left in {name.removeprefix(LIBRARY)}"
    return name.removeprefix(PATCH)


def _list(names: list[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more


def _show_python(found: Any) -> str:
    return ".".join(map(str, found[:2])) if isinstance(found, list) else "unknown"

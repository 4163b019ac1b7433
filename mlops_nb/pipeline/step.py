"""What the two added cells of a step notebook call: load before the step, save after it."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from mlops_nb.pipeline import ambient, boundary, rebuild

# Words in later cells that may reach any name at all without writing it out.
_REACHES_ALL = frozenset(
    ["globals", "locals", "vars", "eval", "exec", "dir", "user_ns", "who", "whos", "who_ls", "run"]
)
_WORD = re.compile(r"[^\W\d]\w*")
_LONGEST_SNAPSHOT_S = 20.0
_HISTORY = ("_", "__", "___", "_oh")

_state: dict[str, Any] = {}


def begin(specification: str) -> None:
    """Prepare this kernel for a step, before any code of the notebook runs.

    Parameters
    ----------
    specification
        Path of a JSON file with ``before`` and ``after`` (boundary files or None), ``report``,
        ``key_folder``, ``later`` (sources of the cells that follow), ``history``, ``patches`` and
        ``execution_count``.
    """
    _state["specification"] = json.loads(Path(specification).read_text(encoding="utf-8"))
    _state.setdefault("environment", ambient.read_environment())


def load() -> None:
    """Continue where the step before has ended."""
    given, shell = _state["specification"], rebuild.get_shell()
    namespace: dict[str, Any] = shell.user_ns
    namespace.pop("_mlops", None)
    outputs = namespace.get("_oh")
    key = boundary.read_key(Path(given["key_folder"]))
    names = boundary.load_boundary(Path(given["before"]), namespace, key=key)
    shell.execution_count = given["execution_count"]
    if given["history"] and isinstance(outputs, dict):
        _restore_history(shell, outputs)
    shown = [name for name in names if name not in _HISTORY]
    print(f"{len(shown)} names come from before: {_shorten(shown)}")  # noqa: T201 - a cell's output


def _restore_history(shell: Any, outputs: dict[int, Any]) -> None:
    namespace, hook = shell.user_ns, shell.displayhook
    outputs.update(namespace.get("_oh") or {})
    namespace["_oh"] = namespace["Out"] = outputs
    latest = {name: namespace[name] for name in ("_", "__", "___") if name in namespace}
    for name, value in latest.items():
        setattr(hook, name, value)
    # As the shell itself does it, or it would take the names for the user's own.
    numbered = {f"_{number}": value for number, value in outputs.items()}
    shell.push(latest | numbered, interactive=False)


def save() -> None:
    """Write what the next step continues with, or tell why it must run in this kernel."""
    given, shell = _state["specification"], rebuild.get_shell()
    namespace: dict[str, Any] = shell.user_ns
    namespace.pop("_mlops", None)
    sys.stdout.flush()
    path = Path(given["after"])
    report = boundary.dump_boundary(
        namespace,
        None,
        path,
        key=boundary.read_key(Path(given["key_folder"])),
        environment=_state["environment"],
        extra=_HISTORY if given["history"] else (),
        patches=given["patches"],
    )
    needed = find_needed(given["later"], report.looked_up)
    blocking = {
        name: reason
        for name, reason in report.unpicklable.items()
        if needed is None or name in needed or not name.isidentifier()
    }
    if blocking:
        path.unlink()
    document = {
        "names": report.names,
        "size_bytes": report.size_bytes,
        "blocking": blocking,
        "dropped": {k: v for k, v in report.unpicklable.items() if k not in blocking},
        "execution_count": shell.execution_count,
    }
    target = Path(given["report"])
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.write_text(json.dumps(document), encoding="utf-8")
    temporary.replace(target)
    if blocking:
        name, reason = next(iter(blocking.items()))
        print(f"The next step runs in this kernel: {name} cannot leave it ({reason}).")  # noqa: T201
    else:
        size = report.size_bytes / 1e6
        print(f"{len(report.names)} names, {size:.1f} MB: {_shorten(report.names)}")  # noqa: T201


def finish() -> None:
    """Let what records runs in this kernel come to its end; the kernel is ended next."""
    tracking = sys.modules.get("mlops_nb.tracking")  # there only where something records
    if tracking is None:
        return
    background = getattr(tracking.current_session(), "background", None)
    if background is not None:
        background.join(_LONGEST_SNAPSHOT_S)
    tracking.end_open_runs()
    tracking.close_session()


def find_needed(later: list[str], looked_up: frozenset[str]) -> frozenset[str] | None:
    """Collect the names that later cells may use.

    Parameters
    ----------
    later
        Sources of the cells that follow. Any word in them counts, in texts and comments too, for
        a text may be code (``df.query("a > @limit")``).
    looked_up
        Names that functions which cross look up.

    Returns
    -------
    frozenset of str or None
        None where a cell may use any name.
    """
    words = frozenset(word for source in later for word in _WORD.findall(source))
    if words & _REACHES_ALL or looked_up & _REACHES_ALL:
        return None
    return words | looked_up


def _shorten(names: Any) -> str:
    listed = list(names)
    more = f" and {len(listed) - 8} more" if len(listed) > 8 else ""
    return ", ".join(listed[:8]) + more

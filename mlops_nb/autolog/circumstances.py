"""What a run depends on beside code and data: seeds that cells set, flags, warnings given."""

from __future__ import annotations

import ast
import os
import sys
import threading
import warnings
from typing import Any

from mlops_nb.autolog.frames import hide_frame
from mlops_nb.autolog.guard import Guard
from mlops_nb.autolog.patching import Patches
from mlops_nb.tracking import Session

_SEEDERS = frozenset(
    {"seed", "manual_seed", "manual_seed_all", "default_rng", "set_seed", "seed_everything",
     "set_random_seed", "RandomState", "use_deterministic_algorithms"}
)  # fmt: skip
_HINTS = ("seed", "default_rng", "RandomState", "use_deterministic")
_MOST_SEEDS = 20
_MOST_CATEGORIES = 20
_MOST_RUNS = 1000


def find_seeds(source: str, namespace: dict[str, Any] | None) -> dict[str, str]:
    """Find the seeds that a cell sets.

    Parameters
    ----------
    source
        The cell as plain Python; magics make it unreadable, and nothing is found.
    namespace
        The notebook's variables, for seeds that are given by name.

    Returns
    -------
    dict
        Tags: ``seed.set.np.random.seed`` and the value, by the call as it is written; the last
        one counts. Calls whose argument is neither a number nor the name of one are left out.
    """
    if not any(hint in source for hint in _HINTS):
        return {}
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, SystemError):
        return {}
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args or len(found) >= _MOST_SEEDS:
            continue
        name = _spell(node.func)
        if name.rpartition(".")[2] in _SEEDERS:
            value = _evaluate(node.args[0], namespace or {})
            if value is not None:
                found[f"seed.set.{name}"] = value
    return found


def _spell(node: ast.expr) -> str:
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])[:100]


def _evaluate(node: ast.expr, namespace: dict[str, Any]) -> str | None:
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(node, ast.Name):
        value = namespace.get(node.id)
    return str(value) if type(value) in {int, bool} else None


def read_flags() -> dict[str, str]:
    """Read what makes libraries deterministic, as far as it is set.

    Returns
    -------
    dict
        Tags that begin with ``determinism.``; nothing that has its default.
    """
    found = {}
    for name in ("PYTHONHASHSEED", "CUBLAS_WORKSPACE_CONFIG"):
        if os.environ.get(name):
            found[f"determinism.{name}"] = os.environ[name][:100]
    torch = sys.modules.get("torch")
    backends = getattr(torch, "backends", None)
    if torch is not None and hasattr(backends, "cudnn"):
        if torch.are_deterministic_algorithms_enabled():
            found["determinism.torch"] = "deterministic algorithms"
        if torch.backends.cudnn.deterministic:
            found["determinism.cudnn"] = "deterministic"
        if torch.backends.cudnn.benchmark:
            found["determinism.cudnn.benchmark"] = "on"
    return found


class WarningCounts:
    """Counts the warnings that are shown, by category, with the first text of each."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, str]] = {}
        self._lock = threading.Lock()

    def add(self, category: type[Warning], message: object) -> None:
        """Count one."""
        name = category.__name__
        with self._lock:
            count, text = self._found.get(name, (0, ""))
            if not count:
                if len(self._found) >= _MOST_CATEGORIES:
                    return
                text = " ".join(str(message).split())[:200]
            self._found[name] = (count + 1, text)

    def take(self) -> dict[str, str]:
        """Give the counts as tags, and begin anew."""
        with self._lock:
            found, self._found = self._found, {}
        return {f"warnings.{name}": f"{count}: {text}" for name, (count, text) in found.items()}


class Circumstances:
    """Tags the runs of each cell with seeds, flags and warnings.

    Parameters
    ----------
    session
        Keeps the runs.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._guard = Guard("seeds and warnings")
        self._patches = Patches()
        self._seeds: dict[str, str] = {}
        self._warned = WarningCounts()
        self._logged: dict[str, dict[str, str]] = {}
        self._guard.call(self._patch)

    def finish_cell(self, namespace: dict[str, Any] | None) -> None:
        """Tag the runs of the cell that is over."""
        self._guard.call(self._finish_cell, namespace)

    def close(self) -> None:
        """Restore what was patched."""
        self._patches.restore()

    def _patch(self) -> None:
        # Whatever shows a warning looks this up, and filters have decided before.
        if "_showwarnmsg" in vars(warnings):
            self._patches.set_attribute(warnings, "_showwarnmsg", self._wrap)

    def _wrap(self, original: Any) -> Any:
        def _showwarnmsg(message: Any) -> None:
            if self._session.touched_runs():
                self._guard.call(self._warned.add, message.category, message.message)
            original(message)

        return hide_frame(_showwarnmsg)

    def _finish_cell(self, namespace: dict[str, Any] | None) -> None:
        cell = self._session.cell
        source = None if cell is None else self._session.read_source(cell)
        self._seeds |= find_seeds(source or "", namespace)
        warned = self._warned.take()
        runs = self._session.touched_runs()
        if not runs:
            return
        tags = {**self._seeds, **read_flags(), **warned}
        for run in runs:
            known = self._logged.setdefault(run.run_id, {})
            new = {key: text for key, text in tags.items() if known.get(key) != text}
            if new:
                run.set_tags(new)
                known.update(new)
        while len(self._logged) > _MOST_RUNS:
            self._logged.pop(next(iter(self._logged)))

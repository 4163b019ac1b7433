"""What the two added cells of a step notebook call: load before the step, save after it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from mlops_nb.pipeline import (
    boundary,
    history,
    items,
    library_state,
    lingering,
    rebuild,
    sealing,
    standalone,
    tracing,
)
from mlops_nb.pipeline.folderwatch import find_named_files, list_texts
from mlops_nb.pipeline.patches import select_calls
from mlops_nb.pipeline.reach import find_needed
from mlops_nb.pipeline.specification import HISTORY, StepSpecification, read_specification

_LONGEST_SNAPSHOT_S = 20.0

_state: dict[str, Any] = {}


def begin(specification: str) -> None:
    """Prepare this kernel for a step, before any code of the notebook runs.

    Parameters
    ----------
    specification
        Path of a JSON file that `specification.StepSpecification` describes.
    """
    _state["given"] = given = read_specification(Path(specification))
    _state.setdefault("start", items.read_start())
    _keep_seeds()
    lingering.begin()
    library_state.begin(select_calls(given.patches))
    _state.setdefault("loaded", boundary.Loaded())
    tracing.begin(given.folders_left_out, is_alone=given.is_alone)
    _state["first_cell"] = rebuild.get_shell().execution_count


def _keep_seeds() -> None:
    """Take the tip out of IPython's banner: it is drawn anew whenever somebody asks the kernel."""
    shell = rebuild.get_shell()
    if hasattr(shell, "enable_tip"):
        shell.enable_tip = False


def enter(run_id: str, step: str) -> None:
    """Begin the first step; nothing is left to do where its kernel was prepared.

    Parameters
    ----------
    run_id, step
        Name what the store has kept.
    """
    shell = rebuild.get_shell()
    shell.user_ns.pop("_mlops", None)
    if "given" not in _state:
        standalone.open_step(run_id, step)
        shell.execution_count = 0  # this cell does not count


def load(run_id: str = "", step: str = "") -> None:
    """Continue where the step before has ended.

    Parameters
    ----------
    run_id, step
        Name what the store has kept, for a kernel that nobody has prepared.
    """
    is_alone = "given" not in _state
    given = standalone.open_step(run_id, step) if is_alone else _state["given"]
    shell = rebuild.get_shell()
    namespace: dict[str, Any] = shell.user_ns
    namespace.pop("_mlops", None)
    outputs = namespace.get("_oh")
    with tracing.paused():
        before = _state["loaded"] if given.continues else None
        known = set(before.names) if before is not None else set()
        _state["loaded"] = loaded = boundary.load_boundary(
            given.state,
            given.needed,
            namespace,
            Path(given.components),
            key=sealing.read_key(Path(given.key_folder)),
            loaded=before,
        )
    if not given.continues:
        shell.execution_count = given.state.execution_count
        if given.history and isinstance(outputs, dict):
            history.restore(shell, outputs, loaded.history)
    if is_alone:
        shell.execution_count -= 1  # this cell does not count
    _state["first_cell"] = shell.execution_count
    tracing.note_seeds()
    shown = [
        name
        for name in given.state.order
        if name in loaded.names - known and name not in HISTORY and not items.is_pseudo(name)
    ]
    print(f"{len(shown)} names come from before: {_shorten(shown)}")  # noqa: T201 - a cell's output


def save() -> None:
    """Write what the next step continues with, or tell why it must run in this kernel."""
    if "given" not in _state:
        rebuild.get_shell().user_ns.pop("_mlops", None)
        print("This step ran by itself: what the pipeline has kept stays as it is.")  # noqa: T201
        return
    given, shell = _state["given"], rebuild.get_shell()
    shell.user_ns.pop("_mlops", None)
    sys.stdout.flush()
    report = dump(given.late)
    unpicklable = report.unpicklable | lingering.find_lingering(given.repeated)
    needed = find_needed(given.later, report.looked_up)
    blocking = {
        name: reason
        for name, reason in unpicklable.items()
        if needed is None or name in needed or not name.isidentifier()
    }
    _state["saved"] = {
        "state": report.state.to_json(),
        "changed": report.changed,
        "deleted": report.deleted,
        "blocking": blocking,
        "dropped": {k: v for k, v in unpicklable.items() if k not in blocking},
    }
    if blocking:
        name, reason = next(iter(blocking.items()))
        print(f"The next step runs in this kernel: {name} cannot leave it ({reason}).")  # noqa: T201
    else:
        size = report.size_bytes / 1e6
        print(f"{len(report.names)} names, {size:.1f} MB: {_shorten(report.names)}")  # noqa: T201


def get_given() -> StepSpecification:
    """Give what this kernel was told of its step.

    Returns
    -------
    StepSpecification
        Of the step that it runs now.
    """
    given: StepSpecification = _state["given"]
    return given


def dump(late: Collection[str] = ()) -> boundary.BoundaryReport:
    """Write what there is now as components; the step may go on.

    Parameters
    ----------
    late
        Names to leave out.

    Returns
    -------
    BoundaryReport
        With what has changed since the step began.
    """
    given, shell = _state["given"], rebuild.get_shell()
    with tracing.paused():
        return boundary.dump_boundary(
            shell.user_ns,
            _state["loaded"],
            Path(given.components),
            key=sealing.read_key(Path(given.key_folder)),
            start=_state["start"],
            extra=HISTORY if given.history else (),
            patches=given.patches,
            late=late,
            execution_count=shell.execution_count,
            history=history.collect(shell) if given.history else None,
            bound=given.bound,
        )


def report() -> None:
    """Write for the runner what the step has done, once its last cell has run."""
    given = _state["given"]
    shell = rebuild.get_shell()
    cells = shell.history_manager.input_hist_parsed[_state["first_cell"] :]
    with tracing.paused():
        named = find_named_files(shell.user_ns, list_texts(cells))
    document = tracing.finish(named)
    document |= {"runs": _list_runs(), "execution_count": shell.execution_count}
    document |= _state.pop("saved", {})
    target = Path(given.report)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.write_text(json.dumps(document), encoding="utf-8")
    temporary.replace(target)


def _list_runs() -> list[str]:
    tracking = sys.modules.get("mlops_nb.tracking")  # there only where something records
    session = tracking.current_session() if tracking is not None else None
    return [] if session is None else list(session.run_ids)


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


def _shorten(names: Any) -> str:
    listed = list(names)
    more = f" and {len(listed) - 8} more" if len(listed) > 8 else ""
    return ", ".join(listed[:8]) + more

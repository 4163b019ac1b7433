"""What IPython says about one execution of a cell, read the same way from every version of it."""

from __future__ import annotations

import ast
import sys
import threading
from types import FrameType
from typing import Any, Literal

from mlops_nb.kernel.figures import FigureBuffer

CellStatus = Literal["ok", "error", "interrupted"]
PRELUDE = "mlops-prelude"  # the tag that the pipeline gives to the imports it repeats in a step


class RunningCell:
    """A cell between its two events.

    Parameters
    ----------
    info
        IPython's own object for this execution; it tells nested executions apart.

    Attributes
    ----------
    index
        Position in the session as the recorder gave it, None for a cell that is not recorded.
    count
        IPython's own number for it, under which it keeps what the cell writes.
    written
        How many pieces it had kept there before.
    """

    __slots__ = ("count", "figures", "index", "info", "thread", "written")

    def __init__(self, info: object) -> None:
        self.info = info
        self.index: int | None = None
        self.count: int | None = None
        self.written = 0
        self.thread = threading.get_ident()
        self.figures = FigureBuffer()


def is_recordable(info: Any, tags: tuple[str, ...] = ()) -> bool:
    """Say whether an execution is one of the user's own.

    Parameters
    ----------
    info
        IPython's ``ExecutionInfo``.
    tags
        Tags of the cell.

    Returns
    -------
    bool
        False for silent executions and those kept out of the history (front ends ask that way).
    """
    if getattr(info, "silent", False):
        return False
    # A step repeats the notebook's imports out of the history, so that counts stay the notebook's.
    return bool(getattr(info, "store_history", False)) or PRELUDE in tags


def list_names(source: str) -> list[str]:
    """Give the names that a cell mentions, each once; none where it is no Python.

    Parameters
    ----------
    source
        The cell as plain Python.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    return list(dict.fromkeys(node.id for node in ast.walk(tree) if isinstance(node, ast.Name)))


def read_metadata(shell: Any, info: Any) -> tuple[str | None, tuple[str, ...]]:
    """Find the cell's id and tags as the front end sent them.

    Parameters
    ----------
    shell
        The running IPython shell.
    info
        IPython's ``ExecutionInfo``.

    Returns
    -------
    tuple
        Cell id, None where the front end sends none, and tags.
    """
    metadata = getattr(info, "cell_meta", None)
    if not isinstance(metadata, dict) or not metadata:
        metadata = _read_request(shell)
    cell_id = getattr(info, "cell_id", None) or metadata.get("cellId")
    tags = metadata.get("tags")
    listed = tags if isinstance(tags, list | tuple) else ()
    return (
        cell_id if isinstance(cell_id, str) else None,
        tuple(tag for tag in listed if isinstance(tag, str)),
    )


def _read_request(shell: Any) -> dict[str, Any]:
    """Read the metadata of the request; IPython before 9.18 does not hand them on."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return {}
    metadata = kernel.get_parent().get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def read_written(shell: Any, count: int | None) -> list[str]:
    """Give what a cell has written to stdout and stderr, in order.

    Parameters
    ----------
    shell
        The running IPython shell.
    count
        IPython's number of the cell.

    Returns
    -------
    list of str
        Empty where IPython does not keep it: before version 9.1.
    """
    kept = getattr(getattr(shell, "history_manager", None), "outputs", None)
    found: list[str] = []
    for output in kept.get(count, ()) if isinstance(kept, dict) else ():
        if output.output_type in {"out_stream", "err_stream"}:
            found += output.bundle.get("stream", ())
    return found


def read_status(result: Any) -> tuple[CellStatus, str | None]:
    """Say how a cell ended.

    Parameters
    ----------
    result
        IPython's ``ExecutionResult``.

    Returns
    -------
    tuple
        ``ok``, ``error`` or ``interrupted``, and the error in one line where there is one.
    """
    error = getattr(result, "error_before_exec", None) or getattr(result, "error_in_exec", None)
    if error is None:
        return "ok", None
    # Loading asyncio takes 20 ms; where nobody has, nothing can be cancelled.
    asyncio = sys.modules.get("asyncio")
    interrupts = (KeyboardInterrupt, getattr(asyncio, "CancelledError", KeyboardInterrupt))
    if isinstance(error, interrupts):
        return "interrupted", type(error).__name__
    return "error", describe_error(error)


def describe_error(error: object) -> str:
    """Give an exception of the user's in one line.

    Parameters
    ----------
    error
        The exception.

    Returns
    -------
    str
        Type and beginning of the message.
    """
    name = type(error).__name__
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - the user's own __str__ may raise
        text = ""
    return f"{name}: {text[:500]}" if text else name


def find_execution() -> tuple[object | None, int | None]:
    """Find the execution that is running right now in this thread, from IPython's own frame.

    Returns
    -------
    tuple
        IPython's ``ExecutionInfo`` and execution count; None each where it cannot be told.

    Notes
    -----
    The cell that loads the extension fires no event that the extension could see, and the count of
    a cell is raised before its event in some versions of IPython and after it in others.
    """
    names = _find_frame("run_cell_async")
    count = names.get("execution_count")
    return names.get("info"), count if isinstance(count, int) else None


def find_mode() -> str | None:
    """Say how IPython runs the statement that runs right now in this thread.

    Returns
    -------
    str or None
        ``single`` where its value will be shown, ``exec`` where not, None outside of a cell.
    """
    mode = _find_frame("run_ast_nodes").get("mode")
    return mode if isinstance(mode, str) else None


def _find_frame(function: str) -> dict[str, Any]:
    """Give the local names of the innermost running function of IPython's shell."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the documented way to walk up
    while frame is not None:
        code = frame.f_code
        if code.co_name == function and code.co_filename.endswith("interactiveshell.py"):
            return frame.f_locals
        frame = frame.f_back
    return {}

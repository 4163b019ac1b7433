"""Data of a loop without a loader: tensors and arrays that are there before the loop begins.

They are known by the source of the loop: what it reads and does not make. ``X[part]`` names ``X``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FrameType
from typing import Any

from mlops_nb.autolog.callsites import Site, find_site
from mlops_nb.autolog.definitions import FUNCTIONS
from mlops_nb.autolog.frames import read_locals
from mlops_nb.autolog.peeking import NOTHING, peek
from mlops_nb.autolog.snapshots import SnapshotQueue
from mlops_nb.autolog.torch_data import log_part, read_part
from mlops_nb.tracking import Run

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_MOST_PARTS = 8
_MOST_NODES = 5000


def log_whole(frames: list[FrameType], run: Run, queue: SnapshotQueue | None) -> None:
    """Record the data that a loop reads, as far as they have names.

    Parameters
    ----------
    frames
        From the call of ``step`` up to the cell.
    run
        Gets the data sets.
    queue
        Keeps small data, after the cell.
    """
    for frame in frames:
        site = find_site(frame)
        loop = None if site is None else _find_outermost(site)
        if site is None or loop is None:
            continue
        scope, found = read_locals(frame), 0
        for node, role in _list_read(loop, site):
            value = peek(node, scope, frame.f_globals)
            part = None if value is NOTHING else read_part(value)
            # Asked only of what is data: an object of the user's may answer as it likes.
            if part is not None and not _is_trained(value) and found < _MOST_PARTS:
                found += 1
                log_part(part, ast.unparse(node), role, run, queue)
        if found:
            return


def _is_trained(value: Any) -> bool:
    return bool(getattr(value, "requires_grad", False))


def _find_outermost(site: Site) -> ast.AST | None:
    """Give the outermost loop around a call, within its function."""
    found = None
    for node in site.parents():
        if isinstance(node, FUNCTIONS):
            break
        if isinstance(node, _LOOPS):
            found = node
    return found


def _list_read(loop: ast.AST, site: Site) -> Iterator[tuple[ast.AST, str]]:
    """Give names and fields that a loop reads and does not make, and what they are for."""
    nodes = [node for _, node in zip(range(_MOST_NODES), ast.walk(loop), strict=False)]
    made = {
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    seen: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Attribute):
            is_plain = isinstance(node.value, ast.Name) and node.value.id == "self"
        else:
            is_plain = isinstance(node, ast.Name) and node.id not in made
        if not is_plain or not isinstance(getattr(node, "ctx", None), ast.Load):
            continue
        text = ast.unparse(node)
        if text not in seen:
            seen.add(text)
            yield node, "validation" if _is_measured(node, loop, site) else "train"


def _is_measured(node: ast.AST, loop: ast.AST, site: Site) -> bool:
    """Tell whether something is read where no gradients are kept."""
    around = site.tree.parents.get(node)
    while around is not None and around is not loop:
        if isinstance(around, (ast.With, ast.AsyncWith)) and any(
            "no_grad" in ast.unparse(each) or "inference_mode" in ast.unparse(each)
            for each in around.items
        ):
            return True
        around = site.tree.parents.get(around)
    return False

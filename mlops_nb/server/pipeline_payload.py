"""A notebook's pipeline as the panel draws it: steps, what crosses, and what is in the way."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mlops_nb import api
from mlops_nb.errors import MLOpsError, NotebookError, NotFoundError
from mlops_nb.server.payload import shorten, to_json, write_error

# A rail of more steps is no picture any more; nobody has tagged so many by hand.
_MOST_STEPS = 500
_MOST_NAMES = 200
_MOST_DEPENDENCIES = 500


def write_problem(error: MLOpsError) -> dict[str, Any]:
    """Give an error with the cell that is to blame.

    Parameters
    ----------
    error
        Any of ours.

    Returns
    -------
    dict
        As `write_error` gives, with ``cell``, the position from 0, None where no cell is named.
    """
    cell = error.cell if isinstance(error, NotebookError) else None
    found = error.found if isinstance(error, NotebookError) else error.message
    # The notebook is the one in view, whose whole path would stand before each message.
    return {**write_error(error), "message": found, "cell": cell}


def _write_cells(cells: Iterable[Any]) -> list[dict[str, Any]]:
    return [{"index": cell.index, "id": cell.cell_id} for cell in cells if cell.kind == "code"]


@functools.lru_cache(maxsize=8)
def _plan(notebook: Path, stamp: tuple[int, int]) -> Any:
    """Plan a notebook once for each time that its file was written: the panel asks often."""
    del stamp
    return api.plan_pipeline(notebook)


def _foresee(notebook: Path) -> tuple[dict[str, dict[str, Any]], dict[str, Any] | None]:
    """Say what a run would do with each step, or why it would be refused."""
    try:
        told = api.foresee_pipeline(notebook, start=notebook.parent)
    except MLOpsError as error:
        return {}, write_problem(error)
    return {
        each.name: {"foreseen": each.status, "reason": each.reason, "loop": each.loop}
        for each in told
    }, None


def describe_pipeline(notebook: Path) -> dict[str, Any]:
    """Read the pipeline of a notebook as its file stands; nothing is executed.

    Parameters
    ----------
    notebook
        The file.

    Returns
    -------
    dict
        ``steps``, ``edges``, ``parameters``, ``prelude``, ``skipped``, ``is_tagged``, and
        ``problem`` where the tags cannot be kept, with the cell.

    Raises
    ------
    NotFoundError
        There is no such file.
    """
    if not notebook.is_file():
        raise NotFoundError("notebook", notebook.name, [], "Save it first.")
    written = notebook.stat()
    try:
        plan = _plan(notebook, (written.st_mtime_ns, written.st_size))
    except MLOpsError as error:
        return _write_nothing(write_problem(error))
    forecasts, problem = _foresee(notebook)
    nothing = {"foreseen": "runs", "reason": "", "loop": ""}
    crossings = api.measure_crossings(plan, start=notebook.parent)
    steps = [
        {
            "name": step.name,
            "cells": _write_cells(step.cells),
            "after": list(step.after),
            "needs": list(step.needs[:_MOST_NAMES]),
            "provides": list(step.provides[:_MOST_NAMES]),
            "leaves": [
                {"names": list(each.names[:_MOST_NAMES]), "size_bytes": each.size_bytes}
                for each in crossings.get(step.name, ())[:_MOST_NAMES]
            ],
            **forecasts.get(step.name, nothing),
        }
        for step in plan.steps[:_MOST_STEPS]
    ]
    edges = [
        {"source": edge.source, "target": edge.target, "names": list(edge.names[:_MOST_NAMES])}
        for edge in plan.edges
    ]
    return {
        "steps": steps,
        "step_count": len(plan.steps),
        "edges": edges,
        "parameters": [
            {
                "name": each.name,
                "type": each.shown_type,
                "default": shorten(each.shown_default),
                "help": each.help,
            }
            for each in plan.parameters
        ],
        "prelude": _write_cells(plan.prelude),
        "skipped": _write_cells(plan.skipped),
        # Without a tag a notebook is one step, which is no pipeline that anybody has made.
        "is_tagged": any(role.step for role in plan.roles),
        "problem": problem,
    }


def _write_nothing(problem: dict[str, Any]) -> dict[str, Any]:
    empty = ("steps", "edges", "parameters", "prelude", "skipped")
    found: dict[str, Any] = {name: [] for name in empty}
    return {**found, "step_count": 0, "is_tagged": True, "problem": problem}


def explain_step(notebook: Path, step: str) -> dict[str, Any]:
    """Tell why a step depends on others: where values are made, and where they are used.

    Parameters
    ----------
    notebook
        The file.
    step
        The step's name.

    Returns
    -------
    dict
        ``dependencies``, each with the cells of both ends and the rule that was applied.

    Raises
    ------
    NotFoundError
        There is no such step.
    """
    found = api.explain_graph(notebook, step)
    return {
        "dependencies": [to_json(each.to_json()) for each in found[:_MOST_DEPENDENCIES]],
        "count": len(found),
    }


def list_suggestions(notebook: Path) -> dict[str, Any]:
    """Propose tags for a notebook as its file stands; nothing is written.

    Parameters
    ----------
    notebook
        The file.

    Returns
    -------
    dict
        ``suggestions``: ``cell``, ``tag`` and ``reason`` of each.
    """
    found = [each.to_json() for each in api.suggest_tags(notebook)]
    return {
        "suggestions": [{key: each[key] for key in ("cell", "tag", "reason")} for each in found]
    }

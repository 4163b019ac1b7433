"""The code of a run, as it ran, as one plain Python script."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from mlops_nb.errors import ExportError
from mlops_nb.export.script import MARK, write_script
from mlops_nb.notebook.dataflow import analyze_cells
from mlops_nb.notebook.document import NotebookDocument
from mlops_nb.records import RunRecord, format_time
from mlops_nb.tracking.code import RunCode

_SKIP = "skip"


def write_run_script(code: RunCode) -> str:
    """Give the code of a run as the text of a script.

    Parameters
    ----------
    code
        As it ran. Of a pipeline, its parameters become options, with the run's values as defaults.

    Returns
    -------
    str
        Valid Python. A script that was run comes back as it was. A cell that failed before the
        run's last one is left out where nothing uses what it had done.

    Raises
    ------
    ExportError
        A cell does what a script cannot, or one that failed left something that later cells use.
    """
    if code.kind == "script":
        return code.source
    name = name_code(code.run)
    cells = _leave_out_failed(code, name) if code.kind == "cells" else code.cells
    document = NotebookDocument.from_node({**code.to_notebook(), "cells": cells}, name)
    params = code.run.params if code.kind == "pipeline" else None
    script = write_script(document, params or None)
    head = [f"# {line}" for line in _describe(code, cells)]
    return script.replace(MARK, "\n".join([MARK, *head]), 1)


def name_code(run: RunRecord) -> str:
    """Name the code of a run for people, so that it may name a file too.

    Parameters
    ----------
    run
        Any run.

    Returns
    -------
    str
        The run's name and the end of its id.
    """
    plain = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in run.name)
    return f"{plain.strip('.-')[:80] or 'run'}-{run.run_id[-8:]}"


def _describe(code: RunCode, cells: Sequence[dict[str, Any]]) -> list[str]:
    run = code.run
    began = (format_time(run.started_at) or "")[:19].replace("T", " ")
    lines = [f"The code of run {run.run_id} as it ran at {began} UTC."]
    left_out = [str(_place(cell)) for cell in cells if _SKIP in cell["metadata"].get("tags", ())]
    if left_out and code.kind == "cells":
        lines.append(f"Left out, as they failed: executions {', '.join(left_out)}.")
    lines += [f"Not among it: {missing}." for missing in code.missing]
    return [part for line in lines for part in textwrap.wrap(line, 95)]


def _place(cell: dict[str, Any]) -> int:
    return int(cell["metadata"]["mlops"]["ran"])


def _leave_out_failed(code: RunCode, name: str) -> list[dict[str, Any]]:
    """Tag the cells that failed, but the run's last, to be left out; refuse what would change."""
    failed = [
        at
        for at, cell in enumerate(code.cells[:-1])
        if cell["metadata"]["mlops"]["status"] in ("error", "interrupted")
    ]
    flows = analyze_cells(cell["source"] for cell in code.cells)
    for at in failed:
        left = set(flows[at].writes | flows[at].maybe_writes | flows[at].mutates)
        for later in range(at + 1, len(flows)):
            if later in failed:
                continue
            used = sorted(left & flows[later].reads)
            if used:
                user = _place(code.cells[later])
                found = (
                    f"it failed, and execution {user} uses {used[0]!r}, which it may have changed"
                )
                hint = "Open the code as a notebook, which goes on after a cell that fails."
                raise ExportError(name, found, _place(code.cells[at]), hint)
            left -= flows[later].writes
    return [_with_tags(cell, [_SKIP] if at in failed else []) for at, cell in enumerate(code.cells)]


def _with_tags(cell: dict[str, Any], tags: list[str]) -> dict[str, Any]:
    metadata = {key: value for key, value in cell["metadata"].items() if key != "tags"}
    return {**cell, "metadata": {**metadata, **({"tags": tags} if tags else {})}}

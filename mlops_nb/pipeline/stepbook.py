"""Builds the notebook of one step: its cells as they are, between what brings and takes values."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from mlops_nb.notebook.document import Cell, new_code_cell, new_markdown_cell, new_notebook
from mlops_nb.notebook.giving import render_parameters
from mlops_nb.pipeline.definitions import list_settings_cells
from mlops_nb.pipeline.graph import Pipeline, Step
from mlops_nb.pipeline.hiding import CALL

# A notebook without one names no kernel, and plain papermill asks for it.
_KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def build_step(
    pipeline: Pipeline,
    number: int,
    values: Mapping[str, Any],
    *,
    run_id: str = "",
    continues: bool = False,
) -> dict[str, Any]:
    """Build the notebook that runs one step.

    Parameters
    ----------
    pipeline
        The plan.
    number
        Position of the step from 0.
    values
        Parameters to set; empty leaves the notebook's own.
    run_id
        The pipeline's run, shown in the header.
    continues
        The step goes on in the kernel of the step before.

    Returns
    -------
    dict
        A notebook document of format 4.5.
    """
    step = pipeline.steps[number]
    cells = [_build_header(pipeline, step, number, run_id)]
    named = f"({run_id!r}, {step.name!r})"
    if number == 0:
        cells.append(_build_own("inputs", CALL.format(f"enter{named}")))
        for cell in pipeline.prelude:
            cells += _copy_cell(pipeline, cell, values)
    else:
        if not continues:
            cells += _build_settings(pipeline, number)
        cells.append(_build_own("inputs", CALL.format(f"load{named}")))
    for cell in step.cells:
        cells += _copy_cell(pipeline, cell, values)
    if number < len(pipeline.steps) - 1:
        cells.append(_build_own("outputs", CALL.format("save()")))
    kept = ("kernelspec", "language_info")
    metadata = {k: v for k, v in pipeline.document.metadata.items() if k in kept}
    metadata.setdefault("kernelspec", _KERNELSPEC)
    metadata["mlops"] = {"step": step.name, "notebook": pipeline.path.name, "run_id": run_id}
    return new_notebook(copy.deepcopy(cells), metadata)


def _build_header(pipeline: Pipeline, step: Step, number: int, run_id: str) -> dict[str, Any]:
    parts = [f"Step {number + 1} of {len(pipeline.steps)} of {pipeline.path.name}"]
    if step.needs:
        parts.append("needs " + ", ".join(f"`{name}`" for name in step.needs))
    if run_id:
        parts.append(f"run `{run_id}`")
    text = f"## {step.name}\n\n" + " · ".join(parts)
    return new_markdown_cell(text, ["mlops-header"], {"mlops": {"kind": "header"}})


def _build_own(kind: str, source: str) -> dict[str, Any]:
    tags = [f"mlops-{kind}", "remove-input"]
    return new_code_cell(source, tags, {"mlops": {"kind": kind}})


def _build_settings(pipeline: Pipeline, number: int) -> list[dict[str, Any]]:
    built = []
    for cell, source in list_settings_cells(pipeline, number):
        metadata = {"mlops": {"kind": "prelude", "source_cell_id": cell.cell_id}}
        built.append(new_code_cell(source, ["mlops-prelude"], metadata))
    return built


def _copy_cell(pipeline: Pipeline, cell: Cell, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    role = pipeline.roles[cell.index]
    if role.is_injected and values and pipeline.parameters_cell != cell.index:
        return []  # the values below take its place
    tags = [*cell.tags, "raises-exception"] if role.raises_exception else list(cell.tags)
    metadata = dict(cell.node.get("metadata", {}))
    metadata["mlops"] = {"kind": "cell", "source_cell_id": cell.cell_id, "index": cell.index}
    metadata.pop("papermill", None)
    if cell.kind == "code":
        built = [new_code_cell(cell.source, tags, metadata, cell.cell_id)]
    else:
        kept = {k: v for k, v in cell.node.items() if k in ("attachments", "cell_type")}
        built = [new_markdown_cell(cell.source, tags, metadata, cell.cell_id) | kept]
    if values and cell.index == pipeline.parameters_cell:
        source = render_parameters(values)
        built.append(
            new_code_cell(source, ["injected-parameters"], {"mlops": {"kind": "parameters"}})
        )
    return built

"""One report of a whole run: the notebook in its own order, with what each step has shown."""

from __future__ import annotations

import copy
import html
import json
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from mlops_nb.notebook.document import (
    NotebookDocument,
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    write_notebook,
)
from mlops_nb.notebook.nbformat_import import import_nbformat
from mlops_nb.notebook.secrets import redact, redact_document
from mlops_nb.records import PipelineResult, StepResult

ReportFormat = Literal["html", "ipynb"]

_TEMPLATE = Path(__file__).with_name("report.html")
_NO_TITLE = "Report"
# What needs a script gives way to what shows without one.
_PRIORITY = (
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "text/html",
    "text/markdown",
    "text/latex",
    "text/plain",
)


def write_reports(
    document: NotebookDocument,
    result: PipelineResult,
    out_dir: Path,
    formats: Collection[ReportFormat],
    secrets: Mapping[str, str],
) -> None:
    """Write the whole notebook with what its steps have shown.

    Parameters
    ----------
    document
        The notebook.
    result
        Of the run.
    out_dir
        Gets ``report.html`` and ``report.ipynb``.
    formats
        Which of them; often none.
    secrets
        What must not show, as `collect_secrets` gives it.
    """
    if not formats:
        return
    executed = {step.name: Path(step.notebook) for step in result.steps if step.notebook}
    stitched = stitch(
        document,
        executed,
        run_id=result.run_id,
        status=_tell_result(result),
        steps=result.steps,
        parameters=result.params,
        secrets=secrets,
    )
    if "ipynb" in formats:
        write_notebook(stitched, out_dir / "report.ipynb")
    if "html" in formats:
        page = render_html(stitched, document.path.absolute().parent)
        (out_dir / "report.html").write_text(page, encoding="utf-8")


def _tell_result(result: PipelineResult) -> str:
    verification = result.verification
    return result.status if verification is None else f"{result.status}, {verification.status}"


def stitch(
    document: NotebookDocument,
    executed: Mapping[str, Path],
    *,
    run_id: str = "",
    status: str = "",
    steps: Sequence[StepResult] = (),
    parameters: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Put the executed steps back into the order of their notebook.

    Parameters
    ----------
    document
        The notebook.
    executed
        The executed notebook of each step; of a cached one, that of the run which made it.
    run_id, status
        Of the pipeline's run.
    steps
        What became of the steps, in their order.
    parameters
        The values that were used.
    secrets
        What must not show, as `collect_secrets` gives it.

    Returns
    -------
    dict
        A notebook of format 4.5: a header, then every cell of the notebook. Cells that did not run
        have no output.
    """
    found = _collect(executed)
    hidden = dict(secrets or {})
    values = {name: redact(repr(value), hidden) for name, value in (parameters or {}).items()}
    steps = [replace(step, error=step.error and redact(step.error, hidden)) for step in steps]
    built = [_build_header(document, run_id, status, steps, values)]
    before = ""
    results = {step.name: step for step in steps}
    for cell in document.cells:
        step, node, added = found.get(cell.index, ("", None, []))
        if step and step != before:
            built.append(_build_mark(step, results.get(step)))
            before = step
        built.append(_copy_source(cell.node, node, step))
        built += added
    kept = ("kernelspec", "language_info")
    metadata = {key: value for key, value in document.metadata.items() if key in kept}
    metadata["mlops"] = {"report": document.path.name, "run_id": run_id, "status": status}
    stitched: dict[str, Any] = redact_document(new_notebook(built, metadata), hidden)
    return stitched


_Found = dict[int, tuple[str, Mapping[str, Any], list[dict[str, Any]]]]


def _collect(executed: Mapping[str, Path]) -> _Found:
    """Find each source cell, by its position, in the steps; with the parameters set below it."""
    found: _Found = {}
    for step, path in executed.items():
        try:
            cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
        except (OSError, ValueError, KeyError):
            continue  # its cells show as not run
        last: list[dict[str, Any]] = []
        for node in cells:
            own = node.get("metadata", {}).get("mlops", {})
            if own.get("kind") == "cell" and isinstance(own.get("index"), int):
                last = []
                found[own["index"]] = (step, node, last)
            elif own.get("kind") == "parameters":
                last.append(_copy_added(node))
    return found


def _copy_added(node: Mapping[str, Any]) -> dict[str, Any]:
    tags = node.get("metadata", {}).get("tags", [])
    cell = new_code_cell("".join(node["source"]), tags, {"mlops": {"kind": "parameters"}})
    return cell | {
        "execution_count": node.get("execution_count"),
        "outputs": copy.deepcopy(node.get("outputs", [])),
    }


def _copy_source(
    source: Mapping[str, Any], node: Mapping[str, Any] | None, step: str
) -> dict[str, Any]:
    copied = copy.deepcopy(dict(source))
    copied["metadata"] = dict(copied.get("metadata", {}))
    copied["metadata"].pop("papermill", None)
    if copied.get("cell_type") != "code":
        return copied
    copied["outputs"] = copy.deepcopy(list(node.get("outputs", []))) if node else []
    copied["execution_count"] = node.get("execution_count") if node else None
    papermill = node.get("metadata", {}).get("papermill", {}) if node else {}
    copied["metadata"]["mlops"] = {
        "step": step,
        "status": papermill.get("status", "not run"),
        "duration_s": papermill.get("duration"),
    }
    return copied


def _build_header(
    document: NotebookDocument,
    run_id: str,
    status: str,
    steps: Sequence[StepResult],
    parameters: Mapping[str, str],
) -> dict[str, Any]:
    lines = [f"# {_escape(document.path.stem)}", ""]
    told = [f"**{status}**"] if status else []
    told += [f"run `{run_id}`"] if run_id else []
    lines += [" · ".join(told), ""]
    if steps:
        lines += ["| step | status | time | |", "| --- | --- | ---: | --- |"]
        for step in steps:
            note = step.error or (f"in the kernel of {step.fused_with}" if step.fused_with else "")
            lines.append(
                f"| {_escape(step.name)} | {_tell_status(step)} | {step.duration_s:.1f} s "
                f"| {_escape(note)} |"
            )
        lines.append("")
    if parameters:
        lines += ["| parameter | value |", "| --- | --- |"]
        lines += [f"| {_escape(k)} | {_escape(v)} |" for k, v in parameters.items()]
    text = "\n".join(lines).strip()
    return new_markdown_cell(text, ["mlops-header"], {"mlops": {"kind": "header"}})


def _build_mark(name: str, result: StepResult | None) -> dict[str, Any]:
    parts = [f"step **{_escape(name)}**"]
    if result is not None:
        parts += [_tell_status(result), f"{result.duration_s:.1f} s"]
    return new_markdown_cell(" · ".join(parts), ["mlops-step"], {"mlops": {"kind": "step"}})


def _tell_status(step: StepResult) -> str:
    return "cached" if step.cached and step.status == "succeeded" else step.status


def _escape(text: str) -> str:
    """Make text stand in a table of markdown as it is."""
    for mark in "\\`*_[]|<>$":
        text = text.replace(mark, f"&#{ord(mark)};")
    return " ".join(text.split())


def render_html(notebook: Mapping[str, Any], folder: Path | None = None) -> str:
    """Render a notebook as one HTML file that needs nothing else, and asks nobody.

    Parameters
    ----------
    notebook
        As from `stitch`.
    folder
        Where images that its texts name lie; they are embedded.

    Returns
    -------
    str
        The page. It shows figures, tables and text in the reader's light or dark scheme. It runs no
        scripts and loads nothing from anywhere, whatever the outputs hold.
    """
    nbformat = import_nbformat()
    from nbconvert import HTMLExporter
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
    from traitlets.config import Config

    node = nbformat.reads(json.dumps(notebook), as_version=4)  # joins what is stored as lines
    config = Config()
    config.TagRemovePreprocessor.enabled = True
    config.TagRemovePreprocessor.remove_cell_tags = {"remove-cell", "remove_cell"}
    config.TagRemovePreprocessor.remove_input_tags = {"remove-input", "remove_input"}
    config.TagRemovePreprocessor.remove_all_outputs_tags = {"remove-output", "remove_output"}
    config.NbConvertBase.display_data_priority = list(_PRIORITY)
    log = logging.getLogger(__name__)
    log.setLevel(logging.ERROR)  # figures have no description to read out: nothing to be done here
    exporter = HTMLExporter(
        template_name="basic",
        embed_images=True,
        exclude_anchor_links=True,
        exclude_output_prompt=True,
        config=config,
        log=log,
    )
    resources = {"metadata": {"path": str(folder or "")}}
    body, _ = exporter.from_notebook_node(node, resources)
    title = next(_list_titles(node), _NO_TITLE)
    light = HtmlFormatter(style="default", nobackground=True).get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark", nobackground=True).get_style_defs(".highlight")
    page = _TEMPLATE.read_text(encoding="utf-8")
    filled = {"title": html.escape(title), "light": light, "dark": dark, "body": body}
    before, *parts = page.split("{{")
    for part in parts:
        name, _, rest = part.partition("}}")
        before += filled[name.strip()] + rest
    return before


def _list_titles(node: Any) -> Iterator[str]:
    own = node.metadata.get("mlops", {}).get("report")
    if own:
        yield Path(own).stem
    for cell in node.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("# "):
            yield cell.source.splitlines()[0][2:]

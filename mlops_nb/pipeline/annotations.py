"""Tells GitHub what became of a run: marks at the notebook, and a table on the job's page."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlops_nb.pipeline.failedcells import read_failed_cell
from mlops_nb.records import GateResult, PipelineResult, StepResult

_LONGEST_SUMMARY = 1_000_000  # GitHub takes 1 MiB a step and refuses the whole of what is longer
_LONGEST_MESSAGE = 4_000
_SPECIAL = re.compile(r"([\\`*_{}\[\]|#~])")


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Tell whether this runs in a job of GitHub Actions.

    Parameters
    ----------
    environment
        Variables of the process.

    Returns
    -------
    bool
        False for every other place.
    """
    return environment.get("GITHUB_ACTIONS") == "true"


def format_annotation(
    level: str, message: str, *, title: str, notebook: Path, environment: Mapping[str, str]
) -> str:
    """Write one line that GitHub turns into a mark at a file.

    Parameters
    ----------
    level
        ``error``, ``warning`` or ``notice``.
    message
        May have several lines.
    title
        Its headline.
    notebook
        The file to mark.
    environment
        Tells where the checkout is.

    Returns
    -------
    str
        A workflow command; nothing in `message` can end it or begin another.
    """
    file = notebook.absolute()
    root = environment.get("GITHUB_WORKSPACE", "")
    shown = file.relative_to(root) if root and file.is_relative_to(root) else notebook
    head = f"file={_escape_property(shown.as_posix())},title={_escape_property(title)}"
    return f"::{level} {head}::{_escape(message[:_LONGEST_MESSAGE])}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")


def make_annotations(
    notebook: Path,
    result: PipelineResult,
    gates: Sequence[GateResult],
    environment: Mapping[str, str],
) -> list[str]:
    """Write a mark for each step that failed, each gate that did not pass, and a difference.

    Parameters
    ----------
    notebook
        The notebook that was run.
    result
        The run.
    gates
        What its metrics were checked for.
    environment
        Variables of the process.

    Returns
    -------
    list of str
        Lines for stdout or stderr.
    """
    marks = []
    for step in result.steps:
        if step.status == "failed":
            title, message = _describe_step(step)
            marks.append((title, message))
    if result.verification is not None and result.verification.is_different:
        marks.append(("pipeline and notebook differ", str(result.verification)))
    marks += [(f"gate {gate.expression}", gate.reason) for gate in gates if not gate.passed]
    return [
        format_annotation("error", message, title=title, notebook=notebook, environment=environment)
        for title, message in marks
    ]


def _describe_step(step: StepResult) -> tuple[str, str]:
    cell = read_failed_cell(step.notebook)
    where = "" if cell is None or cell.index is None else f", cell {cell.index}"
    tail = "" if cell is None else cell.get_tail(12)
    message = step.error or "failed"
    return f"step {step.name}{where}", f"{message}\n{tail}" if tail else message


def make_summary(notebook: Path, result: PipelineResult, gates: Sequence[GateResult] = ()) -> str:
    """Write a run as a page of Markdown.

    Parameters
    ----------
    notebook
        The notebook that was run.
    result
        The run.
    gates
        What its metrics were checked for.

    Returns
    -------
    str
        Tables of steps, metrics and gates; texts of the notebook are shown as they are.
    """
    lines = [
        f"### {_quote(notebook.name)}: {result.status}",
        "",
        "| step | status | duration |",
        "| --- | --- | ---: |",
    ]
    for step in result.steps:
        status = f"{step.status} (cached)" if step.cached else step.status
        told = f": {_quote(step.error)}" if step.error else ""
        lines.append(f"| {_quote(step.name)} | {status}{told} | {step.duration_s:.1f} s |")
    if result.verification is not None:
        lines += ["", _quote(str(result.verification))]
    if result.metrics:
        lines += ["", "| metric | value |", "| --- | ---: |"]
        lines += [f"| {_quote(key)} | {value:.6g} |" for key, value in result.metrics.items()]
    if gates:
        lines += ["", "| gate | passed |", "| --- | --- |"]
        for gate in gates:
            told = "yes" if gate.passed else f"no: {_quote(gate.reason)}"
            lines.append(f"| {_quote(gate.expression)} | {told} |")
    lines += ["", f"Run `{result.run_id}`", ""]
    return "\n".join(lines)


def _quote(text: str) -> str:
    """Write a text so that Markdown and HTML leave it as it is, on one line of a table."""
    shown = " ".join(text.split())
    return _SPECIAL.sub(r"\\\1", html.escape(shown[:500], quote=False))


def append_summary(path: Path, text: str) -> None:
    """Add a page to the summary of a job's step.

    Parameters
    ----------
    path
        The file that ``GITHUB_STEP_SUMMARY`` names.
    text
        Markdown.
    """
    content = text.encode()
    before = path.stat().st_size if path.exists() else 0
    if before + len(content) <= _LONGEST_SUMMARY:
        with path.open("ab") as file:
            file.write(content)

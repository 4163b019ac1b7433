"""Writes what became of a run as a JUnit file, the form that CI systems read."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from mlops_nb.notebook.document import replace_file
from mlops_nb.pipeline.failedcells import read_failed_cell
from mlops_nb.records import GateResult, PipelineResult, StepResult, Verification

# XML 1.0 has no way to write them, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(
    path: Path,
    notebook: Path,
    result: PipelineResult,
    gates: Sequence[GateResult] = (),
) -> Path:
    """Write a run as one test suite: a test case a step, one a gate, one for the verification.

    Parameters
    ----------
    path
        The file; its folder is made where it is not there.
    notebook
        The notebook that was run.
    result
        The run.
    gates
        What its metrics were checked for.

    Returns
    -------
    Path
        The file.
    """
    suite = ElementTree.Element("testsuite", {"name": clean(notebook.name)})
    properties = ElementTree.SubElement(suite, "properties")
    _add_property(properties, "run_id", result.run_id)
    _add_property(properties, "status", result.status)
    for key, value in result.metrics.items():
        _add_property(properties, f"metric.{key}", repr(value))
    for step in result.steps:
        _add_step(suite, notebook, step)
    if result.verification is not None:
        _add_verification(suite, notebook, result.verification)
    for gate in gates:
        _add_gate(suite, notebook, gate)
    return _write(path, suite, sum(step.duration_s for step in result.steps))


def write_refusal(path: Path, notebook: Path, kind: str, message: str) -> Path:
    """Write that a notebook was refused before anything ran.

    Parameters
    ----------
    path
        The file.
    notebook
        The notebook.
    kind
        Class of the error.
    message
        What is wrong, and how to go on.

    Returns
    -------
    Path
        The file.
    """
    suite = ElementTree.Element("testsuite", {"name": clean(notebook.name)})
    case = _add_case(suite, notebook, "plan", 0.0)
    first = message.splitlines()[0] if message else kind
    attributes = {"message": clean(first), "type": clean(kind)}
    ElementTree.SubElement(case, "error", attributes).text = clean(message)
    return _write(path, suite, 0.0)


def clean(text: str) -> str:
    r"""Write the characters that XML cannot hold as Python would.

    Parameters
    ----------
    text
        Any text, of any program.

    Returns
    -------
    str
        For example with ``\x1b`` in place of the escape character.
    """
    return _FORBIDDEN.sub(lambda found: ascii(found[0])[1:-1], text)


def _add_property(parent: ElementTree.Element, name: str, value: str) -> None:
    ElementTree.SubElement(parent, "property", {"name": clean(name), "value": clean(value)})


def _add_case(
    suite: ElementTree.Element, notebook: Path, name: str, duration_s: float
) -> ElementTree.Element:
    attributes = {
        "classname": clean(notebook.stem),
        "name": clean(name),
        "time": f"{duration_s:.3f}",
    }
    return ElementTree.SubElement(suite, "testcase", attributes)


def _add_step(suite: ElementTree.Element, notebook: Path, step: StepResult) -> None:
    case = _add_case(suite, notebook, step.name, step.duration_s)
    properties = ElementTree.SubElement(case, "properties")
    _add_property(properties, "cached", str(step.cached).lower())
    if step.notebook:
        _add_property(properties, "notebook", step.notebook)
    if step.fused_with:
        _add_property(properties, "fused_with", step.fused_with)
    if step.status == "skipped":
        ElementTree.SubElement(case, "skipped", {"message": clean(step.reason or "not run")})
    elif step.status != "succeeded":
        # A cell that raised is a failure of what is tested; all else is an error of the test.
        kind = "failure" if step.cause in ("error", None) else "error"
        message = step.error or f"the step is {step.status}"
        attributes = {"message": clean(message), "type": step.cause or "error"}
        ElementTree.SubElement(case, kind, attributes).text = clean(describe_failure(step))


def describe_failure(step: StepResult) -> str:
    """Say where and how a step failed.

    Parameters
    ----------
    step
        A step that failed.

    Returns
    -------
    str
        The cell's position in the user's notebook, and the end of the traceback.
    """
    cell = read_failed_cell(step.notebook)
    where = "" if cell is None or cell.index is None else f"cell {cell.index} of the notebook\n"
    told = cell.get_tail() if cell is not None else ""
    return f"{where}{told or step.error or ''}"


def _add_verification(
    suite: ElementTree.Element, notebook: Path, verification: Verification
) -> None:
    case = _add_case(suite, notebook, "verify", verification.duration_s)
    properties = ElementTree.SubElement(case, "properties")
    _add_property(properties, "verification", verification.status)
    told = clean(str(verification))
    if verification.is_different:
        ElementTree.SubElement(case, "failure", {"message": told, "type": "different"}).text = told
    elif verification.status == "not verified":
        ElementTree.SubElement(case, "skipped", {"message": told})


def _add_gate(suite: ElementTree.Element, notebook: Path, gate: GateResult) -> None:
    case = _add_case(suite, notebook, f"require {gate.expression}", 0.0)
    if not gate.passed:
        attributes = {"message": clean(gate.reason), "type": "gate"}
        ElementTree.SubElement(case, "failure", attributes).text = clean(gate.reason)


def _write(path: Path, suite: ElementTree.Element, duration_s: float) -> Path:
    counts = {
        "tests": len(suite.findall("testcase")),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
        "skipped": len(suite.findall("testcase/skipped")),
    }
    totals = {name: str(count) for name, count in counts.items()} | {"time": f"{duration_s:.3f}"}
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    for name, value in (totals | {"timestamp": now}).items():
        suite.set(name, value)
    suites = ElementTree.Element("testsuites", {"name": "mlops-nb", **totals})
    suites.append(suite)
    ElementTree.indent(suites)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True))
    return path

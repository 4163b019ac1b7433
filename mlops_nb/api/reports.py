"""Verbs on what a pipeline run gave: gates, and reports for CI systems."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_nb.errors import MLOpsError
from mlops_nb.records import GateResult, PipelineResult

if TYPE_CHECKING:
    from mlops_nb.pipeline.gates import Gate


def read_gates(conditions: Iterable[str]) -> tuple[Gate, ...]:
    """Read what a run's metrics must be.

    Parameters
    ----------
    conditions
        For example ``acc>=0.9``.

    Returns
    -------
    tuple of Gate
        For `check_gates`.

    Raises
    ------
    InvalidValueError
        A condition is not of that form.
    """
    texts = tuple(conditions)
    if not texts:
        return ()
    from mlops_nb.pipeline import gates

    return gates.read_gates(texts)


def check_gates(conditions: Sequence[Gate], metrics: Mapping[str, float]) -> tuple[GateResult, ...]:
    """Check a run's metrics.

    Parameters
    ----------
    conditions
        From `read_gates`.
    metrics
        Of the run.

    Returns
    -------
    tuple of GateResult
        One for each condition.
    """
    if not conditions:
        return ()
    from mlops_nb.pipeline import gates

    return gates.check_gates(conditions, metrics)


def report_run(
    notebook: str | Path,
    result: PipelineResult,
    gates: Sequence[GateResult] = (),
    junit: str | Path | None = None,
) -> list[str]:
    """Report a run to the CI system that this process runs in.

    Parameters
    ----------
    notebook
        The notebook that was run.
    result
        The run.
    gates
        What its metrics were checked for.
    junit
        A JUnit file to write.

    Returns
    -------
    list of str
        Lines that the CI system reads from the output; none outside of GitHub Actions.
    """
    from mlops_nb.pipeline import annotations

    path = Path(notebook)
    if junit is not None:
        from mlops_nb.pipeline import junit as junit_file

        junit_file.write_junit(Path(junit), path, result, gates)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        annotations.append_summary(Path(summary), annotations.make_summary(path, result, gates))
    if not annotations.is_wanted(os.environ):
        return []
    return annotations.make_annotations(path, result, gates, os.environ)


def report_refusal(
    notebook: str | Path, error: MLOpsError, junit: str | Path | None = None
) -> list[str]:
    """Report a notebook that was refused before anything ran.

    Parameters
    ----------
    notebook
        The notebook.
    error
        Why.
    junit
        A JUnit file to write.

    Returns
    -------
    list of str
        As from `report_run`.
    """
    from mlops_nb.pipeline import annotations

    path, kind = Path(notebook), type(error).__name__
    if junit is not None:
        from mlops_nb.pipeline import junit as junit_file

        junit_file.write_refusal(Path(junit), path, kind, str(error))
    if not annotations.is_wanted(os.environ):
        return []
    return [
        annotations.format_annotation(
            "error", str(error), title=kind, notebook=path, environment=os.environ
        )
    ]

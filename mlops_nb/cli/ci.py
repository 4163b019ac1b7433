"""What a run tells a CI system: a JUnit file, marks at the notebook, a table on the job's page."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from mlops_nb.cli.render import format_value
from mlops_nb.errors import MLOpsError
from mlops_nb.records import GateResult, PipelineResult


def tell_ci(
    notebook: Path, result: PipelineResult, gates: Sequence[GateResult], junit: Path | None
) -> None:
    """Tell what became of a run.

    Parameters
    ----------
    notebook
        The notebook that was run.
    result
        The run.
    gates
        What its metrics were checked for.
    junit
        Where to write a JUnit file, if anywhere.
    """
    from mlops_nb.api import reports

    # stdout belongs to the one document of --json; GitHub reads both streams.
    for line in reports.report_run(notebook, result, gates, junit):
        click.echo(line, err=True)


@contextlib.contextmanager
def telling_refusals(notebook: Path, junit: Path | None) -> Iterator[None]:
    """Tell a notebook that is refused before anything runs, and let the error go on.

    Parameters
    ----------
    notebook
        The notebook.
    junit
        Where to write a JUnit file, if anywhere.

    Yields
    ------
    None
        Around the run.
    """
    from mlops_nb.api import reports

    try:
        yield
    except MLOpsError as error:
        for line in reports.report_refusal(notebook, error, junit):
            click.echo(line, err=True)
        raise


def print_gates(gates: Sequence[GateResult]) -> None:
    """Print gates that did not pass.

    Parameters
    ----------
    gates
        What a run's metrics were checked for.
    """
    for gate in gates:
        if not gate.passed:
            click.echo(f"required {gate.expression}: {format_value(gate.reason, 200)}", err=True)

"""The command verify: proves that a pipeline gives what its notebook gives."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from mlops_nb.cli.ci import tell_ci, telling_refusals
from mlops_nb.cli.failures import ending_as_by_hand
from mlops_nb.cli.pipelines import (
    ProgressLine,
    choose_exit_code,
    file_option,
    notebook_argument,
    out_dir_option,
    param_option,
    read_params,
)
from mlops_nb.cli.render import format_value, print_json, print_table
from mlops_nb.cli.runs import as_json
from mlops_nb.records import PipelineResult, Verification
from mlops_nb.records.durations import format_duration


@click.command()
@notebook_argument
@param_option
@file_option
@out_dir_option
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0, min_open=True),
    metavar="R",
    help="Relative difference that floats may have; by default none.",
)
@click.option("--timeout", type=float, metavar="SECONDS", help="Longest time of one step.")
@click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the result as a JUnit file.",
)
@as_json
@click.pass_context
def verify(  # noqa: PLR0913, PLR0917 - one argument an option
    ctx: click.Context,
    notebook: Path,
    pairs: tuple[str, ...],
    params_file: Path | None,
    out_dir: Path | None,
    tolerance: float | None,
    timeout: float | None,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Run NOTEBOOK as a pipeline and as one, and compare every value, output and file."""
    from mlops_nb import api

    params = read_params(pairs, params_file)
    with ending_as_by_hand(), telling_refusals(notebook, junit):
        result = api.verify_pipeline(
            notebook,
            params,
            out_dir,
            tolerance=tolerance,
            on_progress=ProgressLine(sys.stderr),
            timeout=timeout,
        )
    tell_ci(notebook, result, (), junit)
    if as_json:
        verification = None if result.verification is None else asdict(result.verification)
        print_json({"run_id": result.run_id, "status": result.status, "verification": verification})
    else:
        _print_verification(result)
    unproven = result.verification is not None and result.verification.status == "not verified"
    ctx.exit(choose_exit_code(result) or int(unproven))


def _print_verification(result: PipelineResult) -> None:
    verification = result.verification
    if verification is None:
        failed = next((step for step in result.steps if step.status == "failed"), None)
        told = "" if failed is None else f": step {failed.name!r} failed: {failed.error}"
        click.echo(format_value(f"not verified: the run {result.status}{told}", 1000))
        return
    click.echo(format_value(str(verification), 1000))
    rows = list(_list_rows(verification))
    if rows:
        click.echo()
        print_table(("what", "value"), rows)
    duration = format_duration(verification.duration_s)
    click.echo(f"\nrun {result.run_id}, compared in {duration}")


def _list_rows(verification: Verification) -> list[tuple[str, str]]:
    if not verification.is_different:
        return []
    return [
        ("step", verification.step or ""),
        ("path", verification.path),
        ("kind", verification.kind),
        ("notebook", verification.reference),
        ("pipeline", verification.pipeline),
    ]


COMMANDS = {"verify": verify}

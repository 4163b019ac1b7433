"""Commands about notebooks: pipeline, run, export."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from mlops_nb.cli.ci import print_gates, tell_ci, telling_refusals
from mlops_nb.cli.failures import ending_as_by_hand
from mlops_nb.cli.paramfiles import read_param_file
from mlops_nb.cli.render import format_value, print_json, print_table
from mlops_nb.cli.runs import as_json
from mlops_nb.cli.steps import foresee, print_forecasts, selection_options
from mlops_nb.errors import UsageError
from mlops_nb.records import GateResult, PipelineResult, StepResult
from mlops_nb.records.durations import format_duration

# Not checked by click: reading it names the notebooks that may be meant.
notebook_argument = click.argument("notebook", type=click.Path(path_type=Path))
param_option = click.option(
    "-p", "--param", "pairs", multiple=True, metavar="KEY=VALUE", help="A parameter; repeatable."
)
out_dir_option = click.option(
    "-o",
    "--out-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for one executed notebook a step; NOTEBOOK-run beside it by default.",
)
file_option = click.option(
    "-f",
    "--params-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML, JSON or TOML file of parameters; -p wins.",
)


def read_params(pairs: tuple[str, ...], file: Path | None) -> dict[str, Any]:
    """Collect parameters; text is read by the parameter's type further down.

    Parameters
    ----------
    pairs
        Words of the form ``key=value``.
    file
        A YAML, JSON or TOML file.

    Returns
    -------
    dict
        Values by name.

    Raises
    ------
    UsageError
        A word is not of that form.
    InvalidValueError
        The file is not what its ending says.
    """
    params: dict[str, Any] = {} if file is None else read_param_file(file)
    for word in pairs:
        key, separator, value = word.partition("=")
        if not separator or not key:
            raise UsageError("mlops-nb", f"-p {word!r} is not of the form KEY=VALUE")
        params[key] = value
    return params


@click.command()
@notebook_argument
@click.option("--mermaid", is_flag=True, help="Print Mermaid source.")
@as_json
def pipeline(notebook: Path, mermaid: bool, as_json: bool) -> None:
    """Show the pipeline that NOTEBOOK's tags make; nothing is executed."""
    from mlops_nb import api

    plan = api.plan_pipeline(notebook)
    if mermaid:
        click.echo(plan.to_mermaid())
    elif as_json:
        print_json(
            {
                "notebook": str(plan.path),
                "parameters": [_read_parameter(parameter) for parameter in plan.parameters],
                "steps": [
                    {
                        "name": step.name,
                        "cells": [cell.index for cell in step.cells],
                        "after": step.after,
                        "needs": step.needs,
                        "provides": step.provides,
                    }
                    for step in plan.steps
                ],
                "edges": [
                    {"source": edge.source, "target": edge.target, "names": edge.names}
                    for edge in plan.edges
                ],
            }
        )
    else:
        click.echo(plan.to_text())


def _read_parameter(parameter: Any) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "type": parameter.type_name,
        "default": parameter.default,
        "help": parameter.help,
    }


def _print_parameters(notebook: Path, as_json: bool) -> None:
    from mlops_nb import api

    found = api.list_parameters(notebook)
    if as_json:
        print_json([_read_parameter(each) for each in found])
        return
    rows = [(each.name, each.shown_type, each.shown_default, each.help) for each in found]
    print_table(("parameter", "type", "default", "help"), rows, empty="No parameters.")


class ProgressLine:
    """One line per step on stderr; in a terminal, the running cell on a line that is overwritten.

    Parameters
    ----------
    stream
        Where to write.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._is_live = bool(stream.isatty())
        self._width = 0

    def __call__(self, event: Any) -> None:
        """Show an event of the run.

        Parameters
        ----------
        event
            As the pipeline tells it.
        """
        place = f"[{event.number}/{event.total}] {event.step}"
        if event.kind == "notice":
            self._write(event.message, ends=True)
        elif event.kind == "step_finished":
            word = "ok" if event.status == "succeeded" else event.status
            detail = f": {event.message}" if event.message else ""
            self._write(f"{place} {word} {format_duration(event.duration_s)}{detail}", ends=True)
        elif self._is_live:
            word = "round" if event.kind == "round_finished" else "cell"
            done = f" {word} {event.cells_done}/{event.cells_total}" if event.cells_total else ""
            self._write(f"{place} ...{done}", ends=False)

    def _write(self, text: str, ends: bool) -> None:
        line = " ".join(text.split())
        shown = f"\r{line.ljust(self._width)}" if self._is_live else line
        self._width = 0 if ends else len(line)
        self._stream.write(shown + ("\n" if ends else ""))
        self._stream.flush()


_CODES = {"timeout": 124, "interrupted": 130, "died": 138}


def choose_exit_code(result: PipelineResult, gates: Sequence[GateResult] = ()) -> int:
    """Say what a pipeline run returns to the shell.

    Parameters
    ----------
    result
        The run.
    gates
        What its metrics were checked for.

    Returns
    -------
    int
        0, or by the first step that failed: 124 for a time-out, 138 for a kernel that died, 130
        for an interrupt, else 1; 1 too where the notebook gives something else; 4 where all steps
        succeeded and a gate did not pass.
    """
    if result.verification is not None and result.verification.is_different:
        return 1
    if result.status == "finished":
        return 0 if all(gate.passed for gate in gates) else 4
    failed = next((step for step in result.steps if step.status == "failed"), None)
    if failed is None:
        return 130 if result.status == "interrupted" else 1
    return _CODES.get(failed.cause or "error", 1)


def _read_step(step: StepResult) -> dict[str, Any]:
    return {
        "name": step.name,
        "status": step.status,
        "notebook": step.notebook,
        "cached": step.cached,
        "duration_s": step.duration_s,
        "error": step.error,
        "cause": step.cause,
    }


def _read_result(result: PipelineResult, checked: Sequence[GateResult]) -> dict[str, Any]:
    return {
        "run_id": result.run_id,
        "status": result.status,
        "steps": [_read_step(step) for step in result.steps],
        "metrics": result.metrics,
        "params": result.params,
        "gates": [asdict(gate) for gate in checked],
        "verification": None if result.verification is None else asdict(result.verification),
    }


@click.command()
@notebook_argument
@param_option
@file_option
@out_dir_option
@click.option("--timeout", type=float, metavar="SECONDS", help="Longest time of one step.")
@click.option(
    "--require",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="What a metric must be, as in 'acc>=0.9'; repeatable. Exit code 4 where it is not.",
)
@click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what became of each step as a JUnit file.",
)
@click.option(
    "--verify/--no-verify",
    default=None,
    help="Compare the first run after an edit with the notebook run as one; on by default.",
)
@selection_options
@click.option(
    "--report",
    "reports",
    type=click.Choice(["html", "ipynb"]),
    multiple=True,
    help="Write the whole notebook with what its steps have shown; repeatable.",
)
@click.option(
    "--executor",
    type=click.Choice(["threads", "dask"]),
    default="threads",
    show_default=True,
    help="Where steps run: here, or on a Dask cluster.",
)
@click.option("--scheduler", metavar="ADDRESS", help="The Dask scheduler, as tcp://host:8786.")
@click.option("--help-notebook", is_flag=True, help="List the notebook's parameters and stop.")
@as_json
@click.pass_context
def run(  # noqa: PLR0913, PLR0917 - one argument an option
    ctx: click.Context,
    /,
    notebook: Path,
    pairs: tuple[str, ...],
    params_file: Path | None,
    out_dir: Path | None,
    timeout: float | None,
    conditions: tuple[str, ...],
    junit: Path | None,
    verify: bool | None,
    executor: str,
    scheduler: str | None,
    reports: tuple[Any, ...],
    help_notebook: bool,
    dry_run: bool,
    forced: tuple[str, ...],
    force_all: bool,
    as_json: bool,
    **selected: Any,
) -> None:
    """Run NOTEBOOK as a pipeline, step by step, through papermill."""
    from mlops_nb import api
    from mlops_nb.api import reports as gating

    if help_notebook:
        _print_parameters(notebook, as_json)
        return
    gates = gating.read_gates(conditions)
    params = read_params(pairs, params_file)
    selected["force"] = force_all or forced
    if dry_run:
        print_forecasts(foresee(notebook, params, **selected), as_json)
        return
    with ending_as_by_hand(), telling_refusals(notebook, junit):
        result = api.run_pipeline(
            notebook,
            params,
            out_dir,
            on_progress=ProgressLine(sys.stderr),
            timeout=timeout,
            verify=verify,
            executor=executor,
            scheduler=scheduler,
            reports=reports,
            **selected,
        )
    checked = gating.check_gates(gates, result.metrics) if result.status == "finished" else ()
    tell_ci(notebook, result, checked, junit)
    _tell_result(result, checked, as_json)
    ctx.exit(choose_exit_code(result, checked))


def _tell_result(result: PipelineResult, checked: Sequence[GateResult], as_json: bool) -> None:
    if as_json:
        print_json(_read_result(result, checked))
    else:
        _print_result(result)
        print_gates(checked)


def _print_result(result: PipelineResult) -> None:
    rows = [
        (
            step.name,
            f"{step.status} (cached)" if step.cached else step.status,
            format_duration(step.duration_s),
            step.notebook,
        )
        for step in result.steps
    ]
    print_table(("step", "status", "duration", "notebook"), rows)
    if result.metrics:
        click.echo()
        print_table(("metric", "value"), list(result.metrics.items()))
    click.echo(f"\nrun {result.run_id} {result.status}")
    if result.verification is not None:
        click.echo(format_value(str(result.verification), 1000))


@click.command()
@click.argument("notebook", required=False, type=click.Path(path_type=Path))
@click.option("--run", metavar="RUN", help="Instead: the code of a run, as it ran then.")
@click.option("--to", default="script", show_default=True, help="What to write: script.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path))
@param_option
@file_option
@click.option("--overwrite", is_flag=True, help="Replace a file that this tool did not write.")
@as_json
def export(
    notebook: Path | None,
    run: str | None,
    to: str,
    output: Path | None,
    pairs: tuple[str, ...],
    params_file: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Export NOTEBOOK, or the code of a run, as software that runs without a notebook."""
    from mlops_nb import api

    params = read_params(pairs, params_file) or None
    if run is not None and notebook is None and params is None and to == "script":
        path = api.export_run(run, output, overwrite=overwrite)
    elif notebook is not None and run is None:
        path = api.export_notebook(notebook, to, output, params=params, overwrite=overwrite)
    else:
        found = "name a notebook, or a run with --run, whose parameters stay as they were"
        raise UsageError("mlops-nb export", found)
    if as_json:
        print_json({"path": str(path), "to": to})
    else:
        click.echo(f"wrote {path}")


COMMANDS = {"pipeline": pipeline, "run": run, "export": export}

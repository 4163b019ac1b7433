"""Commands about sweeps: sweep, sweeps."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_nb.cli.failures import ending_as_by_hand
from mlops_nb.cli.pipelines import file_option, param_option, read_params
from mlops_nb.cli.render import format_value, has_color, print_json, print_table
from mlops_nb.cli.runs import as_json
from mlops_nb.errors import UsageError
from mlops_nb.records.durations import format_duration

if TYPE_CHECKING:
    from mlops_nb.pipeline.sweep_result import SweepResult

_COMMAND = "mlops-nb sweep"
_SHOWN = 20
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")


class TimeType(click.ParamType[float]):
    """A duration such as ``90``, ``90s``, ``10m`` or ``1.5h``."""

    name = "TIME"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Give the seconds.

        Parameters
        ----------
        value
            As the user wrote it.
        param, ctx
            click's, for its message.

        Returns
        -------
        float
            Above 0.
        """
        found = _TIME.fullmatch(str(value).strip().lower())
        seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
        if seconds <= 0:
            self.fail(
                f"{value!r} is no duration; expected for example 90s, 10m or 1.5h", param, ctx
            )
        return seconds


class SweepLine:
    """One line a trial on stderr; in a terminal, those that run on a line that is overwritten.

    Parameters
    ----------
    stream
        Where to write.
    metric
        What the sweep is for.
    """

    def __init__(self, stream: Any, metric: str) -> None:
        self._stream, self._metric = stream, metric
        self._is_live = bool(stream.isatty())
        self._running: dict[int, str] = {}
        self._width = 0

    def __call__(self, event: Any) -> None:
        """Show an event of the sweep.

        Parameters
        ----------
        event
            As the sweep tells it.
        """
        trial = event.trial
        values = " ".join(f"{k}={format_value(v)}" for k, v in trial.params.items())
        if event.kind == "started":
            self._running[trial.number] = values
        else:
            self._running.pop(trial.number, None)
            self._write(f"[{event.done}/{event.total}] {self._describe(trial, values)}", ends=True)
        if self._is_live and self._running:
            best = "" if event.best is None else f" (best {format_value(event.best.value)})"
            shown = "; ".join(f"trial {n}: {text}" for n, text in self._running.items())
            self._write(f"... {shown}{best}"[:160], ends=False)

    def _describe(self, trial: Any, values: str) -> str:
        head = f"trial {trial.number}"
        if trial.state == "finished":
            head += f" {self._metric}={format_value(trial.value)}"
        else:
            head += f" {trial.state}"
        error = f": {format_value(trial.error, 200)}" if trial.error else ""
        return f"{head} {values} {format_duration(trial.duration_s)}{error}"

    def _write(self, text: str, ends: bool) -> None:
        line = " ".join(text.split())
        shown = f"\r{line.ljust(self._width)}" if self._is_live else line
        self._width = 0 if ends else len(line)
        self._stream.write(shown + ("\n" if ends or not self._is_live else ""))
        self._stream.flush()


def _stack(options: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_options = _stack(
    [
        click.argument("notebook", type=click.Path(path_type=Path), required=False),
        click.argument("words", nargs=-1, metavar="[NAME=RANGE]..."),
        click.option("--maximize", metavar="METRIC", help="What shall become large."),
        click.option("--minimize", metavar="METRIC", help="What shall become small."),
        click.option("--trials", type=click.IntRange(min=1), help="How many; 20 by default."),
        click.option("--sampler", help="tpe (default where Optuna is), random or grid."),
        click.option("--seed", type=int, default=0, show_default=True),
        click.option("--prune", is_flag=True, help="End trials that lag behind the median."),
        click.option("--jobs", type=click.IntRange(min=1), default=1, help="Trials at a time."),
        click.option("--timeout", type=TimeType(), help="Longest time of the sweep: 10m."),
        click.option("--trial-timeout", type=TimeType(), help="Longest time of one trial."),
        click.option(
            "-o",
            "--out-dir",
            type=click.Path(file_okay=False, path_type=Path),
            help="Folder for the executed notebooks of each trial; the store keeps them anyway.",
        ),
        click.option("--resume", metavar="SWEEP", help="Go on with a sweep that was interrupted."),
        param_option,
        file_option,
        as_json,
    ]
)


@click.command(
    epilog="RANGE is log:LOW:HIGH, lin:LOW:HIGH or LOW:HIGH (floats), int:LOW:HIGH[:STEP], "
    "logint:LOW:HIGH, or values divided by commas."
)
@_options
@click.pass_context
def sweep(ctx: click.Context, /, notebook: Path | None, **given: Any) -> None:
    """Run NOTEBOOK's pipeline with many values of its parameters, and find the best.

    For example: mlops-nb sweep train.ipynb C=log:0.01:10 kernel=rbf,linear --maximize acc
    """
    as_json: bool = given.pop("as_json")
    try:
        with ending_as_by_hand():
            result = _resume(notebook, given) if given["resume"] else _start(notebook, given)
    except KeyboardInterrupt as stopped:
        part = getattr(stopped, "result", None)
        if part is not None:
            _show(part, as_json)
        raise
    _show(result, as_json)
    ctx.exit(choose_exit_code(result))


def _start(notebook: Path | None, given: dict[str, Any]) -> SweepResult:
    from mlops_nb import api

    if notebook is None:
        raise UsageError(_COMMAND, "no notebook given", "See: mlops-nb sweep --help")
    metric = given["maximize"] or given["minimize"] or ""
    return api.sweep_pipeline(
        notebook,
        given["words"],
        maximize=given["maximize"],
        minimize=given["minimize"],
        sampler=given["sampler"],
        trials=given["trials"],
        seed=given["seed"],
        prune=given["prune"],
        params=read_params(given["pairs"], given["params_file"]),
        **_read_limits(given, metric),
    )


def _resume(notebook: Path | None, given: dict[str, Any]) -> SweepResult:
    from mlops_nb import api

    if notebook is not None or given["words"]:
        what = "what it searches stands in the sweep; give no notebook and no range with --resume"
        raise UsageError(_COMMAND, what)
    metric = api.get_sweep(given["resume"]).plan.metric
    limits = _read_limits(given, metric)
    return api.resume_sweep(given["resume"], trials=given["trials"], **limits)


def _read_limits(given: dict[str, Any], metric: str) -> Any:
    names = ("jobs", "timeout", "trial_timeout", "out_dir")
    limits = {name: given[name] for name in names}
    return {**limits, "on_progress": SweepLine(sys.stderr, metric)}


def choose_exit_code(result: SweepResult) -> int:
    """Say what a sweep returns to the shell.

    Parameters
    ----------
    result
        The sweep.

    Returns
    -------
    int
        0 where a trial finished, 124 where the time was up before one did, else 1.
    """
    if result.counts["finished"]:
        return 0
    return 124 if result.counts["interrupted"] else 1


def _show(result: SweepResult, as_json: bool) -> None:
    if as_json:
        print_json(result.to_json())
        return
    _print_trials(result)
    best = result.best_trial
    if best is not None:
        words = [f"-p {shlex.quote(f'{k}={v}')}" for k, v in _all_params(result, best).items()]
        found = f"best: {result.plan.metric} = {best.value!r}, trial {best.number}"
        click.echo("\n" + (click.style(found, bold=True) if has_color(sys.stdout) else found))
        notebook = shlex.quote(_shorten(result.plan.notebook))
        click.echo(f"again: mlops-nb run {notebook} {' '.join(words)}")
    counted = ", ".join(f"{count} {state}" for state, count in result.counts.items() if count)
    how = f"{result.status}, by {result.plan.sampler}"
    click.echo(f"\nsweep {result.sweep_id} {how}: {counted or 'no trial'}")
    if result.counts["interrupted"] or len(result.records) < result.plan.trials:
        click.echo(f"go on: mlops-nb sweep --resume {result.sweep_id}")


def _all_params(result: SweepResult, best: Any) -> dict[str, Any]:
    return {**(result.plan.fixed or {}), **best.params}


def _shorten(path: str) -> str:
    return (
        str(Path(path).relative_to(Path.cwd())) if Path(path).is_relative_to(Path.cwd()) else path
    )


def _print_trials(result: SweepResult) -> None:
    """Print the trials, the best first; what cannot be ranked comes last."""
    names = [dimension.name for dimension in result.plan.space]
    rows = [
        (
            trial.number,
            trial.state,
            trial.value,
            *(trial.params[name] for name in names),
            format_duration(trial.duration_s),
            trial.run_id[-8:],
            trial.error,
        )
        for trial in result.ranked[:_SHOWN]
    ]
    columns = ("trial", "state", result.plan.metric, *names, "duration", "run", "error")
    if not any(row[-1] for row in rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    print_table(columns, rows, empty="No trials.")
    if len(result.records) > _SHOWN:
        click.echo(
            f"and {len(result.records) - _SHOWN} more: mlops-nb sweeps {result.sweep_id} --json"
        )


@click.command()
@click.argument("sweep_id", metavar="[SWEEP]", required=False)
@as_json
def sweeps(sweep_id: str | None, as_json: bool) -> None:
    """List sweeps, the newest first, or show the trials of one."""
    from mlops_nb import api

    if sweep_id is not None:
        _show(api.get_sweep(sweep_id), as_json)
        return
    found = api.list_sweeps()
    if as_json:
        print_json([{**result.to_json(), "trials": len(result.records)} for result in found])
        return
    rows = [
        (
            result.sweep_id[-8:],
            Path(result.plan.notebook).name,
            result.status,
            f"{len(result.records)}/{result.plan.trials}",
            f"{result.plan.direction} {result.plan.metric}",
            result.best_metric,
        )
        for result in found
    ]
    empty = (
        f"No sweeps in {api.get_status()['store']}.\n"
        "mlops-nb sweep NOTEBOOK 'C=log:0.01:10' --maximize METRIC makes one."
    )
    print_table(("sweep", "notebook", "status", "trials", "goal", "best"), rows, empty=empty)


COMMANDS = {"sweep": sweep, "sweeps": sweeps}

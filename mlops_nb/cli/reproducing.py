"""The command reproduce: makes a run again and says whether it gave the same."""

from __future__ import annotations

import sys

import click

from mlops_nb.cli.failures import ending_as_by_hand
from mlops_nb.cli.pipelines import ProgressLine
from mlops_nb.cli.render import format_value, print_json, print_table
from mlops_nb.cli.runs import as_json
from mlops_nb.records import Reproduction, RunDifference
from mlops_nb.records.durations import format_duration

_CODES = {"same": 0, "differs": 4, "could not run": 1}
_LONGEST = 1000


@click.command()
@click.argument("run", metavar="RUN")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0, min_open=True),
    metavar="R",
    help="Relative difference that values of metrics may have; by default none.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Longest time of the code.",
)
@click.option("--anyway", is_flag=True, help="Run it also where a file it reads is another today.")
@click.option(
    "--allow-outside", is_flag=True, help="Let it write files outside of its folder again."
)
@as_json
@click.pass_context
def reproduce(
    ctx: click.Context,
    run: str,
    tolerance: float | None,
    timeout: float | None,
    anyway: bool,
    allow_outside: bool,
    as_json: bool,
) -> None:
    """Make RUN again from what the store keeps, and say whether it gives the same.

    RUN is an id, the beginning or end of one, a name, or 'latest'.
    """
    from mlops_nb import api

    with ending_as_by_hand():
        found = api.reproduce_run(
            run,
            tolerance=tolerance,
            timeout=timeout,
            anyway=anyway,
            allow_outside=allow_outside,
            on_progress=ProgressLine(sys.stderr),
        )
    if as_json:
        print_json(found.to_json())
    else:
        _print_reproduction(found)
    ctx.exit(_CODES[found.status])


def _print_reproduction(found: Reproduction) -> None:
    click.echo(format_value(str(found), _LONGEST))
    for title, rows in (("differs", found.differences), ("ran in", found.surroundings)):
        if rows:
            click.echo()
            print_table((title, "", "then", "now"), [_tabulate(row) for row in rows])
    for word, lines in (("not checked", found.unchecked), ("note", found.remarks)):
        if lines:
            click.echo()
        for line in lines:
            click.echo(format_value(f"{word}: {line}", _LONGEST))
    if found.command:
        click.echo(f"\nits packages: {found.command}")
    recorded = f"run {found.new_run_id}" if found.new_run_id else "nothing was recorded"
    click.echo(f"\n{recorded}, in {format_duration(found.duration_s)}")


def _tabulate(row: RunDifference) -> tuple[object, ...]:
    return row.group, row.key, row.before, row.after


COMMANDS = {"reproduce": reproduce}

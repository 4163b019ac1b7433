"""Commands about a notebook as it stands; nothing is executed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mlops_nb.cli.pipelines import notebook_argument
from mlops_nb.cli.render import print_json, print_table
from mlops_nb.cli.runs import as_json

if TYPE_CHECKING:
    from pathlib import Path


class _WhyCommand(click.Command):
    """A command whose ``--why`` takes no notebook for a name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read ``--why NOTEBOOK.ipynb`` as ``--why`` without a name."""
        for at, word in enumerate(args[:-1]):
            if word == "--why" and args[at + 1].endswith(".ipynb"):
                args = [*args[:at], "--why=", *args[at + 1 :]]
        return super().parse_args(ctx, args)


@click.command(cls=_WhyCommand)
@notebook_argument
@click.option(
    "--why",
    is_flag=False,
    flag_value="",
    default=None,
    metavar="[NAME|STEP]",
    help="Tell for each variable that crosses where it is written and used, and by which rule.",
)
@click.option("--cells", is_flag=True, help="Between cells instead of steps.")
@as_json
def graph(notebook: Path, why: str | None, cells: bool, as_json: bool) -> None:
    """Show what depends on what in NOTEBOOK, and why."""
    from mlops_nb import api

    plan = api.plan_pipeline(notebook)
    if why is None and not cells and not as_json:
        click.echo(plan.to_text())
        return
    found = api.explain_graph(notebook, why or None, by_cell=cells)
    if as_json:
        print_json([each.to_json() for each in found])
        return
    if not found:
        click.echo("Nothing crosses.")
    for each in found:
        click.echo(f"{each.source} -> {each.target}: {each.name}")
        if why is not None:
            click.echo(_describe("written", each.written))
            click.echo(_describe("used", each.used))
    for step in plan.steps:
        if step.loop and why in ("", step.name):
            click.echo(f"{step.name}: {step.loop}")


def _describe(word: str, place: Any) -> str:
    rule = place.rule if place.is_sure else f"possibly: {place.rule}"
    where = f"cell {place.cell}, line {place.line}"
    return f"    {word:8}{where}: {place.text}\n            {rule}"


@click.command()
@notebook_argument
@click.option("--write", is_flag=True, help="Write the tags into NOTEBOOK.")
@as_json
def suggest(notebook: Path, write: bool, as_json: bool) -> None:
    """Propose tags that make a pipeline of NOTEBOOK."""
    from mlops_nb import api

    found = api.suggest_tags(notebook, write=write)
    if as_json:
        print_json([each.to_json() for each in found])
        return
    rows = [(each.cell, each.tag, each.source, each.reason) for each in found]
    columns = ("cell", "tag", "begins with", "why")
    print_table(columns, rows, empty="Nothing to propose.", is_last_whole=True)
    if found:
        done = f"written to {notebook}" if write else "write them with: --write"
        click.echo(f"\n{len(found)} tags; {done}")


@click.command("slice")
@notebook_argument
@click.argument("name")
@as_json
def slice_(notebook: Path, name: str, as_json: bool) -> None:
    """Show the cells of NOTEBOOK that compute the variable NAME."""
    from mlops_nb import api

    found = api.slice_notebook(notebook, name)
    if as_json:
        print_json(found.to_json())
        return
    for each in found.cells:
        click.echo(f"# cell {each.cell}: {each.reason}\n{each.source.rstrip()}\n")
    click.echo(f"# {len(found.cells)} of {found.total} code cells")


COMMANDS = {"graph": graph, "suggest": suggest, "slice": slice_}

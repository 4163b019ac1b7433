"""Commands about what steps have made before: why, cache; the options of run that choose steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from mlops_nb.cli.render import print_json, print_table
from mlops_nb.cli.runs import as_json

_WORDS = {"cached": "cached", "runs": "would run", "depends": "depends", "skipped": "skipped"}


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose which steps run.

    Parameters
    ----------
    command
        Of click; it takes ``jobs``, ``start_at``, ``stop_at``, ``only``, ``forced``, ``force_all``
        and ``dry_run``.

    Returns
    -------
    callable
        The same.
    """
    options = [
        click.option(
            "--jobs",
            type=int,
            default=1,
            metavar="N",
            help="Steps that may run at once, where they are proven independent; 1 by default.",
        ),
        click.option("--from", "start_at", metavar="STEP", help="Execute it and all after it."),
        click.option("--to", "stop_at", metavar="STEP", help="Stop after it."),
        click.option("--only", metavar="STEP", help="Execute it alone, on results from before."),
        click.option(
            "--force",
            "forced",
            multiple=True,
            metavar="STEP",
            help="Execute it whatever the cache has; repeatable.",
        ),
        click.option("--force-all", is_flag=True, help="Execute every step."),
        click.option("--dry-run", is_flag=True, help="Say what would run and why, and stop."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def foresee(notebook: Path, params: dict[str, Any], *, jobs: int, **selected: Any) -> Any:
    """Ask what a run would do.

    Parameters
    ----------
    notebook, params
        As for the run.
    jobs
        How many steps would run at once; it changes nothing here.
    selected
        What the options that choose steps say.

    Returns
    -------
    tuple of Forecast
        In notebook order.
    """
    from mlops_nb import api

    del jobs
    return api.foresee_pipeline(notebook, params, **selected)


def print_forecasts(forecasts: Iterable[Any], as_json: bool) -> None:
    """Print what would become of each step.

    Parameters
    ----------
    forecasts
        As the verb gives them.
    as_json
        Print JSON.
    """
    if as_json:
        print_json({"steps": [asdict(forecast) for forecast in forecasts]})
        return
    rows = [(one.name, _WORDS[one.status], one.reason) for one in forecasts]
    print_table(("step", "", "why"), rows)


@click.command()
@click.argument("notebook", type=click.Path(path_type=Path))
@click.argument("step")
@click.option("-p", "--param", "pairs", multiple=True, metavar="KEY=VALUE", help="A parameter.")
@as_json
def why(notebook: Path, step: str, pairs: tuple[str, ...], as_json: bool) -> None:
    """Say why STEP of NOTEBOOK would run again, or that its result is kept."""
    from mlops_nb import api
    from mlops_nb.cli.pipelines import read_params

    found = api.explain_step(notebook, step, read_params(pairs, None))
    if as_json:
        print_json(asdict(found))
    else:
        click.echo(f"{found.name} {_WORDS[found.status]}: {found.reason}")
        if found.loop:
            click.echo(f"{found.name}: {found.loop}")


@click.group()
def cache() -> None:
    """Count or remove what steps have made before."""


def _print_facts(found: Any, as_json: bool) -> None:
    facts = asdict(found)
    if as_json:
        print_json(facts)
    else:
        rows = [(name.replace("_", " "), value) for name, value in facts.items()]
        print_table(("cache", ""), rows)


@cache.command()
@as_json
def stats(as_json: bool) -> None:
    """Count results, files of values and bytes."""
    from mlops_nb import api

    _print_facts(api.get_cache_stats(), as_json)


@cache.command()
@as_json
def clear(as_json: bool) -> None:
    """Remove every result; the next run executes every step."""
    from mlops_nb import api

    _print_facts(api.clear_cache(), as_json)


@cache.command()
@click.option("--max-bytes", type=click.IntRange(min=0), help="What may stay; the newest used do.")
@as_json
def gc(max_bytes: int | None, as_json: bool) -> None:
    """Remove values that no result names, and results that were not used for longest."""
    from mlops_nb import api

    _print_facts(api.collect_cache(max_bytes), as_json)


COMMANDS = {"why": why, "cache": cache}

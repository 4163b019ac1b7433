"""Commands about the store as a whole: store verify, gc, stats, rebuild-index, delete, restore."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from mlops_nb.cli.render import print_json, print_table
from mlops_nb.cli.runs import as_json, format_moment


def _print_facts(title: str, facts: dict[str, Any]) -> None:
    print_table((title, ""), [(name.replace("_", " "), value) for name, value in facts.items()])


@click.group()
def store() -> None:
    """Verify, collect or count what is stored."""


@store.command()
@click.option(
    "--max-seconds",
    "max_s",
    type=click.FloatRange(min=0),
    help="Stop after so long; the next call goes on from there.",
)
@as_json
@click.pass_context
def verify(ctx: click.Context, max_s: float | None, as_json: bool) -> None:
    """Read every stored object again; exit code 1 when something is damaged."""
    from mlops_nb import api

    found = asdict(api.verify_store(max_s))
    if as_json:
        print_json(found)
    else:
        damaged = found.pop("damaged")
        _print_facts("verified", found)
        for entry in damaged:
            thing = f"object {entry['digest']}" if entry["digest"] else "pack"
            click.echo(f"damaged: {thing} in pack {entry['pack']}: {entry['found']}")
            for digest in entry["objects"]:
                click.echo(f"  needed by object {digest}")
        found["damaged"] = damaged
    ctx.exit(1 if found["damaged"] else 0)


@store.command()
@click.option(
    "--grace-hours",
    type=click.FloatRange(min=0),
    default=24.0,
    show_default=True,
    help="How long a pack stays marked before it is deleted; 0 only when nothing else writes.",
)
@as_json
def gc(grace_hours: float, as_json: bool) -> None:
    """Compact ended runs, merge small packs, delete objects that nothing names any more."""
    from mlops_nb import api

    done = asdict(api.collect_garbage(grace_hours * 3600))
    if as_json:
        print_json(done)
    else:
        _print_facts("collected", done)


@store.command()
@as_json
def stats(as_json: bool) -> None:
    """Count what is stored."""
    from mlops_nb import api

    found = api.get_store_stats()
    if as_json:
        print_json(found)
    else:
        _print_facts("store", found)


@store.command("rebuild-index")
@as_json
def rebuild_index(as_json: bool) -> None:
    """Throw the indexes away and fill them again from runs and packs."""
    from mlops_nb import api

    found = api.rebuild_index()
    if as_json:
        print_json(found)
    else:
        _print_facts("rebuilt", found)


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--reason", help="Why; it stands in the log of changes.")
@click.option("--force", is_flag=True, help="Also runs that have no end yet.")
@as_json
def delete(runs: tuple[str, ...], reason: str | None, force: bool, as_json: bool) -> None:
    """Delete runs: they are in no list any more.

    RUN is an id, the beginning or end of one, or a name. Until 'store gc' has removed it for good,
    a day later at the soonest, 'restore' puts it back.
    """
    from mlops_nb import api

    deleted = [api.delete_run(run, reason, force=force) for run in runs]
    if as_json:
        print_json([asdict(run) for run in deleted])
        return
    for run in deleted:
        click.echo(f"deleted {run.run_id} {run.name}")


@click.command()
@click.argument("run", required=False)
@as_json
def restore(run: str | None, as_json: bool) -> None:
    """Put a deleted run back; without RUN, list the deleted ones."""
    from mlops_nb import api

    if run is not None:
        found = api.restore_run(run)
        if as_json:
            print_json(found.to_json())
        else:
            click.echo(f"restored {found.run_id} {found.name}")
        return
    deleted = api.list_deleted_runs()
    if as_json:
        print_json([asdict(one) for one in deleted])
        return
    rows = [
        (
            one.run_id,
            one.name,
            format_moment(one.deleted_at),
            one.user,
            one.reason,
            "can be restored" if one.is_kept else "gone",
        )
        for one in deleted
    ]
    columns = ("run", "name", "deleted (UTC)", "by", "reason", "")
    print_table(columns, rows, empty="No deleted runs.")


COMMANDS = {"store": store, "delete": delete, "restore": restore}

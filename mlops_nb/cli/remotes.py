"""Commands on remotes and on the log of changes: push, pull, audit."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from mlops_nb.cli.render import print_json, print_table
from mlops_nb.cli.runs import as_json, format_moment
from mlops_nb.records import TransferReport

_COUNTS = ("objects", "sessions", "runs", "models", "audits", "size_bytes")


def _show_progress(name: str, size_bytes: int) -> None:
    click.echo(f"{size_bytes:>12,} {name[:90]}", err=True)


def _report(report: TransferReport, as_json: bool, done: str) -> int:
    if as_json:
        print_json(asdict(report) | {"is_clean": report.is_clean})
        return 0 if report.is_clean else 1
    told = {"objects": "packs", "audits": "logs of changes", "size_bytes": "bytes"}
    rows = [(told.get(name, name), getattr(report, name)) for name in _COUNTS]
    print_table((f"{done} {report.url}", ""), rows)
    for path in report.conflicts:
        click.echo(f"conflict: {path} is not the same here and there; each side keeps its own")
    for path in report.damaged:
        click.echo(f"damaged: {path} on the remote was not taken; remove it there and push again")
    return 0 if report.is_clean else 1


@click.command()
@click.argument("url")
@click.option("--progress", is_flag=True, help="Print a line for each part on stderr.")
@as_json
def push(url: str, progress: bool, as_json: bool) -> None:
    """Push the store to the remote at URL; nothing there is overwritten.

    URL is s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX or file:///FOLDER.
    Credentials are read from the environment.
    """
    from mlops_nb import api

    report = api.push_store(url, on_progress=_show_progress if progress else None)
    sys.exit(_report(report, as_json, "pushed to"))


@click.command()
@click.argument("url")
@click.option("--progress", is_flag=True, help="Print a line for each file on stderr.")
@as_json
def pull(url: str, progress: bool, as_json: bool) -> None:
    """Pull what the remote at URL has and the store lacks.

    URL is as for push. What both have and differ in is told and left alone.
    """
    from mlops_nb import api

    report = api.pull_store(url, on_progress=_show_progress if progress else None)
    sys.exit(_report(report, as_json, "pulled from"))


@click.group()
def audit() -> None:
    """Show or check who changed models and aliases."""


@audit.command("list")
@as_json
def list_records(as_json: bool) -> None:
    """List every change, oldest first: who, when, from where."""
    from mlops_nb import api

    records = api.list_audit()
    if as_json:
        print_json([asdict(record) for record in records])
        return
    rows = [
        (
            format_moment(record.at),
            record.user,
            record.host,
            record.event,
            " ".join(f"{key}={value}" for key, value in record.document.items() if value),
        )
        for record in records
    ]
    print_table(("at (UTC)", "who", "from", "event", "what"), rows, empty="No changes.")


@audit.command()
@as_json
def verify(as_json: bool) -> None:
    """Check that no record was changed, removed, put in or cut off the end."""
    from mlops_nb import api

    report = api.verify_audit()
    if as_json:
        print_json(asdict(report))
    else:
        for finding in report.findings:
            click.echo(finding)
        state = "broken" if report.findings else "whole"
        head = f", head {report.head[:16]}" if report.head else ""
        click.echo(f"{report.records} records, {state}{head}")
    sys.exit(1 if report.findings else 0)


COMMANDS = {"push": push, "pull": pull, "audit": audit}

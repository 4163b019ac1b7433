"""Commands about runs: status, runs, show, compare, artifact."""

from __future__ import annotations

import sys
from itertools import filterfalse
from pathlib import Path
from typing import Any

import click

from mlops_nb.cli.render import print_json, print_table
from mlops_nb.records import RunRecord, format_time, is_system
from mlops_nb.records.durations import format_duration

_MAX_COLUMNS = 6
_PAGE = 50
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def format_moment(seconds: float | None) -> str:
    """Write a moment for people.

    Parameters
    ----------
    seconds
        Seconds since the epoch.

    Returns
    -------
    str
        UTC to the second.
    """
    return (format_time(seconds) or "")[:19].replace("T", " ")


def read_run(run: RunRecord) -> dict[str, Any]:
    """Give the entry of a run in ``mlops-nb runs --json``.

    Parameters
    ----------
    run
        The run.

    Returns
    -------
    dict
        Stable keys that scripts rely on.
    """
    document = run.to_json()
    del document["cells"]  # `show --json` gives them
    return document


@click.command()
@as_json
def status(as_json: bool) -> None:
    """Show where runs are kept."""
    from mlops_nb import api

    found = api.get_status()
    if as_json:
        print_json(found)
        return
    rows = [(key, value) for key, value in found.items() if not isinstance(value, dict | list)]
    print_table(("", "status"), rows)


@click.command()
@click.option("--filter", "filter_", metavar="EXPRESSION", help='e.g. "metrics.acc > 0.9"')
@click.option("--order-by", multiple=True, metavar="KEY", help='e.g. "metrics.acc DESC"')
@click.option("--limit", type=click.IntRange(min=1), help="50 by default; all with --json.")
@as_json
def runs(filter_: str | None, order_by: tuple[str, ...], limit: int | None, as_json: bool) -> None:
    """List runs, the newest first."""
    from mlops_nb import api

    # A program must never take a page for the whole; a person reads no more than a page.
    most = limit or (sys.maxsize if as_json else _PAGE)
    found = api.list_runs(filter_, list(order_by) or None, most)
    if as_json:
        print_json([read_run(run) for run in found])
        return
    counted: dict[str, int] = {}
    for run in found:
        for key in filterfalse(is_system, run.metrics):
            counted[key] = counted.get(key, 0) + 1
    keys = sorted(counted, key=lambda key: (key.endswith("_s"), -counted[key]))[:_MAX_COLUMNS]
    rows = [
        (
            run.run_id[-8:],  # the end tells neighbours apart, and every command takes it
            run.name,
            run.told_status,
            format_moment(run.started_at),
            format_duration(run.duration_s),
            *(run.metrics.get(key) for key in keys),
        )
        for run in found
    ]
    columns = ("run", "name", "status", "started (UTC)", "duration", *keys)
    if filter_ is None:
        empty = (
            f"No runs in {api.get_status()['store']}.\n"
            "A notebook with %load_ext mlops_nb records what it trains, and so does mlops-nb run."
        )
    else:
        empty = f"No runs fit the filter {filter_!r}."
    print_table(columns, rows, empty=empty)
    if limit is None and len(found) == _PAGE:
        click.echo(f"The newest {_PAGE}; ask for more with --limit.", err=True)


_Table = tuple[tuple[str, ...], list[tuple[object, ...]]]


def _tabulate_files(found: RunRecord) -> _Table:
    """Give what was read and written, with the call that did and its cell."""
    names = ("file, address or query", "role", "bytes", "fingerprint", "call", "cell")
    rows: list[tuple[object, ...]] = [
        (
            data.name,
            data.role,
            data.size_bytes or "",
            data.fingerprint[:16],
            data.call,
            "" if data.cell is None else data.cell,
        )
        for data in found.datasets
        if data.call
    ]
    return names, rows


def _tabulate_run(found: RunRecord) -> list[_Table]:
    """Give all of a run as tables: column names and rows."""
    facts = [
        ("name", found.name),
        ("status", found.told_status),
        ("experiment", found.experiment),
        ("started (UTC)", format_moment(found.started_at)),
        ("duration", format_duration(found.duration_s)),
        ("notebook", found.notebook),
        ("parent", found.parent_run_id),
        ("environment", found.environment),
        ("code", found.code),
    ]
    return [
        (("run", found.run_id), [row for row in facts if row[1]]),
        (("param", "value"), list(found.params.items())),
        (("metric", "value"), list(found.metrics.items())),
        (("tag", "value"), list(found.tags.items())),
        (
            ("dataset", "role", "shape", "fingerprint"),
            [
                (data.name, data.role, " x ".join(map(str, data.shape)), data.fingerprint[:16])
                for data in found.datasets
                if not data.call
            ],
        ),
        _tabulate_files(found),
        (
            ("artifact", "type", "bytes"),
            [(item.path, item.media_type, item.size_bytes) for item in found.artifacts],
        ),
        (
            ("cell", "status", "duration", "source"),
            [
                (
                    cell.index,
                    cell.status,
                    format_duration(cell.duration_s),
                    cell.source.strip().partition("\n")[0],
                )
                for cell in found.cells
            ],
        ),
    ]


@click.command()
@click.argument("run", metavar="RUN")
@as_json
def show(run: str, as_json: bool) -> None:
    """Show all of a run.

    RUN is an id, the beginning or end of one, a name, or 'latest'.
    """
    from mlops_nb import api

    found = api.get_run(run)
    if as_json:
        print_json(found.to_json())
        return
    shown = [table for table in _tabulate_run(found) if table[1]]
    for at, (head, body) in enumerate(shown):
        print_table(head, body)
        if at < len(shown) - 1:
            click.echo()


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN...]")
@click.option("--all", "show_all", is_flag=True, help="Also what is the same in all of them.")
@click.option("--previous", is_flag=True, help="One run: beside the one before it.")
@as_json
def compare(runs: tuple[str, ...], show_all: bool, previous: bool, as_json: bool) -> None:
    """Compare runs, differences first; one, by default the newest, with the best of its name."""
    from mlops_nb import api

    comparison = api.compare_runs(*runs, beside="previous" if previous else "best")
    rows = [row for row in comparison.rows if row[3] or show_all]
    if as_json:
        print_json(
            {
                "runs": [read_run(run) for run in comparison.runs],
                "best_by": comparison.metric,
                "rows": [
                    {"group": group, "key": key, "values": values, "differs": differs}
                    for group, key, values, differs in rows
                ],
            }
        )
        return
    columns = ("", "key", *comparison.titles)
    print_table(
        columns,
        [(group, key, *values) for group, key, values, _ in rows],
        empty="No difference.",
    )


@click.command()
@click.argument("run", metavar="RUN")
@click.argument("path", metavar="PATH")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File; stdout without."
)
def artifact(run: str, path: str, output: Path | None) -> None:
    """Write an artifact of a run, verified, to a file or stdout."""
    from mlops_nb import api

    data = api.read_artifact(run, path)
    if output is None:
        click.echo(data, nl=False)
        return
    output.write_bytes(data)
    click.echo(f"wrote {output} ({len(data)} bytes)", err=True)


COMMANDS = {
    "status": status,
    "runs": runs,
    "show": show,
    "compare": compare,
    "artifact": artifact,
}

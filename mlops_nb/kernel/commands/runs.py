"""Sub-commands about runs: status, runs, show, compare, log."""

from __future__ import annotations

from functools import partial
from itertools import filterfalse
from typing import Any, Literal

from mlops_nb import api
from mlops_nb.errors import UsageError
from mlops_nb.kernel.commands import Call, Command
from mlops_nb.kernel.parsing import Parser, read_literal, read_number, split_pairs
from mlops_nb.kernel.summaries import (
    format_param,
    list_changed,
    list_metrics,
    list_usage,
    read_params,
    short_id,
)
from mlops_nb.kernel.tables import Markup, Message, Shown, Table, format_value
from mlops_nb.records import RunRecord, format_time, is_cost, is_system
from mlops_nb.records.durations import format_duration

MAX_COLUMNS = 6


def join_tables(tables: list[Table]) -> Markup:
    """Put tables under one another.

    Parameters
    ----------
    tables
        The tables; those without rows are left out.

    Returns
    -------
    Markup
        All of them as one result.
    """
    filled = [table for table in tables if table.rows]
    text = "\n\n".join(repr(table) for table in filled)
    return Markup(text, "".join(table._repr_html_() for table in filled))


def flatten(document: dict[str, object], prefix: str = "") -> list[tuple[str, object]]:
    """Give a nested document as rows of key and value.

    Parameters
    ----------
    document
        JSON types.
    prefix
        Put before each key.

    Returns
    -------
    list of tuple
        One row per value; lists are given by their length when they are long.
    """
    rows: list[tuple[str, object]] = []
    for key, value in document.items():
        if isinstance(value, dict) and value and len(value) <= 12:
            rows.extend(flatten(value, f"{prefix}{key}."))
        elif isinstance(value, dict | list | tuple) and len(value) > 12:
            rows.append((f"{prefix}{key}", f"{len(value)} entries"))
        else:
            rows.append((f"{prefix}{key}", value))
    return rows


def tabulate_runs(runs: list[RunRecord], title: str = "") -> Table:
    """List runs with the metrics they share first.

    Parameters
    ----------
    runs
        The runs.
    title
        A line above the table.

    Returns
    -------
    Table
        One row per run.
    """
    counted: dict[str, int] = {}
    for run in runs:
        for key in filterfalse(is_system, run.metrics):
            counted[key] = counted.get(key, 0) + 1
    keys = sorted(counted, key=lambda key: (is_cost(key), -counted[key]))[:MAX_COLUMNS]
    rows = [
        (
            short_id(run.run_id),
            run.name,
            run.told_status,
            (format_time(run.started_at) or "")[:19].replace("T", " "),
            format_duration(run.duration_s),
            *(run.metrics.get(key) for key in keys),
        )
        for run in runs
    ]
    columns = ["run", "name", "status", "started (UTC)", "duration", *keys]
    return Table(columns, rows, title, empty="No runs yet: fit a model and look again.")


def _configure_nothing(parser: Parser) -> None:
    """Add nothing: the command takes no arguments."""


def _status(call: Call) -> Shown:
    status = api.get_status()
    libraries = [
        (f"autolog {name}", f"{state} {why}") for name, state, why in status.pop("autolog")
    ]
    return Table(["", "status"], [*flatten(status), *libraries])


def _configure_runs(parser: Parser) -> None:
    parser.add_argument("--filter", help='only runs that fit, e.g. "metrics.acc > 0.9"')
    parser.add_argument(
        "--order-by", action="append", metavar="KEY", help='e.g. "metrics.acc DESC"; repeatable'
    )
    parser.add_argument("--limit", type=int, default=20, help="at most so many (20)")
    parser.add_argument("--frame", action="store_true", help="give a DataFrame")


def _runs(call: Call) -> Any:
    wanted = call.arguments
    if wanted.frame:
        return api.search_runs(wanted.filter, wanted.order_by, wanted.limit)
    return tabulate_runs(api.list_runs(wanted.filter, wanted.order_by, wanted.limit))


def _configure_show(parser: Parser) -> None:
    parser.add_argument(
        "run", nargs="+", metavar="RUN", help="id, beginning or end of an id, name or 'latest'"
    )


def tabulate_run(run: RunRecord) -> list[Table]:
    """Give all of a run as tables.

    Parameters
    ----------
    run
        The run.

    Returns
    -------
    list of Table
        Facts, metrics, what the machine did, params, tags, datasets, artifacts and cells.
    """
    facts = [
        ("name", run.name),
        ("status", run.told_status),
        ("experiment", run.experiment),
        ("started", format_time(run.started_at)),
        ("duration", format_duration(run.duration_s)),
        ("notebook", run.notebook),
        ("environment", run.environment),
        ("code", run.code),
        ("parent", run.parent_run_id),
        ("dropped records", run.dropped_records or None),
    ]
    cells = [
        (
            cell.index,
            cell.status,
            format_duration(cell.duration_s),
            cell.source.strip().split("\n")[0],
        )
        for cell in run.cells
    ]
    return [
        Table(["run", run.run_id], [row for row in facts if row[1]]),
        Table(["metric", "value"], [(key, run.metrics[key]) for key in list_metrics(run)]),
        Table(["used at last", "value"], list_usage(run)),
        _tabulate_params(run),
        Table(["tag", "value"], list(run.tags.items())),
        Table(
            ["dataset", "role", "shape", "fingerprint"],
            [
                (data.name, data.role, " x ".join(map(str, data.shape)), data.fingerprint[:16])
                for data in run.datasets
                if not data.call
            ],
        ),
        _tabulate_files(run),
        Table(["artifact", "bytes"], [(item.path, item.size_bytes) for item in run.artifacts]),
        Table(["cell", "status", "duration", "source"], cells),
    ]


def _tabulate_files(run: RunRecord) -> Table:
    """List what was read and written, with the call that did and its cell."""
    names = ["file, address or query", "role", "bytes", "fingerprint", "call", "cell"]
    rows = [
        (
            data.name,
            data.role,
            data.size_bytes or None,
            data.fingerprint[:16],
            data.call,
            data.cell,
        )
        for data in run.datasets
        if data.call
    ]
    return Table(names, rows)


def _tabulate_params(run: RunRecord) -> Table:
    """List the params that were changed before those that are defaults."""
    texts, changed = read_params(run), list_changed(run)
    if len(changed) == len(texts):
        return Table(["param", "value"], list(texts.items()))
    rows = [(key, texts[key], "") for key in changed]
    rows += [(key, text, "default") for key, text in texts.items() if key not in changed]
    return Table(["param", "value", ""], rows, strong=range(len(changed)))


def _show(call: Call) -> Shown:
    return join_tables(tabulate_run(api.get_run(" ".join(call.arguments.run))))


def _configure_compare(parser: Parser) -> None:
    parser.add_argument("runs", nargs="*", metavar="RUN", help="one beside the best, or more")
    parser.add_argument("--all", action="store_true", help="also what is the same in all of them")
    parser.add_argument("--previous", action="store_true", help="one run: beside the one before it")


def _compare(call: Call) -> Shown:
    beside: Literal["best", "previous"] = "previous" if call.arguments.previous else "best"
    comparison = api.compare_runs(*call.arguments.runs, beside=beside)
    shown = [row for row in comparison.rows if row[3] or call.arguments.all]
    columns = ["", "key", *comparison.titles]
    rows = [
        (group, key, *map(partial(_write, group, key), comparison.runs, values))
        for group, key, values, _ in shown
    ]
    strong = [at for at, row in enumerate(shown) if row[3]] if call.arguments.all else ()
    return Table(columns, rows, empty="No difference.", strong=strong)


def _write(group: str, key: str, run: RunRecord, value: object) -> object:
    """Write a compared value; a param that is None differs from one that is not there."""
    if group != "param" or key not in run.params or format_param(value) == format_value(value):
        return value
    return format_param(value)


def _configure_log(parser: Parser) -> None:
    parser.add_argument(
        "metrics", nargs="*", metavar="KEY=VALUE", help="metrics: numbers or names of variables"
    )
    parser.add_argument("--param", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--tag", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--step", type=int, help="training step of the metrics")


def _log(call: Call) -> Shown:
    given, names = call.arguments, call.shell.user_ns
    metrics = {
        key: read_number(key, text, names)
        for key, text in split_pairs("%mlops log", given.metrics).items()
    }
    params = {
        key: read_literal(text) for key, text in split_pairs("%mlops log", given.param).items()
    }
    tags = split_pairs("%mlops log", given.tag)
    if not metrics and not params and not tags:
        raise UsageError("%mlops log", "nothing to log", "For example: %mlops log acc=0.93")
    if metrics:
        api.log_metrics(metrics, step=given.step)
    if params:
        api.log_params(params)
    if tags:
        api.set_tags(tags)
    logged = [f"{key}={value}" for key, value in {**metrics, **params, **tags}.items()]
    run = api.active_run()
    target = f" to {run.name} · {short_id(run.run_id)}" if run is not None and run.run_id else ""
    return Message(f"logged {', '.join(logged)}{target}")


COMMANDS = {
    "status": Command(_configure_nothing, _status),
    "runs": Command(_configure_runs, _runs),
    "show": Command(_configure_show, _show, positions=("run",)),
    "compare": Command(_configure_compare, _compare, positions=("run",)),
    "log": Command(_configure_log, _log),
}

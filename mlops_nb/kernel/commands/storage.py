"""Sub-commands about the store as a whole and what is taken out of it: store, delete, restore."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from mlops_nb import api
from mlops_nb.errors import UsageError
from mlops_nb.kernel.commands import Call, Command
from mlops_nb.kernel.commands.runs import join_tables, tabulate_runs
from mlops_nb.kernel.parsing import Parser
from mlops_nb.kernel.tables import Shown, Table
from mlops_nb.records import format_time

_ACTIONS = ("stats", "verify", "gc", "rebuild-index")


def _configure_store(parser: Parser) -> None:
    parser.add_argument(
        "action", nargs="?", choices=_ACTIONS, default="stats", metavar="ACTION",
        help="stats (without a word), verify, gc or rebuild-index",
    )  # fmt: skip
    parser.add_argument("--max-seconds", type=float, help="verify: stop after so long")
    parser.add_argument(
        "--grace-hours",
        type=float,
        help="gc: how long things stay that nothing names (24)",
    )


def _store(call: Call) -> Shown:
    given = call.arguments
    for option, owner in (("max_seconds", "verify"), ("grace_hours", "gc")):
        if getattr(given, option) is not None and given.action != owner:
            named = f"--{option.replace('_', '-')}"
            raise UsageError(
                "%mlops store", f"{named} given with {given.action!r}; it is for {owner}"
            )
    if given.action == "verify":
        return _tabulate_check(asdict(api.verify_store(given.max_seconds)))
    if given.action == "gc":
        hours = 24.0 if given.grace_hours is None else given.grace_hours
        return _tabulate_facts("collected", asdict(api.collect_garbage(hours * 3600)))
    if given.action == "rebuild-index":
        return _tabulate_facts("rebuilt", api.rebuild_index())
    return _tabulate_facts("store", api.get_store_stats())


def _tabulate_facts(title: str, facts: dict[str, Any]) -> Table:
    return Table([title, "value"], [(key.replace("_", " "), value) for key, value in facts.items()])


def _tabulate_check(found: dict[str, Any]) -> Shown:
    damaged = found.pop("damaged")
    facts = _tabulate_facts("verified", {**found, "damaged": len(damaged)})
    rows = [
        (entry["digest"] or "the whole pack", entry["pack"], entry["found"], len(entry["objects"]))
        for entry in damaged
    ]
    columns = ["damaged", "pack", "what is wrong", "objects that need it"]
    return join_tables([facts, Table(columns, rows)]) if rows else facts


def _configure_delete(parser: Parser) -> None:
    parser.add_argument("runs", nargs="+", metavar="RUN", help="id, part of one, or name")
    parser.add_argument("--reason", help="why; it stands in the log of changes")
    parser.add_argument("--force", action="store_true", help="also runs that have no end yet")


def _delete(call: Call) -> Shown:
    given = call.arguments
    deleted = [api.delete_run(run, given.reason, force=given.force) for run in given.runs]
    rows = [(run.run_id, run.name, f"%mlops restore {run.run_id}") for run in deleted]
    return Table(["deleted", "name", "to have it back"], rows)


def _configure_restore(parser: Parser) -> None:
    parser.add_argument("run", nargs="?", metavar="RUN", help="the run; all deleted ones without")


def _restore(call: Call) -> Shown:
    if call.arguments.run is not None:
        return tabulate_runs([api.restore_run(call.arguments.run)])
    rows = [
        (
            run.run_id,
            run.name,
            (format_time(run.deleted_at) or "")[:19].replace("T", " "),
            run.user,
            run.reason,
            "can be restored" if run.is_kept else "gone",
        )
        for run in api.list_deleted_runs()
    ]
    columns = ["run", "name", "deleted (UTC)", "by", "reason", ""]
    return Table(columns, rows, empty="No deleted runs.")


COMMANDS = {
    "store": Command(_configure_store, _store, positions=("none",)),
    "delete": Command(_configure_delete, _delete, positions=("run",)),
    "restore": Command(_configure_restore, _restore),
}

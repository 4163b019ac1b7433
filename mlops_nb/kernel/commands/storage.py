"""Sub-commands about the store as a whole and what is taken out of it: delete, restore."""

from __future__ import annotations

from mlops_nb import api
from mlops_nb.kernel.commands import Call, Command
from mlops_nb.kernel.commands.runs import tabulate_runs
from mlops_nb.kernel.parsing import Parser
from mlops_nb.kernel.tables import Shown, Table
from mlops_nb.records import format_time


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
    "delete": Command(_configure_delete, _delete, positions=("run",)),
    "restore": Command(_configure_restore, _restore),
}

"""The sub-command ``verify``: whether a notebook's pipeline gives what the notebook gives."""

from __future__ import annotations

from typing import Any

from mlops_nb import api
from mlops_nb.errors import StepFailedError, UsageError
from mlops_nb.kernel.commands import Call, Command
from mlops_nb.kernel.commands.pipelines import ALREADY, choose_notebook, tell_progress
from mlops_nb.kernel.notebooks import is_being_run
from mlops_nb.kernel.parsing import Parser, split_pairs
from mlops_nb.kernel.tables import Shown, Table
from mlops_nb.records import PipelineResult, Verification
from mlops_nb.records.durations import format_duration

_COMMAND = "%mlops verify"


def _configure(parser: Parser) -> None:
    parser.add_argument("notebook", nargs="?", help="path; the open notebook by default")
    parser.add_argument(
        "-p", "--param", action="append", default=[], metavar="KEY=VALUE", help="repeatable"
    )
    parser.add_argument("-o", "--out-dir", help="folder for the executed notebook of each step")
    parser.add_argument(
        "--tolerance", type=float, metavar="R", help="relative difference that floats may have"
    )


def _verify(call: Call) -> Shown:
    __tracebackhide__ = True
    given = call.arguments
    if given.tolerance is not None and not given.tolerance > 0:
        raise UsageError(_COMMAND, f"--tolerance {given.tolerance!r} is not above 0")
    notebook = choose_notebook(call, _COMMAND)
    if is_being_run(notebook):
        return ALREADY
    # Of the file, as the command line does it: what is not saved yet takes no part.
    result = api.verify_pipeline(
        notebook,
        split_pairs(_COMMAND, given.param),
        given.out_dir,
        tolerance=given.tolerance,
        on_progress=tell_progress,
    )
    failed = next((step for step in result.steps if step.status == "failed"), None)
    if result.verification is None or failed is not None:
        if failed is None:
            raise StepFailedError("", result.status)
        raise StepFailedError(failed.name, failed.error or "no reason given", failed.notebook)
    return show_verification(result, result.verification)


def show_verification(result: PipelineResult, verification: Verification) -> Table:
    """Show how a pipeline compares with its notebook.

    Parameters
    ----------
    result
        The run.
    verification
        Of it.

    Returns
    -------
    Table
        What was found, under the status.
    """
    rows: list[tuple[str, Any]] = [("steps compared", len(result.steps))]
    if verification.is_different:
        rows = [
            ("step", verification.step),
            ("path", verification.path),
            ("kind", verification.kind),
            ("notebook", verification.reference),
            ("pipeline", verification.pipeline),
        ]
    elif verification.reason:
        rows = [("why", verification.reason)]
    rows += [("differs each time", path) for path in verification.unstable]
    rows += [("not compared", told) for told in verification.uncompared]
    rows += [
        ("compared in", format_duration(verification.duration_s)),
        ("run", result.run_id),
    ]
    return Table(["what", "found"], rows, verification.status)


COMMANDS = {"verify": Command(_configure, _verify, positions=("notebook", "none"))}

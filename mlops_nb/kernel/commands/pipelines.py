"""Sub-commands about the notebook as a whole: pipeline, run, export; and the cell that is a run."""

from __future__ import annotations

import ast
from typing import Any

from mlops_nb import api
from mlops_nb.errors import StepFailedError, UsageError
from mlops_nb.kernel.commands import Call, Command
from mlops_nb.kernel.notebooks import find_notebook, is_being_run
from mlops_nb.kernel.parsing import Parser, split_pairs
from mlops_nb.kernel.pictures import draw_pipeline
from mlops_nb.kernel.tables import Message, Shown, Table
from mlops_nb.records.durations import format_duration

# A cell such as %mlops verify is a cell of the notebook that it runs.
ALREADY = Message("nothing to do: a pipeline runs this cell, which would run that pipeline again")


def choose_notebook(call: Call, command: str) -> str:
    """Decide which notebook a command is about.

    Parameters
    ----------
    call
        The use of the command; its argument ``notebook`` wins.
    command
        Named in the error.

    Returns
    -------
    str
        Path of the notebook.

    Raises
    ------
    UsageError
        None was given and the front end does not tell which one is open.
    """
    given: str | None = call.arguments.notebook or find_notebook(call.shell)
    if given is None:
        raise UsageError(
            command,
            "this front end does not say which notebook it shows",
            f"Name it: {command} my_notebook.ipynb",
        )
    return given


def _configure_pipeline(parser: Parser) -> None:
    parser.add_argument("notebook", nargs="?", help="path; the open notebook by default")


def _pipeline(call: Call) -> Shown:
    return draw_pipeline(api.plan_pipeline(choose_notebook(call, "%mlops pipeline")))


def _configure_run(parser: Parser) -> None:
    if parser.prog.startswith("%%"):
        parser.add_argument("name", metavar="NAME", help="name of the run")
        parser.add_argument("--experiment", help="experiment it belongs to")
        parser.add_argument("--tag", action="append", default=[], metavar="KEY=VALUE")
        return
    parser.add_argument("notebook", nargs="?", help="path; the open notebook by default")
    parser.add_argument(
        "-p", "--param", action="append", default=[], metavar="KEY=VALUE", help="repeatable"
    )
    parser.add_argument("-o", "--out-dir", help="folder for the executed notebook of each step")


def _run(call: Call) -> Shown | None:
    __tracebackhide__ = True
    if call.cell is not None:
        _run_cell(call, call.cell)
        return None
    notebook = choose_notebook(call, "%mlops run")
    if is_being_run(notebook):
        return ALREADY
    params = split_pairs("%mlops run", call.arguments.param)
    result = api.run_pipeline(notebook, params, call.arguments.out_dir, on_progress=tell_progress)
    rows = [
        (
            step.name,
            f"{step.status}{' (cached)' if step.cached else ''}",
            format_duration(step.duration_s),
            step.notebook,
        )
        for step in result.steps
    ]
    metrics = [("", f"{key} = {value:.6g}", "", "") for key, value in result.metrics.items()]
    columns = ["step", "status", "duration", "notebook"]
    verified = "" if result.verification is None else f", {result.verification}"
    title = f"run {result.run_id}: {result.status}{verified}"
    table = Table(columns, [*rows, *metrics], title)
    failed = next((step for step in result.steps if step.status == "failed"), None)
    if failed is not None:
        # A notebook that runs a pipeline fails with it; the table says how far it came.
        call.shell.display_pub.publish(data=table._repr_mimebundle_(), metadata={})
        raise StepFailedError(failed.name, failed.error or "no reason given", failed.notebook)
    return table


def tell_progress(event: Any) -> None:
    """Print what a run has to say, below the cell that runs it.

    Parameters
    ----------
    event
        Of a pipeline; only steps that end and notices are printed.
    """
    if event.kind in {"notice", "step_finished"}:
        print(event, flush=True)  # noqa: T201 - progress of a cell, where its output goes


def _run_cell(call: Call, body: str) -> None:
    """Run a cell's code inside one run, as ``%%time`` runs it: in the notebook's own namespace."""
    __tracebackhide__ = True
    given, shell = call.arguments, call.shell
    tags = split_pairs("%%mlops run", given.tag)
    nodes, name = _compile_cell(shell, body)
    with api.start_run(name=given.name, experiment=given.experiment, tags=tags or None):
        _execute(shell, nodes, name)


def _compile_cell(shell: Any, body: str) -> tuple[list[ast.mod], str]:
    source = shell.transform_cell(body)
    # In the compiler's cache the cell gets a name, so that tracebacks show its lines.
    name = shell.compile.cache(source, shell.execution_count, raw_code=body)
    statements = shell.transform_ast(shell.compile.ast_parse(source, filename=name)).body
    if any(_awaits(statement) for statement in statements):
        raise UsageError(
            "%%mlops run",
            "a cell with await at top level cannot be grouped",
            "Write in the cell: with mlops.start_run(name=...): ...",
        )
    last: list[ast.mod] = []
    if statements and isinstance(statements[-1], ast.Expr):
        last = [ast.Interactive([statements.pop()])]  # shown as the value of the cell
    return [ast.Module(statements, []), *last], name


def _awaits(statement: ast.AST) -> bool:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
        return False
    if isinstance(statement, ast.Await | ast.AsyncFor | ast.AsyncWith):
        return True
    return any(_awaits(child) for child in ast.iter_child_nodes(statement))


def _execute(shell: Any, nodes: list[ast.mod], name: str) -> None:
    __tracebackhide__ = True
    for node in nodes:
        mode = "single" if isinstance(node, ast.Interactive) else "exec"
        # The user's own code, as IPython itself runs it.
        exec(shell.compile(node, name, mode), shell.user_global_ns, shell.user_ns)  # noqa: S102


def _configure_export(parser: Parser) -> None:
    parser.add_argument("notebook", nargs="?", help="path; the open notebook by default")
    parser.add_argument("--to", default="script", metavar="FORM", help="what to export: script")
    parser.add_argument("-o", "--output", help="file to write")
    parser.add_argument("-p", "--param", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--overwrite", action="store_true", help="replace a file of another origin")


def _export(call: Call) -> Shown:
    given = call.arguments
    path = api.export_notebook(
        choose_notebook(call, "%mlops export"),
        to=given.to,
        output=given.output,
        params=split_pairs("%mlops export", given.param) or None,
        overwrite=given.overwrite,
    )
    return Message(f"wrote {path}")


COMMANDS = {
    "pipeline": Command(_configure_pipeline, _pipeline, positions=("notebook", "none")),
    "run": Command(_configure_run, _run, positions=("notebook", "none"), cell_magic=True),
    "export": Command(_configure_export, _export, positions=("notebook", "none")),
}

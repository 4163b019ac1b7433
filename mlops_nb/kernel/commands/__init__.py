"""The sub-commands of ``%mlops``: a table of names, and one module per group loaded when used."""

from __future__ import annotations

import importlib
from argparse import Namespace
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from mlops_nb.errors import NotFoundError, UsageError
from mlops_nb.kernel.parsing import Parser

# name, module, summary: what %mlops? lists without loading a module
TABLE = (
    ("status", "runs", "Show where runs are kept and what is recording."),
    ("runs", "runs", "List runs, the newest first."),
    ("show", "runs", "Show all of a run."),
    ("compare", "runs", "Compare runs, differences first."),
    ("best", "plots", "List the best runs."),
    ("plot", "plots", "Draw runs, or a fitted model."),
    ("delete", "storage", "Delete runs; they can be restored for a while."),
    ("restore", "storage", "Put a deleted run back, or list the deleted ones."),
    ("log", "runs", "Log metrics, params and tags to the active run."),
    ("register", "models", "Register the model in a variable."),
    ("models", "models", "List registered models, or the versions of one."),
    ("alias", "models", "Point an alias at a version of a model, or take it away."),
    ("serve", "serving", "Serve a registered model over HTTP in the background."),
    ("pipeline", "pipelines", "Draw the pipeline that a notebook's tags make."),
    ("run", "pipelines", "Run a notebook as a pipeline; as %%mlops run NAME, group a cell."),
    ("verify", "verifying", "Compare a notebook's pipeline with the notebook run as one."),
    ("sweep", "sweeps", "Try many values of a notebook's parameters, find the best."),
    ("export", "pipelines", "Export a notebook's pipeline as a script."),
    ("slice", "notebooks", "Show the cells that compute one variable."),
    ("snapshot", "snapshots", "Keep the data in a variable."),
    ("env", "snapshots", "Keep and show the environment."),
    ("store", "storage", "Count, verify or collect what is stored."),
    ("autolog", "recording", "Show, start or stop automatic logging."),
    ("help", "recording", "Show the help of a command."),
)
NAMES = tuple(name for name, _, _ in TABLE)


class Call(NamedTuple):
    """One use of ``%mlops``.

    Attributes
    ----------
    shell
        The IPython shell.
    arguments
        The parsed arguments.
    cell
        Body of the cell for ``%%mlops``, else None.
    """

    shell: Any
    arguments: Namespace
    cell: str | None = None


class Command(NamedTuple):
    """One sub-command.

    Attributes
    ----------
    configure
        Adds the arguments to a parser.
    perform
        Does it; returns what to show: a `Shown`, a DataFrame, a figure, or None.
    positions
        What the positional arguments name, for completion: ``run``, ``model``, ``alias``,
        ``variable``, ``notebook``, ``command``, ``metric``, ``param``, ``plot`` or ``drawn`` (what
        can be drawn: runs and models); the last one repeats.
    options
        The same for the values of options.
    cell_magic
        Whether the command also takes a cell.
    """

    configure: Callable[[Parser], None]
    perform: Callable[[Call], Any]
    positions: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    cell_magic: bool = False


def find_command(name: str) -> Command:
    """Load a sub-command.

    Parameters
    ----------
    name
        Its name.

    Returns
    -------
    Command
        The command.

    Raises
    ------
    NotFoundError
        There is no such command.
    """
    for known, module, _ in TABLE:
        if known == name:
            group = importlib.import_module(f"mlops_nb.kernel.commands.{module}")
            found: Command = group.COMMANDS[name]
            return found
    raise NotFoundError("command", name, NAMES, "List commands with: %mlops help")


@cache
def make_parser(name: str, cell_magic: bool = False) -> Parser:
    """Make the parser of a sub-command.

    Parameters
    ----------
    name
        Its name.
    cell_magic
        Whether for ``%%mlops``.

    Returns
    -------
    Parser
        Its parser; made once.
    """
    command = find_command(name)
    if cell_magic and not command.cell_magic:
        raise UsageError(f"%%mlops {name}", "it takes no cell", f"Use one %: %mlops {name}")
    summary = next(text for known, _, text in TABLE if known == name)
    parser = Parser(f"{'%%' if cell_magic else '%'}mlops {name}", summary)
    command.configure(parser)
    return parser


def render_help() -> str:
    """List all sub-commands.

    Returns
    -------
    str
        The text that ``%mlops?`` shows.
    """
    width = max(len(name) for name in NAMES)
    lines = [f"  {name.ljust(width)}  {summary}" for name, _, summary in TABLE]
    return "\n".join(
        [
            "%mlops COMMAND [ARGUMENTS]: runs, models and pipelines of this notebook.",
            "",
            *lines,
            "",
            "Help of one command: %mlops help COMMAND, or %mlops COMMAND --help.",
            "Group a cell into one run: %%mlops run NAME.",
        ]
    )

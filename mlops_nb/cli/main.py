"""The command ``mlops-nb``: its options, its sub-commands, and the one place where errors end."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from mlops_nb.cli.failures import EXIT_CODES, fail
from mlops_nb.errors import MLOpsError, near_misses

# name: module and summary. A module is imported when its command is used or shown.
_COMMANDS = {
    "status": ("runs", "Show where runs are kept."),
    "runs": ("runs", "List runs, the newest first."),
    "show": ("runs", "Show all of a run."),
    "compare": ("runs", "Compare runs, differences first."),
    "delete": ("storage", "Delete runs; they can be restored for a while."),
    "restore": ("storage", "Put a deleted run back, or list the deleted ones."),
    "artifact": ("runs", "Write an artifact of a run to a file or stdout."),
    "models": ("models", "List registered models and their versions."),
    "model": ("models", "Show one version of a model."),
    "alias": ("models", "Point an alias at a version of a model, or take it away."),
    "ui": ("ui", "Open all runs and models in the browser."),
    "serve": ("models", "Serve a registered model over HTTP."),
    "pipeline": ("pipelines", "Show the pipeline that a notebook's tags make."),
    "graph": ("notebooks", "Show what depends on what in a notebook, and why."),
    "suggest": ("notebooks", "Propose tags that make a pipeline of a notebook."),
    "slice": ("notebooks", "Show the cells that compute one variable."),
    "run": ("pipelines", "Run a notebook as a pipeline, step by step."),
    "why": ("steps", "Say why a step would run again."),
    "cache": ("steps", "Count or remove what steps have made before."),
    "new": ("templates", "Write a notebook from a template: automl."),
    "sweep": ("sweeps", "Try many values of a notebook's parameters, find the best."),
    "sweeps": ("sweeps", "List sweeps, or show the trials of one."),
    "verify": ("verify", "Prove that a pipeline gives what its notebook gives."),
    "reproduce": ("reproducing", "Make a run again, and say whether it gives the same."),
    "export": ("pipelines", "Export a notebook, or the code of a run, as a script."),
    "snapshot": ("snapshots", "Keep the data in a file."),
    "env": ("snapshots", "Keep and show the environment."),
    "store": ("storage", "Verify, collect or count what is stored."),
    "push": ("remotes", "Push the store to a remote."),
    "pull": ("remotes", "Pull what a remote has and the store lacks."),
    "audit": ("remotes", "Show or check who changed models and aliases."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for: ``--version`` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the commands in the order of the table.

        Parameters
        ----------
        ctx
            click's context.

        Returns
        -------
        list of str
            The names.
        """
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command.

        Parameters
        ----------
        ctx
            click's context.
        cmd_name
            Its name.

        Returns
        -------
        click.Command or None
            The command, None where there is none of that name.
        """
        if cmd_name not in _COMMANDS:
            return None
        group = importlib.import_module(f"mlops_nb.cli.{_COMMANDS[cmd_name][0]}")
        found: click.Command = group.COMMANDS[cmd_name]
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was typed, and offer near misses where there is none.

        Parameters
        ----------
        ctx
            click's context.
        args
            The words.

        Returns
        -------
        tuple
            Name, command and the words left.
        """
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            near = near_misses(args[0], _COMMANDS)
            meant = " or ".join(repr(name) for name in near)
            hint = f"Did you mean {meant}?" if near else f"Known: {', '.join(_COMMANDS)}."
            raise click.UsageError(f"no command {args[0]!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them.

        Parameters
        ----------
        ctx
            click's context.
        formatter
            click's formatter.
        """
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from mlops_nb.config import read_version

        click.echo(f"mlops-nb {read_version()}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"]},
    subcommand_metavar="COMMAND [ARGUMENTS]...",
)
@click.option(
    "--store",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the store (also MLOPS_NB_STORE); .mlops of the project by default.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version.",
)
@click.pass_context
def cli(ctx: click.Context, store: Path | None) -> None:
    """Ask and run what notebooks have recorded: runs, models, pipelines."""
    if store is not None:
        before = os.environ.get("MLOPS_NB_STORE")
        os.environ["MLOPS_NB_STORE"] = str(store.absolute())
        ctx.call_on_close(lambda: _restore_store(before))


def _restore_store(before: str | None) -> None:
    if before is None:
        os.environ.pop("MLOPS_NB_STORE", None)
    else:
        os.environ["MLOPS_NB_STORE"] = before


def join_pairs(words: Sequence[str]) -> list[str]:
    """Write papermill's ``-p NAME VALUE`` as ``-p NAME=VALUE``.

    Parameters
    ----------
    words
        Of a command line.

    Returns
    -------
    list of str
        The same where they are ours already.
    """
    joined: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        joined.append(word)
        if word in ("-p", "--param") and len(rest) > 1 and "=" not in rest[0]:
            name, value, *rest = rest
            joined.append(f"{name}={value}")
    return joined


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; never returns.

    Parameters
    ----------
    arguments
        Words after the name of the program; those of this process by default.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words:
        click.echo(cli.get_help(click.Context(cli, info_name="mlops-nb")), err=True)
        sys.exit(2)
    try:
        code = cli.main(args=join_pairs(words), prog_name="mlops-nb", standalone_mode=False)
    except (MLOpsError, click.ClickException, click.Abort, OSError, KeyboardInterrupt) as error:
        fail(error, "--json" in words)
    sys.exit(code if isinstance(code, int) else 0)

"""Sub-commands about the extension itself: autolog, help."""

from __future__ import annotations

from mlops_nb import api
from mlops_nb.errors import UsageError
from mlops_nb.kernel.commands import Call, Command, make_parser, render_help
from mlops_nb.kernel.parsing import Parser
from mlops_nb.kernel.tables import Message, Shown, Table


def _configure_autolog(parser: Parser) -> None:
    parser.add_argument("state", nargs="?", choices=("status", "on", "off"), default="status")
    parser.add_argument(
        "libraries", nargs="*", metavar="LIBRARY", help="only these: sklearn, torch, files ..."
    )


def _autolog(call: Call) -> Shown:
    state = call.arguments.state
    libraries = call.arguments.libraries
    if state == "on":
        api.arm_autolog(*libraries)
    elif state == "off":
        api.disarm_autolog(*libraries)
    elif libraries:
        raise UsageError("%mlops autolog", f"say on or off for {', '.join(libraries)}")
    if state != "status":
        of = f" of {', '.join(libraries)}" if libraries else ""
        return Message(f"automatic logging{of} is {state}")
    return Table(["library", "state", "reason"], api.autolog_status(), empty="No library is armed.")


def _configure_help(parser: Parser) -> None:
    parser.add_argument("command", nargs="?", metavar="COMMAND", help="one command")


def _help(call: Call) -> Shown:
    name = call.arguments.command
    return Message(render_help() if name is None else make_parser(name).format_help())


COMMANDS = {
    "autolog": Command(_configure_autolog, _autolog, positions=("state", "library")),
    "help": Command(_configure_help, _help, positions=("command", "none")),
}

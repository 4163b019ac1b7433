"""Sub-commands that keep things: snapshot, env."""

from __future__ import annotations

from mlops_nb import api
from mlops_nb.kernel.commands import Call, Command
from mlops_nb.kernel.commands.models import find_variable
from mlops_nb.kernel.commands.runs import flatten
from mlops_nb.kernel.parsing import Parser
from mlops_nb.kernel.tables import Shown, Table


def _configure_snapshot(parser: Parser) -> None:
    parser.add_argument("variable", metavar="VARIABLE", help="frame, series or array")
    parser.add_argument("--name", help="name of the data, the variable's by default")


def _snapshot(call: Call) -> Shown:
    given = call.arguments
    value = find_variable(call.shell.user_ns, given.variable)
    data = api.snapshot_data(value, given.name or given.variable)
    rows = [
        ("name", data.name),
        ("kind", data.kind),
        ("shape", " x ".join(map(str, data.shape))),
        ("bytes", data.size_bytes),
        ("fingerprint", data.fingerprint),
        ("object", data.digest or "not kept, fingerprint only"),
    ]
    return Table(["dataset", "value"], rows)


def _configure_env(parser: Parser) -> None:
    parser.add_argument("--packages", action="store_true", help="list every distribution")


def _env(call: Call) -> Shown:
    snapshot = api.snapshot_environment()
    document = snapshot["document"]
    packages = document.get("packages")
    if call.arguments.packages and packages:
        return Table(["distribution", "version"], read_packages(packages))
    return Table(["environment", "value"], [("digest", snapshot["digest"]), *flatten(document)])


def read_packages(packages: object) -> list[tuple[object, ...]]:
    """Give the distributions of an environment as rows.

    Parameters
    ----------
    packages
        As the environment's document has them: a mapping or a list of mappings.

    Returns
    -------
    list of tuple
        Name and version.
    """
    if isinstance(packages, dict):
        return [
            (name, held.get("version") if isinstance(held, dict) else held)
            for name, held in packages.items()
        ]
    if isinstance(packages, list | tuple):
        return [
            (held.get("name"), held.get("version")) if isinstance(held, dict) else tuple(held)[:2]
            for held in packages
        ]
    return []


COMMANDS = {
    "snapshot": Command(_configure_snapshot, _snapshot, positions=("variable", "none")),
    "env": Command(_configure_env, _env),
}

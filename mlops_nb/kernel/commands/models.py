"""Sub-commands about models: register, models, alias."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from mlops_nb import api
from mlops_nb.errors import NotFoundError, UsageError
from mlops_nb.kernel.commands import Call, Command
from mlops_nb.kernel.parsing import Parser
from mlops_nb.kernel.summaries import short_id
from mlops_nb.kernel.tables import Message, Shown, Table
from mlops_nb.records import ModelVersion, format_time

_OF_IPYTHON = frozenset({"In", "Out", "exit", "quit", "get_ipython", "open"})


def list_variables(names: dict[str, Any]) -> list[str]:
    """List what the user has defined.

    Parameters
    ----------
    names
        The notebook's namespace.

    Returns
    -------
    list of str
        Names of variables, without modules and what IPython itself puts there.
    """
    return [
        name
        for name, value in names.items()
        if not name.startswith("_")
        and name not in _OF_IPYTHON
        and not isinstance(value, ModuleType)
    ]


def find_variable(names: dict[str, Any], path: str) -> Any:
    """Find the object that a user names.

    Parameters
    ----------
    names
        The notebook's variables.
    path
        A variable, or attributes of one: ``grid.best_estimator_``.

    Returns
    -------
    object
        The object.

    Raises
    ------
    NotFoundError
        There is no such variable or attribute.
    """
    first, *attributes = path.split(".")
    if first not in names:
        hint = "Run the cell that defines it first."
        raise NotFoundError("variable", first, list_variables(names), hint)
    value = names[first]
    for name in attributes:
        try:
            value = getattr(value, name)
        except AttributeError as error:
            known = [known for known in dir(value) if not known.startswith("_")]
            raise NotFoundError(
                "attribute", name, known, f"It was looked for in {path!r}."
            ) from error
    return value


def tabulate_versions(versions: list[ModelVersion]) -> Table:
    """List versions of models.

    Parameters
    ----------
    versions
        The versions.

    Returns
    -------
    Table
        One row per version.
    """
    rows = [
        (
            version.name,
            version.version,
            ", ".join(version.aliases),
            version.model_class.rpartition(".")[2] or version.model_class,
            version.flavor,
            version.size_bytes,
            short_id(version.run_id) if version.run_id else "",
            (format_time(version.registered_at) or "")[:19].replace("T", " "),
        )
        for version in versions
    ]
    columns = ["model", "version", "aliases", "class", "flavor", "bytes", "run", "registered (UTC)"]
    return Table(columns, rows, empty="No models yet: %mlops register VARIABLE --name NAME")


def _configure_register(parser: Parser) -> None:
    parser.add_argument("model", metavar="VARIABLE", help="variable that holds the model")
    parser.add_argument("--name", required=True, help="name in the registry")
    parser.add_argument("--alias", help="alias to point at the new version, e.g. champion")
    parser.add_argument("--run", help="run that trained it, where it cannot be told")


def _register(call: Call) -> Shown:
    given = call.arguments
    model = find_variable(call.shell.user_ns, given.model)
    version = api.register_model(model, name=given.name, alias=given.alias, run_id=given.run)
    return tabulate_versions([version])


def _configure_models(parser: Parser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="only the versions of this model")


def _models(call: Call) -> Shown:
    name = call.arguments.name
    versions = api.list_models()
    if name is not None:
        version = api.get_model(name)  # raises with near misses where there is none
        versions = [item for item in versions if item.name == version.name]
    return tabulate_versions(versions)


def _configure_alias(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="registered model")
    parser.add_argument("alias", metavar="ALIAS", help="for example champion")
    parser.add_argument(
        "version", metavar="VERSION", type=int, nargs="?", help="version to point it at"
    )
    parser.add_argument("--delete", action="store_true", help="take the alias away")
    parser.add_argument("--reason", help="why; it stands in the log of changes")


def _alias(call: Call) -> Shown:
    given = call.arguments
    if given.delete == (given.version is not None):
        problem = "a version and --delete" if given.delete else "neither a version nor --delete"
        raise UsageError("%mlops alias", f"{problem} given; expected one of them")
    if given.delete:
        was = api.delete_alias(given.name, given.alias, given.reason).version
        return Message(f"{given.name}@{given.alias} is gone; it was version {was}")
    api.set_alias(given.name, given.alias, given.version, given.reason)
    return Message(f"{given.name}@{given.alias} is now version {given.version}")


COMMANDS = {
    "register": Command(
        _configure_register,
        _register,
        positions=("variable",),
        options=(("--name", "model"), ("--alias", "alias"), ("--run", "run")),
    ),
    "models": Command(_configure_models, _models, positions=("model",)),
    "alias": Command(_configure_alias, _alias, positions=("model", "alias", "none")),
}

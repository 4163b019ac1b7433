"""Tab completion of ``%mlops``: commands, options, runs, models, aliases, variables, notebooks."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mlops_nb import api
from mlops_nb.kernel.commands import NAMES, Command, find_command, make_parser

_LINE = re.compile(r"^\s*(?:[\w.]+\s*=\s*)?(%%?)mlops(?:\s+(?P<rest>.*))?$")
MAX_MATCHES = 100


def complete_line(line: str, names: dict[str, Any]) -> tuple[str, list[str]] | None:
    """Complete the word before the cursor.

    Parameters
    ----------
    line
        The line up to the cursor.
    names
        The notebook's variables.

    Returns
    -------
    tuple or None
        The beginning of the word and its completions; None where the line is no ``%mlops`` line.
    """
    match = _LINE.match(line)
    if match is None or match["rest"] is None:
        return None
    rest = match["rest"]
    fragment = "" if not rest or rest[-1].isspace() else rest.split()[-1]
    try:
        words = shlex.split(rest[: len(rest) - len(fragment)])
    except ValueError:
        return fragment, []  # the cursor stands inside quotes
    found = _suggest(words, fragment, match[1] == "%%", names)
    return fragment, [name for name in found if name.startswith(fragment)][:MAX_MATCHES]


def _suggest(
    words: list[str], fragment: str, cell_magic: bool, names: dict[str, Any]
) -> Iterable[str]:
    if not words:
        return ["run"] if cell_magic else NAMES
    if words[0] not in NAMES:
        return []
    command = find_command(words[0])
    options = list_options(words[0], cell_magic)
    if fragment.startswith("-"):
        return options
    kind = _find_kind(command, words[1:], options)
    return SOURCES[kind](names) if kind in SOURCES else []


def list_options(name: str, cell_magic: bool = False) -> dict[str, bool]:
    """List the options of a sub-command.

    Parameters
    ----------
    name
        The sub-command.
    cell_magic
        Whether for ``%%mlops``.

    Returns
    -------
    dict
        Whether it takes a value, by option.
    """
    parser = make_parser(name, cell_magic and name == "run")
    actions = parser._actions  # noqa: SLF001 - argparse has no public list of its options
    return {text: action.nargs != 0 for action in actions for text in action.option_strings}


def _find_kind(command: Command, words: list[str], options: dict[str, bool]) -> str:
    """Say what the next word names: an option's value or a positional argument."""
    if words and options.get(words[-1]):
        return dict(command.options).get(words[-1], "none")
    position, skip = 0, False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = options.get(word, False)
        else:
            position += 1
    if not command.positions:
        return "none"
    return command.positions[min(position, len(command.positions) - 1)]


def _list_runs(names: dict[str, Any]) -> Iterable[str]:
    runs = api.list_runs(limit=50)
    yield "latest"
    yield from dict.fromkeys(run.name for run in runs if not re.search(r"\s", run.name))
    yield from (run.run_id for run in runs)


def _list_models(names: dict[str, Any]) -> Iterable[str]:
    versions = api.list_models()
    yield from dict.fromkeys(version.name for version in versions)
    for version in versions:
        yield from (f"{version.name}@{alias}" for alias in version.aliases)
        yield f"{version.name}/{version.version}"


def _list_aliases(names: dict[str, Any]) -> Iterable[str]:
    known = [alias for version in api.list_models() for alias in version.aliases]
    return dict.fromkeys([*known, "champion", "challenger"])


def _list_variables(names: dict[str, Any]) -> Iterable[str]:
    from mlops_nb.kernel.commands.models import list_variables

    return list_variables(names)


def _list_notebooks(names: dict[str, Any]) -> Iterable[str]:
    return sorted(
        str(path) for pattern in ("*.ipynb", "*/*.ipynb") for path in Path().glob(pattern)
    )


def _list_metrics(names: dict[str, Any]) -> Iterable[str]:
    return dict.fromkeys(key for run in api.list_runs(limit=50) for key in run.metrics)


def _list_params(names: dict[str, Any]) -> Iterable[str]:
    return dict.fromkeys(key for run in api.list_runs(limit=50) for key in run.params)


def _list_plots(names: dict[str, Any]) -> Iterable[str]:
    yield from (*api.RUN_PLOTS, *api.list_model_plots())
    yield from _list_runs(names)


def _list_drawn(names: dict[str, Any]) -> Iterable[str]:
    yield from _list_variables(names)
    yield from _list_runs(names)


SOURCES: dict[str, Callable[[dict[str, Any]], Iterable[str]]] = {
    "run": _list_runs,
    "model": _list_models,
    "served": _list_models,
    "alias": _list_aliases,
    "variable": _list_variables,
    "notebook": _list_notebooks,
    "metric": _list_metrics,
    "param": _list_params,
    "plot": _list_plots,
    "drawn": _list_drawn,
    "library": lambda _: api.list_autologged(),
    "command": lambda _: NAMES,
    "state": lambda _: ("status", "on", "off"),
}

"""Sub-commands about the text of a notebook: slice."""

from __future__ import annotations

from mlops_nb import api
from mlops_nb.kernel.commands import Call, Command
from mlops_nb.kernel.commands.pipelines import choose_notebook
from mlops_nb.kernel.parsing import Parser
from mlops_nb.kernel.tables import Shown, Table


def _configure_slice(parser: Parser) -> None:
    parser.add_argument("name", help="the variable")
    parser.add_argument("notebook", nargs="?", help="path; the open notebook by default")


def _slice(call: Call) -> Shown:
    found = api.slice_notebook(choose_notebook(call, "%mlops slice"), call.arguments.name)
    rows = [(each.cell, _shorten(each.source), each.reason) for each in found.cells]
    title = f"{found.name}: {len(rows)} of {found.total} code cells"
    return Table(["cell", "begins with", "why"], rows, title)


def _shorten(source: str) -> str:
    first = next((line for line in source.splitlines() if line.strip()), "")
    return first if len(first) <= 60 else f"{first[:57]}..."


COMMANDS = {"slice": Command(_configure_slice, _slice, positions=("variable", "notebook", "none"))}

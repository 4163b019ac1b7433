"""Whether a value was put together by a loop that fits: out-of-fold predictions, for example."""

from __future__ import annotations

import ast
import linecache
from types import FunctionType
from typing import Any

from mlops_nb.autolog.callsites import Tree, parse_text
from mlops_nb.autolog.definitions import FUNCTIONS, binds, last_definition, list_fills
from mlops_nb.autolog.models import KnownModels
from mlops_nb.capture.kinds import Kinds
from mlops_nb.tracking import Run

_MOST_MEMBERS = 200
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_NUMBERS = Kinds(int, float, bool, complex)
_SEQUENCES = Kinds(list, tuple)
_PREDICTS = ("predict", "decision_function", "score_samples", "transform")


def list_loops(node: ast.AST, tree: Tree) -> list[ast.AST]:
    """Give the loops around a node, innermost first, within its function."""
    found: list[ast.AST] = []
    around = tree.parents.get(node)
    while around is not None and not isinstance(around, FUNCTIONS):
        if isinstance(around, (*_LOOPS, *_COMPREHENSIONS)):
            found.append(around)
        around = tree.parents.get(around)
    return found


def find_finished_loop(
    node: ast.Name, tree: Tree, running: set[int]
) -> ast.For | ast.AsyncFor | ast.comprehension | None:
    """Find the loop around a name that binds it, unless that loop is running now."""
    for around in list_loops(node, tree):
        loops: list[Any] = []
        if isinstance(around, (ast.For, ast.AsyncFor)):
            loops = [around]
        elif isinstance(around, _COMPREHENSIONS):
            loops = list(around.generators)
        for loop in loops:
            if binds(loop.target, node.id) and id(around) not in running:
                found: ast.For | ast.AsyncFor | ast.comprehension = loop
                return found
    return None


def find_members(value: Any, known: KnownModels) -> dict[Any, Run]:
    """Give the runs of the models inside a collection, by key where it has keys."""
    if type(value) is dict and len(value) <= _MOST_MEMBERS:
        pairs = list(value.items())
    elif type(value) in _SEQUENCES and len(value) <= _MOST_MEMBERS:
        pairs = list(enumerate(value))
    else:
        return {}
    group: dict[Any, Run] = {}
    for key, member in pairs:
        is_several = type(member) in _SEQUENCES
        if is_several and (
            len(member) > _MOST_MEMBERS or all(type(part) in _NUMBERS for part in member[:2])
        ):
            continue  # predictions or a history, and it may be long
        for part in member if is_several else (member,):
            run = known.find(part)
            if run is not None:
                group[key] = run
                if is_several and type(member[0]) is str:
                    group[member[0]] = run  # [("name", model), ...]
    return group


def number(runs: list[Run]) -> dict[Any, Run]:
    """Give runs by their places in a list, from its end too."""
    backwards = {at - len(runs): run for at, run in enumerate(runs)}
    return backwards | dict(enumerate(runs))


def pair(container: Any, runs: list[Run]) -> dict[Any, Run]:
    """Tell the runs of a loop apart by what it has put into a collection, one thing each time."""
    if type(container) is dict and len(container) == len(runs):
        return dict(zip(container, runs, strict=True))
    if type(container) is list and len(container) == len(runs):
        return number(runs)
    return {}


def gives_pool(function: FunctionType) -> bool:
    """Tell whether a function of the user gives back what a loop of its has put together.

    Parameters
    ----------
    function
        It has run already.

    Returns
    -------
    bool
        Whether a name that it returns is filled with predictions within a loop.
    """
    code = function.__code__
    lines = linecache.getlines(code.co_filename, function.__globals__)
    tree = parse_text("".join(lines)) if lines else None
    node = None if tree is None else tree.functions.get((code.co_name, code.co_firstlineno))
    if tree is None or node is None:
        return False
    returned = [
        each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value
    ]
    names = {
        part.id for value in returned for part in ast.walk(value) if isinstance(part, ast.Name)
    }
    return any(
        list_loops(value, tree) and _is_prediction(value, node)
        for name in names
        for _, value in list_fills(node, name)
    )


def _is_prediction(value: ast.AST, scope: ast.AST) -> bool:
    if isinstance(value, ast.Name):
        value = last_definition(scope, value.id, value.lineno) or value
    return any(
        isinstance(part, ast.Attribute) and part.attr.startswith(_PREDICTS)
        for part in ast.walk(value)
    )

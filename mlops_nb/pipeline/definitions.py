"""What a step is given again instead of carried: imports, definitions, constants."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from mlops_nb.notebook.document import Cell
from mlops_nb.notebook.magics import parse_cell
from mlops_nb.pipeline.graph import Pipeline
from mlops_nb.pipeline.reach import find_words
from mlops_nb.pipeline.settings import Given, select_settings


@dataclass(frozen=True, slots=True)
class Definition:
    """One statement that a step runs again.

    Attributes
    ----------
    names
        What it binds; empty where it is run for what it does.
    code
        The same for sources that differ in layout and comments only.
    source
        As it stands in the notebook.
    is_import
        It binds what was imported.
    """

    names: tuple[str, ...]
    code: str
    source: str
    is_import: bool = False

    @property
    def words(self) -> frozenset[str]:
        """Words of its source."""
        return find_words([self.source])


def list_settings_cells(pipeline: Pipeline, number: int) -> list[tuple[Cell, str]]:
    """List the cells above a step with the lines of them that it runs again.

    Parameters
    ----------
    pipeline
        The plan.
    number
        Position of the step from 0.

    Returns
    -------
    list of (Cell, str)
        Cells that have such lines.
    """
    above = [cell for step in pipeline.steps[:number] for cell in step.cells]
    given = Given()
    found = []
    for cell in [*pipeline.prelude, *above]:
        role = pipeline.roles[cell.index]
        if cell.kind != "code" or role.is_parameters or role.is_injected or role.is_declaring:
            continue
        if cell in pipeline.prelude or role.is_prelude:
            source = select_settings(cell.source, given)
            if source.strip():
                found.append((cell, source))
    return found


def list_definitions(pipeline: Pipeline, number: int) -> tuple[Definition, ...]:
    """List what a step runs again.

    Parameters
    ----------
    pipeline
        The plan.
    number
        Position of the step from 0.

    Returns
    -------
    tuple of Definition
        In notebook order.
    """
    found: list[Definition] = []
    for _, source in list_settings_cells(pipeline, number):
        found += split_statements(source)
    return tuple(found)


def split_statements(source: str) -> list[Definition]:
    """Split a source into statements, each with the names that it binds.

    Parameters
    ----------
    source
        Source of a cell.

    Returns
    -------
    list of Definition
        One for all where it is no Python.
    """
    try:
        tree = parse_cell(source)
    except SyntaxError:
        return [Definition((), source, source)]
    return [
        Definition(
            _find_names(statement),
            ast.dump(statement),
            ast.unparse(statement),
            isinstance(statement, ast.Import | ast.ImportFrom),
        )
        for statement in tree.body
    ]


def _find_names(statement: ast.stmt) -> tuple[str, ...]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return (statement.name,)
    if isinstance(statement, ast.Import | ast.ImportFrom):
        if any(alias.name == "*" for alias in statement.names):
            return ()
        return tuple((alias.asname or alias.name).split(".")[0] for alias in statement.names)
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    names = tuple(target.id for target in targets if isinstance(target, ast.Name))
    return names if len(names) == len(targets) else ()


def find_mentioned(words: Iterable[str], definitions: Iterable[Definition]) -> frozenset[str]:
    """Collect the words of definitions that words mention, and those that these mention.

    Parameters
    ----------
    words
        Words of cells.
    definitions
        What is given to them.

    Returns
    -------
    frozenset of str
        With `words` themselves.
    """
    listed = list(definitions)
    found = set(words)
    waiting = [one for one in listed if one.names]
    while True:
        fresh = [one for one in waiting if found.intersection(one.names)]
        if not fresh:
            return frozenset(found)
        waiting = [one for one in waiting if one not in fresh]
        found |= find_words(one.source for one in fresh)

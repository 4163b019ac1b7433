"""What the result of a step depends on, as parts that can be compared one by one."""

from __future__ import annotations

import ast
import json
import os
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops_nb.notebook.giving import render_parameters
from mlops_nb.notebook.magics import parse_cell
from mlops_nb.pipeline import items
from mlops_nb.pipeline.definitions import (
    Definition,
    find_mentioned,
    list_definitions,
    split_statements,
)
from mlops_nb.pipeline.digests_text import digest_text
from mlops_nb.pipeline.graph import Pipeline
from mlops_nb.pipeline.reach import (
    REACHING_ATTRIBUTES,
    REACHING_NAMES,
    find_words,
    reaches_all,
)
from mlops_nb.pipeline.specification import HISTORY
from mlops_nb.pipeline.state import Component, State

# Changes when what is kept of a step changes, so that old entries are not found.
FORMAT = 2
_ENVIRONMENT = re.compile(r"\b(environ|getenv)\b")
# Seeds count where a step draws; sources of cells are there for tracebacks only.
_NEVER_IN_KEYS = (items.CELLS, items.SEEDS)


@dataclass(frozen=True, slots=True)
class StepSource:
    """What is known of a step before anything runs.

    Attributes
    ----------
    number
        Its position from 0.
    sources
        Its code cells, and for the first step those of the prelude that belong to it.
    definitions
        What it runs again before its first cell.
    words
        Words of its cells, and of the definitions that these mention.
    late
        Names that the first step defines for later ones only.
    code
        Digest by cell; equal for sources that differ in layout and comments only.
    reaches_all
        It may use any variable.
    """

    number: int
    name: str
    sources: tuple[str, ...]
    definitions: tuple[Definition, ...]
    words: frozenset[str]
    late: frozenset[str]
    code: tuple[str, ...]
    reaches_all: bool


def read_sources(pipeline: Pipeline) -> tuple[StepSource, ...]:
    """Read what is known of each step before anything runs.

    Parameters
    ----------
    pipeline
        The plan.

    Returns
    -------
    tuple of StepSource
        In notebook order.
    """
    mentioned = _find_mentions(pipeline)
    return tuple(_read_source(pipeline, n, mentioned) for n in range(len(pipeline.steps)))


def _find_mentions(pipeline: Pipeline) -> frozenset[str]:
    """Collect the words of all statements but imports."""
    statements = [
        one
        for c in pipeline.document.cells
        if c.kind == "code"
        for one in split_statements(c.source)
    ]
    return find_words(one.source for one in statements if not one.is_import)


def _read_source(pipeline: Pipeline, number: int, mentioned: frozenset[str]) -> StepSource:
    step = pipeline.steps[number]
    cells = [cell for cell in step.cells if cell.kind == "code"]
    sources = [cell.source for cell in cells]
    code = [_digest_cell(cell.source, pipeline.roles[cell.index]) for cell in cells]
    late: frozenset[str] = frozenset()
    definitions = list_definitions(pipeline, number)
    if number == 0:
        again = list_definitions(pipeline, 1) if len(pipeline.steps) > 1 else ()
        own, definitions = _split_prelude(pipeline, again)
        sources += [one.source for one in own]
        code += [digest_text(one.code) for one in own]
    words = find_mentioned(find_words(sources), definitions)
    used = [one for one in definitions if not one.names or words.intersection(one.names)]
    is_open = any(map(reaches_all, [*sources, *(one.source for one in used)]))
    if number == 0 and not is_open:
        bound = {name for one in definitions for name in one.names}
        conditions = [one.options.when for one in pipeline.steps if one.options.when is not None]
        asked = bound.intersection(name for each in conditions for name in each.names)
        late = frozenset(bound - words - asked)
        code += [digest_text("asked", name) for name in sorted(asked)]
    # An import that no cell mentions may be there for what it does; others count where used.
    idle = [one for one in definitions if one.is_import and not mentioned.intersection(one.names)]
    code += [digest_text(one.code) for one in (definitions if is_open else [*used, *idle])]
    return StepSource(
        number, step.name, tuple(sources), definitions, words, late, tuple(code), is_open
    )


def _split_prelude(
    pipeline: Pipeline, again: tuple[Definition, ...]
) -> tuple[list[Definition], tuple[Definition, ...]]:
    """Part the prelude into what only the first step runs and what every step runs again."""
    repeated = {one.code for one in again if one.names}
    own: list[Definition] = []
    shared: list[Definition] = []
    for cell in pipeline.prelude:
        role = pipeline.roles[cell.index]
        if cell.kind != "code" or role.is_parameters or role.is_injected or role.is_declaring:
            continue
        for one in split_statements(cell.source):
            (shared if one.code in repeated else own).append(one)
    return own, tuple(shared)


def _digest_cell(source: str, role: Any) -> str:
    try:
        code = ast.dump(parse_cell(source))
    except SyntaxError:
        code = source
    return digest_text(code, str(role.raises_exception))


def find_needed(source: StepSource, state: State, history: bool) -> frozenset[str] | None:
    """Collect the names of a state that a step may use.

    Parameters
    ----------
    source
        The step.
    state
        What there is before it.
    history
        Whether names of IPython's history cross.

    Returns
    -------
    frozenset of str or None
        None where it may use any. A name is among them where a function that is called may use it.
    """
    if source.reaches_all:
        return None
    owners = state.find_owners()
    words = set(source.words)
    waiting = list({id(part): part for part in owners.values()}.values())
    while True:
        # What no name holds is always loaded, and so is what its functions look up.
        fresh = [p for p in waiting if words.intersection(p.names) or _is_pseudo(p)]
        if not fresh:
            break
        waiting = [part for part in waiting if part not in fresh]
        for part in fresh:
            if (REACHING_ATTRIBUTES | REACHING_NAMES).intersection(part.looked_up):
                return None
            words.update(part.names)
            words = set(find_mentioned(words | set(part.looked_up), source.definitions))
    return frozenset(words & set(owners)) | (frozenset(HISTORY) if history else frozenset())


def _is_pseudo(part: Component) -> bool:
    return any(map(items.is_pseudo, part.names))


def compute_parts(
    source: StepSource,
    state: State,
    needed: frozenset[str] | None,
    *,
    pipeline: Pipeline,
    values: Mapping[str, Any],
    kernel_name: str | None,
) -> dict[str, Any]:
    """Give what the key of a step is made of.

    Parameters
    ----------
    source
        The step.
    state
        What there is before it.
    needed
        From `find_needed`.
    pipeline
        The plan.
    values
        Of the parameters.
    kernel_name
        A kernelspec other than this interpreter.

    Returns
    -------
    dict
        JSON types; each part can be named where it has changed.
    """
    owners = state.find_owners()
    words = source.words
    parts: dict[str, Any] = {
        "format": FORMAT,
        "python": [*sys.version_info[:2], platform.machine(), sys.platform, kernel_name or ""],
        "code": list(source.code),
        "inputs": {
            name: part.digest
            for name, part in sorted(owners.items())
            if not name.startswith(_NEVER_IN_KEYS)
            and name not in pipeline.steps[source.number].imports
            and (needed is None or name in needed or items.is_pseudo(name))
        },
    }
    deleted = [n for n in state.deleted if source.reaches_all or n in words]
    if deleted:
        parts["deleted"] = deleted
    step = pipeline.steps[source.number]
    declares = any(cell.index == pipeline.parameters_cell for cell in step.cells)
    if source.number == 0 or declares:
        everything = source.reaches_all or declares
        used = {k: v for k, v in values.items() if everything or k in words}
        parts["parameters"] = {name: render_parameters({name: v}, "") for name, v in used.items()}
    if any(_ENVIRONMENT.search(text) for text in source.sources):
        found = {k: v for k, v in os.environ.items() if k in words or source.reaches_all}
        hidden = ("MLOPS_NB_", "JPY_", "PYTEST_")
        parts["environment"] = {
            name: digest_text(value)
            for name, value in sorted(found.items())
            if not name.startswith(hidden)
        }
    if step.reads_history:
        parts["execution_count"] = state.execution_count
    return parts


def compute_key(parts: Mapping[str, Any]) -> str:
    """Give the key of a step.

    Parameters
    ----------
    parts
        From `compute_parts`.

    Returns
    -------
    str
        BLAKE3 in hex.
    """
    return digest_text(json.dumps(parts, sort_keys=True))

"""What a cell is for: its tags, and comment lines ``#| step: NAME`` as their equal."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Literal

from mlops_nb.errors import NotebookError
from mlops_nb.notebook.declarations import check_declarations
from mlops_nb.notebook.document import Cell, NotebookDocument
from mlops_nb.notebook.foreach import ForeachLoop, check_loop
from mlops_nb.notebook.options import (
    OPTION_WORDS,
    PASSED_WORDS,
    OptionValueError,
    StepOptions,
    attach_loop,
    join_options,
    read_option,
)
from mlops_nb.notebook.spelling import find_near

STEP_NAME = re.compile(r"[A-Za-z_][\w-]*")
# Tags that change what is computed: whoever runs a notebook must say that it honours them.
Feature = Literal["when", "rng"]
_NOTHING: frozenset[Feature] = frozenset()

_ALIASES = {"block": "step", "prev": "after", "pipeline-parameters": "parameters"}
_STEP_WORDS = ("step", "after", "block", "prev")
# A word followed by a colon is compared with these; of Kale's others a near miss says nothing.
_NEAR_VALUE_WORDS = (*_STEP_WORDS, *(word for word in OPTION_WORDS if word != "limit"))
_PLAIN_WORDS = (
    "parameters", "pipeline-parameters", "pipeline-metrics", "injected-parameters", "imports",
    "functions", "skip", "skip-execution", "raises-exception", "foreach",
)  # fmt: skip
# Other tools have tags 'cache', 'image' or 'gpu' of their own; these words mean nothing elsewhere.
_NEVER_BARE = ("step", "after", "when", "retries", "timeout")
_UNHEARD = {
    "when": "is not supported here: without it the step would always run",
    "rng": "asks for other random numbers than the notebook draws, and a pipeline gives the same",
}
_FIXES = {
    "when": "Remove the tag, or run the notebook with 'mlops-nb run', which acts on it.",
    "rng": "Write it into the cell, and the notebook draws the same: "
    "rng = numpy.random.default_rng([SEED, number of the round]).",
}
_DIRECTIVE = re.compile(r"#\|\s*([\w-]+)\s*(?::\s*(.*?))?\s*$")
# What Quarto and knitr mean by comments of these names has nothing to do with us.
_QUARTO_WORDS = ("label", "out", "report")


@dataclass(frozen=True, slots=True)
class CellRole:
    """What tags and directives say about a cell.

    Attributes
    ----------
    step
        The step that the cell starts or continues; None leaves it with the step above.
    after
        Steps that must run before, beyond what the data say.
    is_parameters
        Given values of parameters are set after this cell; of several that declare, the last.
    is_injected
        papermill wrote the cell in an earlier run; its values stand for the defaults.
    is_prelude
        Imports or functions that every step may use.
    is_skipped
        The cell is not part of the pipeline or of an export.
    raises_exception
        An error of the cell is expected and does not end the run.
    is_declaring
        The cell declares parameters.
    is_metrics
        What the cell prints are metrics of the pipeline, as Kale has it.
    options
        What the cell says about how its step shall run.
    """

    step: str | None = None
    after: tuple[str, ...] = ()
    is_parameters: bool = False
    is_injected: bool = False
    is_prelude: bool = False
    is_skipped: bool = False
    raises_exception: bool = False
    is_declaring: bool = False
    is_metrics: bool = False
    options: StepOptions = field(default_factory=StepOptions)


@dataclass(slots=True)
class _Found:
    """Roles gathered from one carrier, tags or directives."""

    steps: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    options: list[StepOptions] = field(default_factory=list)


def read_tags(
    cell: Cell, path: object = "notebook", honours: Collection[Feature] = _NOTHING
) -> CellRole:
    """Read what a cell is for.

    Parameters
    ----------
    cell
        The cell; only code cells have a role.
    path
        The notebook, for error messages.
    honours
        Tags that would change what is computed and that the caller acts on; others are refused.

    Returns
    -------
    CellRole
        Its role; unknown tags are ignored.

    Raises
    ------
    NotebookError
        Where a tag is nearly one of ours, carries a bad name or value, contradicts another one, or
        would change the result in a way that the caller cannot give.
    """
    if cell.kind != "code":
        return CellRole()
    tagged = _gather(cell.tags, cell, path, honours)
    directed = _gather(_read_directives(cell.source), cell, path, honours)
    if tagged.steps and directed.steps and tagged.steps != directed.steps:
        found = f"its tag says step {tagged.steps[0]!r}, its comment says {directed.steps[0]!r}"
        raise NotebookError(path, found, cell.index, "Keep one of the two.")
    steps = list(dict.fromkeys(tagged.steps + directed.steps))
    words = {*tagged.words, *directed.words}
    said = [(cell.index, each) for each in tagged.options + directed.options]
    role = CellRole(
        step=steps[0] if steps else None,
        after=tuple(dict.fromkeys(tagged.after + directed.after)),
        is_parameters="parameters" in words,
        is_injected="injected-parameters" in words,
        is_prelude=bool(words & {"imports", "functions"}),
        is_skipped=bool(words & {"skip", "skip-execution", "injected-parameters"}),
        raises_exception="raises-exception" in words,
        is_declaring="parameters" in words,
        is_metrics="pipeline-metrics" in words,
        options=join_options(path, "the cell", said),
    )
    _check_role(role, steps, cell, path)
    return role


def read_roles(
    document: NotebookDocument, honours: Collection[Feature] = _NOTHING
) -> tuple[CellRole, ...]:
    """Read the roles of all cells of a notebook.

    Parameters
    ----------
    document
        The notebook.
    honours
        As for :func:`read_tags`.

    Returns
    -------
    tuple of CellRole
        One per cell, in order.

    Raises
    ------
    NotebookError
        As :func:`read_tags`; where several cells tagged ``parameters`` are ambiguous, where tags of
        one step contradict each other, and where a cell tagged ``foreach`` holds no loop.
    """
    roles = tuple(read_tags(cell, document.path, honours) for cell in document.cells)
    roles = _choose_parameters(document, roles)
    read_step_options(document, roles)
    return roles


def _choose_parameters(
    document: NotebookDocument, roles: tuple[CellRole, ...]
) -> tuple[CellRole, ...]:
    """Decide after which of the declaring cells given values are set."""
    changed = list(roles)
    found = [i for i, role in enumerate(roles) if role.is_declaring and not role.is_skipped]
    if len(found) > 1:
        inner = range(found[0], found[-1])
        running = [c for c in document.code_cells if c.index in inner]
        between = [c for c in running if not (c.index in found or roles[c.index].is_skipped)]
        check_declarations(document.path, [document.cells[i] for i in found], between)
        for index in found[:-1]:
            changed[index] = replace(roles[index], is_parameters=False)
    injected = [index for index, role in enumerate(roles) if role.is_injected]
    if injected and not found:  # papermill puts it on top where nothing is declared
        changed[injected[0]] = replace(
            roles[injected[0]], is_parameters=True, is_declaring=True, is_skipped=False
        )
    return tuple(changed)


def read_step_options(
    document: NotebookDocument, roles: tuple[CellRole, ...]
) -> dict[str, StepOptions]:
    """Read how each step shall run.

    Parameters
    ----------
    document
        The notebook.
    roles
        The roles of its cells.

    Returns
    -------
    dict
        Options by step, in notebook order; ``main`` where no cell names a step.

    Raises
    ------
    NotebookError
        Where tags of one step contradict each other, where a tag about steps stands above the first
        one, and where a cell tagged ``foreach`` holds no loop.
    """
    cells = [c for c in document.code_cells if not roles[c.index].is_skipped]
    owner = None if any(roles[cell.index].step for cell in cells) else "main"
    said: dict[str, list[tuple[int, StepOptions]]] = {}
    loops: dict[str, ForeachLoop] = {}
    for position, cell in enumerate(cells):
        options = roles[cell.index].options
        owner = roles[cell.index].step or owner
        if owner is None:
            if replace(options, passed=()) != StepOptions():
                found = "it is tagged with options of a step, but stands above the first step"
                hint = "Move the tags to the cell tagged 'step:NAME'."
                raise NotebookError(document.path, found, cell.index, hint)
            continue
        said.setdefault(owner, []).append((cell.index, options))
        if options.is_foreach:
            before = [each.source for each in cells[:position]]
            loops[owner] = check_loop(
                cell.source,
                before,
                cell=cell.index,
                path=document.path,
                is_rng_independent=bool(options.is_rng_independent),
            )
    return {
        name: attach_loop(join_options(document.path, f"step {name!r}", found), loops.get(name))
        for name, found in said.items()
    }


def _read_directives(source: str) -> list[str]:
    """Give the comment directives at the top of a cell as tags."""
    tags = []
    for line in source.splitlines():
        text = line.strip()
        if not text:
            continue
        if not text.startswith("#"):
            break
        match = _DIRECTIVE.match(text)
        if match is None:
            continue
        word, value = match[1], match[2]
        if word in _QUARTO_WORDS:
            continue
        if word == "tags" and value:  # as Quarto and jupytext write lists
            parts = [part.strip().strip("'\"") for part in value.strip("[]").split(",")]
            tags += [part for part in parts if part]
        else:
            tags.append(f"{word}:{value}" if value is not None else word)
    return tags


def _gather(
    tags: tuple[str, ...] | list[str], cell: Cell, path: object, honours: Collection[Feature]
) -> _Found:
    """Sort the tags of one carrier, refusing near misses of ours."""
    found = _Found()
    for tag in tags:
        word, colon, value = (part.strip() for part in tag.partition(":"))
        known = (*_STEP_WORDS, *OPTION_WORDS, *PASSED_WORDS) if colon else _PLAIN_WORDS
        if word not in known:
            _refuse_near(tag, word, bool(colon), value, cell, path)
            continue
        word = _ALIASES.get(word, word)
        if colon and word in ("when", "rng") and word not in honours:
            _read_value(tag, word, value, cell, path)
            found_tag = f"tag {tag!r} {_UNHEARD[word]}"
            raise NotebookError(path, found_tag, cell.index, _FIXES[word])
        if word in ("step", "after"):
            _check_name(value, tag, cell, path)
            (found.steps if word == "step" else found.after).append(value)
        elif colon:
            found.options.append(_read_value(tag, word, value, cell, path))
        elif word == "foreach":
            found.options.append(StepOptions(is_foreach=True))
        else:
            found.words.append(word)
    return found


def _read_value(tag: str, word: str, value: str, cell: Cell, path: object) -> StepOptions:
    """Read the value of an option."""
    try:
        return StepOptions(**read_option(word, value))
    except OptionValueError as error:
        found = f"tag {tag!r} has no valid value; expected {error.expected}"
        raise NotebookError(path, found, cell.index, error.hint) from None


def _refuse_near(
    tag: str, word: str, has_value: bool, value: str, cell: Cell, path: object
) -> None:
    """Refuse a tag that is nearly one of ours; all other unknown tags are let be."""
    if has_value:
        meant = find_near(word, _NEAR_VALUE_WORDS)
        suggestion = f"{meant}:{value}" if meant else None
        if word in _PLAIN_WORDS:
            suggestion = word
    else:
        suggestion = find_near(word, _PLAIN_WORDS)
        if word in _NEVER_BARE:
            suggestion = f"{word}:{'NAME' if word in _STEP_WORDS else 'VALUE'}"
    if suggestion:
        hint = f"Did you mean {suggestion!r}?"
        raise NotebookError(path, f"tag {tag!r} is unknown", cell.index, hint)


def _check_name(name: str, tag: str, cell: Cell, path: object) -> None:
    """Refuse names that cannot be a step's."""
    if not STEP_NAME.fullmatch(name):
        hint = "Step names are letters, digits, '_' and '-', beginning with a letter or '_'."
        raise NotebookError(path, f"tag {tag!r} has no valid step name", cell.index, hint)


def _check_role(role: CellRole, steps: list[str], cell: Cell, path: object) -> None:
    """Refuse roles that contradict one another."""
    if len(steps) > 1:
        found = f"it is tagged for steps {' and '.join(repr(step) for step in steps)}"
        raise NotebookError(path, found, cell.index, "A cell belongs to one step.")
    if role.is_skipped:
        return
    others = [
        name
        for name, is_set in (
            ("'parameters'", role.is_parameters),
            ("'imports' or 'functions'", role.is_prelude),
            (f"'step:{role.step}'", role.step is not None),
        )
        if is_set
    ]
    if len(others) > 1:
        hint = "Parameters, imports and functions serve every step: keep one of the tags."
        found = f"tags {' and '.join(others)} exclude each other"
        raise NotebookError(path, found, cell.index, hint)

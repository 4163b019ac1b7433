"""What a cell is for: its tags, and comment lines ``#| step: NAME`` as their equal."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from mlops_nb.errors import NotebookError
from mlops_nb.notebook.document import Cell, NotebookDocument

STEP_NAME = re.compile(r"[A-Za-z_][\w-]*")

_ALIASES = {"block": "step", "prev": "after", "pipeline-parameters": "parameters"}
# Words with a value after a colon, and words that stand alone.
_VALUE_WORDS = ("step", "after", "block", "prev", "when", "retries", "timeout")
_KEPT_VALUE_WORDS = (
    "cpu", "gpu", "mem", "limit", "cache", "out", "image", "secret", "label", "annotation", "rng",
    "notebook", "report",
)  # fmt: skip
_PLAIN_WORDS = (
    "parameters", "pipeline-parameters", "injected-parameters", "imports", "functions", "skip",
    "skip-execution", "raises-exception", "foreach",
)  # fmt: skip
_FIX_FOR_LATER = "Remove the tag, or use a version of mlops_nb that knows it."
_DIRECTIVE = re.compile(r"#\|\s*([\w-]+)\s*(?::\s*(.*?))?\s*$")


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
        The cell declares the notebook's parameters.
    is_injected
        papermill wrote the cell in an earlier run; its values stand for the defaults.
    is_prelude
        Imports or functions that every step may use.
    is_skipped
        The cell is not part of the pipeline or of an export.
    raises_exception
        An error of the cell is expected and does not end the run.
    options
        Tags of ours that this version carries along without acting on them.
    """

    step: str | None = None
    after: tuple[str, ...] = ()
    is_parameters: bool = False
    is_injected: bool = False
    is_prelude: bool = False
    is_skipped: bool = False
    raises_exception: bool = False
    options: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    """Roles gathered from one carrier, tags or directives."""

    steps: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)


def read_tags(cell: Cell, path: object = "notebook") -> CellRole:
    """Read what a cell is for.

    Parameters
    ----------
    cell
        The cell; only code cells have a role.
    path
        The notebook, for error messages.

    Returns
    -------
    CellRole
        Its role; unknown tags are ignored.

    Raises
    ------
    NotebookError
        Where a tag is nearly one of ours, carries a bad name, contradicts another one, or would
        change the result in a way that this version cannot give.
    """
    if cell.kind != "code":
        return CellRole()
    tagged = _gather(cell.tags, cell, path)
    directed = _gather(_read_directives(cell.source), cell, path)
    if tagged.steps and directed.steps and tagged.steps != directed.steps:
        found = f"its tag says step {tagged.steps[0]!r}, its comment says {directed.steps[0]!r}"
        raise NotebookError(path, found, cell.index, "Keep one of the two.")
    steps = list(dict.fromkeys(tagged.steps + directed.steps))
    words = {*tagged.words, *directed.words}
    role = CellRole(
        step=steps[0] if steps else None,
        after=tuple(dict.fromkeys(tagged.after + directed.after)),
        is_parameters="parameters" in words,
        is_injected="injected-parameters" in words,
        is_prelude=bool(words & {"imports", "functions"}),
        is_skipped=bool(words & {"skip", "skip-execution", "injected-parameters"}),
        raises_exception="raises-exception" in words,
        options=tuple(dict.fromkeys(tagged.options + directed.options)),
    )
    _check_role(role, steps, cell, path)
    return role


def read_roles(document: NotebookDocument) -> tuple[CellRole, ...]:
    """Read the roles of all cells of a notebook.

    Parameters
    ----------
    document
        The notebook.

    Returns
    -------
    tuple of CellRole
        One per cell, in order.

    Raises
    ------
    NotebookError
        As :func:`read_tags`, and where two cells are tagged ``parameters``.
    """
    roles = tuple(read_tags(cell, document.path) for cell in document.cells)
    found = [index for index, role in enumerate(roles) if role.is_parameters]
    if len(found) > 1:
        where = ", ".join(str(index) for index in found)
        hint = "Put all parameters into one cell; papermill sets only the first."
        raise NotebookError(
            document.path, f"cells {where} are all tagged 'parameters'", found[1], hint
        )
    injected = [index for index, role in enumerate(roles) if role.is_injected]
    if injected and not found:  # papermill puts it on top where nothing is declared
        declares = replace(roles[injected[0]], is_parameters=True, is_skipped=False)
        roles = (*roles[: injected[0]], declares, *roles[injected[0] + 1 :])
    return roles


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
        if word == "tags" and value:  # as Quarto and jupytext write lists
            parts = [part.strip().strip("'\"") for part in value.strip("[]").split(",")]
            tags += [part for part in parts if part]
        else:
            tags.append(f"{word}:{value}" if value is not None else word)
    return tags


def _gather(tags: tuple[str, ...] | list[str], cell: Cell, path: object) -> _Found:
    """Sort the tags of one carrier, refusing near misses of ours."""
    found = _Found()
    for tag in tags:
        word, colon, value = (part.strip() for part in tag.partition(":"))
        known = _VALUE_WORDS + _KEPT_VALUE_WORDS if colon else _PLAIN_WORDS
        if word not in known:
            if meant := _find_near(word, bool(colon)):
                suggestion = f"{meant}:{value}" if colon else meant
                raise NotebookError(
                    path, f"tag {tag!r} is unknown", cell.index, f"Did you mean {suggestion!r}?"
                )
            continue
        word = _ALIASES.get(word, word)
        if word == "when" or (word == "rng" and colon):
            found_tag = f"tag {tag!r} is not supported yet by this version"
            raise NotebookError(path, found_tag, cell.index, _FIX_FOR_LATER)
        if word in ("step", "after"):
            _check_name(value, tag, cell, path)
            (found.steps if word == "step" else found.after).append(value)
        elif colon or word == "foreach":
            found.options.append(tag)
        else:
            found.words.append(word)
    return found


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


def _find_near(word: str, has_value: bool) -> str | None:
    """Find the word of ours that a tag seems to misspell."""
    folded = word.casefold().replace("_", "-")
    for known in ("step", "after", "block", "prev", "when") if has_value else _PLAIN_WORDS:
        if folded == known or _is_near(folded, known):
            return known
    return None


def _is_near(word: str, known: str) -> bool:
    """Tell whether a word is one slip of the hand away (two, in long words)."""
    if abs(len(word) - len(known)) > 2 or not word:
        return False
    if len(known) >= 9:
        return _edit_distance(word, known) <= 2
    if len(word) == len(known):
        differing = [index for index in range(len(word)) if word[index] != known[index]]
        if len(differing) == 1:  # 'ship' is a word of its own, 'steo:x' hardly
            return known in ("step", "after", "imports")
        return (
            len(differing) == 2
            and differing[1] == differing[0] + 1
            and word[differing[0]] == known[differing[1]]
            and word[differing[1]] == known[differing[0]]
        )
    return _edit_distance(word, known) == 1


def _edit_distance(one: str, other: str) -> int:
    """Count insertions, deletions and substitutions between two words (Levenshtein 1966)."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, right in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (left != right))
    return row[-1]

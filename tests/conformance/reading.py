"""Reads the notebooks of the suite: a docstring, then cells as editors know them (``# %% [tags]``).

The docstring names the hazard and ends with what to expect::

    Random numbers drawn in two steps come from one stream.

    expected: equal
    expected script: refused: it needs IPython
    fused: second
    params: {"n": 3}

``fused`` lists the steps that run in the kernel of the step before, ``fails: NAME`` the error that the
notebook itself ends with, ``wrong pipelines: CAUSE`` (or ``wrong MODE:``)
a defect that is known. ``twice MODE: REASON`` compares a mode that runs the notebook a second time with
the notebook run twice in its folder. ``# %% file: NAME`` is no cell but a file that lies beside the
notebook.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_nb.notebook.document import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    write_notebook,
)

NOTEBOOKS = Path(__file__).parent / "notebooks"
_CELL = re.compile(r"^# %%(?: \[(?P<tags>[^\n]*)\]| file: (?P<file>\S+))?[^\n]*\n", re.MULTILINE)
_FIELD = re.compile(
    r"^(expected(?: \w+)?|fused|params|fails|wrong \w+|skip \w+|twice \w+): *(.*)$", re.MULTILINE
)
_EQUAL = "equal"


@dataclass(frozen=True, slots=True)
class Section:
    """A cell, or a file beside the notebook."""

    source: str
    tags: tuple[str, ...] = ()
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One notebook of the suite.

    Attributes
    ----------
    hazard
        The sentence that says what could go wrong.
    expected
        ``equal`` or ``refused: PART OF THE MESSAGE``, by mode; under ``""`` for all others.
    fused
        Steps that run in the kernel of the step before; None is not looked at.
    fails
        The error with which the notebook itself ends.
    wrong
        Modes that give a wrong result, each with the cause: a defect to be mended.
    unsuited
        Modes that cannot be asked of this notebook, each with the reason.
    twice
        Modes whose measure is the notebook run twice in its folder, each with the reason.
    """

    name: str
    hazard: str
    sections: tuple[Section, ...]
    expected: dict[str, str]
    params: dict[str, Any] = field(default_factory=dict)
    fused: tuple[str, ...] | None = None
    fails: str | None = None
    wrong: dict[str, str] = field(default_factory=dict)
    unsuited: dict[str, str] = field(default_factory=dict)
    twice: dict[str, str] = field(default_factory=dict)

    def find_own_failure(self, raised: Mapping[int, str]) -> str | None:
        """Name the first error of the notebook itself that its source does not announce.

        Parameters
        ----------
        raised
            Error by position of the cell.

        Returns
        -------
        str or None
            None where all is as announced.
        """
        for index, error in raised.items():
            expected = index < len(self.cells) and (
                "raises-exception" in self.cells[index].tags
                or "#| raises-exception" in self.cells[index].source
            )
            if not expected and error != self.fails:
                return f"the notebook itself fails in cell {index}: {error}"
        return None

    def expect(self, mode: str) -> str:
        """Give what a mode shall give."""
        return self.expected.get(mode, self.expected.get("", _EQUAL))

    def find_known_defect(self, mode: str) -> str:
        """Give the cause of a wrong result that is known; empty where it should be right."""
        return self.wrong.get(mode, "" if mode == "script" else self.wrong.get("pipelines", ""))

    @property
    def cells(self) -> tuple[Section, ...]:
        """Its cells, without files."""
        return tuple(section for section in self.sections if section.file is None)

    def write(self, folder: Path, addition: str = "") -> Path:
        """Write the notebook and its files into a folder.

        Parameters
        ----------
        folder
            Made where it is not there.
        addition
            Put at the end of the last code cell.

        Returns
        -------
        Path
            The notebook.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for section in self.sections:
            if section.file is not None:
                target = folder / section.file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(section.source + "\n", encoding="utf-8")
        nodes = [
            new_markdown_cell(cell.source.replace("# ", ""))
            if "markdown" in cell.tags
            else new_code_cell(cell.source, list(cell.tags))
            for cell in self.cells
        ]
        probe = self._make_probe()
        if addition:
            probe = f"{addition}\n{probe}"
        nodes.append(new_code_cell(probe))
        return write_notebook(new_notebook(nodes), folder / "notebook.ipynb")

    def _make_probe(self) -> str:
        """Write the cell that tells what the names of the last step hold in the end."""
        names = sorted(self._list_last_names())
        watched = ", ".join(f"{name}=lambda: {name}" for name in names)
        return f"import conformance_probe\nconformance_probe.watch({watched})"

    def _list_last_names(self) -> set[str]:
        """List the names that the last step binds, and those that later steps could see."""
        last = [cell for cell in self.cells if any(tag.startswith("step:") for tag in cell.tags)]
        start = self.cells.index(last[-1]) if last else 0
        names: set[str] = set()
        for cell in self.cells[start:]:
            if "skip" in cell.tags or "markdown" in cell.tags:
                continue
            names |= _find_bound(cell.source)
        return names


def _find_bound(source: str) -> set[str]:
    kept = [line for line in source.splitlines() if not re.match(r"\s*[%!]", line)]
    try:
        tree = ast.parse("\n".join(kept))
    except SyntaxError:
        return set()
    found: set[str] = set()
    scopes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    inner = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            found.add(node.id)
        if not isinstance(node, (*scopes, *inner)):
            waiting.extend(ast.iter_child_nodes(node))
    return {name for name in found if not name.startswith("_")}


def read_case(path: Path) -> Case:
    """Read one notebook of the suite.

    Parameters
    ----------
    path
        Its source.

    Returns
    -------
    Case
        What it says.
    """
    text = path.read_text(encoding="utf-8")
    marks = list(_CELL.finditer(text))
    docstring = text[: marks[0].start()].strip().strip('"').strip()
    fields = dict(_FIELD.findall(docstring))
    hazard = " ".join(docstring[: _FIELD.search(docstring).start()].split())  # type: ignore[union-attr]
    sections = []
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        source = text[mark.end() : following.start() if following else len(text)].strip("\n")
        tags = tuple(tag.strip() for tag in (mark["tags"] or "").split(",") if tag.strip())
        sections.append(Section(source, tags, mark["file"]))
    fused = fields.get("fused")
    return Case(
        path.relative_to(NOTEBOOKS).with_suffix("").as_posix(),
        hazard,
        tuple(sections),
        _read_by_mode(fields, "expected"),
        ast.literal_eval(fields.get("params", "{}")),
        None if fused is None else tuple(name for name in re.split(r"[, ]+", fused) if name),
        fields.get("fails"),
        _read_by_mode(fields, "wrong"),
        _read_by_mode(fields, "skip"),
        _read_by_mode(fields, "twice"),
    )


def _read_by_mode(fields: Mapping[str, str], word: str) -> dict[str, str]:
    return {k.removeprefix(word).strip(): v for k, v in fields.items() if k.split()[0] == word}


def list_cases(*groups: str) -> list[Case]:
    """List the notebooks of some groups.

    Parameters
    ----------
    *groups
        Folders; all where none is given.

    Returns
    -------
    list of Case
        By name.
    """
    paths = [path for group in groups or ["*"] for path in NOTEBOOKS.glob(f"{group}/*.py")]
    return [read_case(path) for path in sorted(paths)]

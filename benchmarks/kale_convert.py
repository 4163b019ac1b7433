"""Turns notebooks of the conformance suite into those that Kale reads, tags and all.

Kale gets what its documentation asks for: step names in lower case, each step after the one above
it, cells for all steps tagged as such, comments ``#| step: x`` as tags. A plain word that it does
not know is dropped, where the notebook means the same without it. What changes the meaning stays
as it stands, and Kale may refuse it.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

from tests.conformance.reading import Case, Section

_OURS = {"block": "step", "after": "prev"}
_PLAIN = {
    "imports": "imports", "functions": "functions", "skip": "skip", "skip-execution": "skip",
    "parameters": "pipeline-parameters", "pipeline-parameters": "pipeline-parameters",
    "pipeline-metrics": "pipeline-metrics",
}  # fmt: skip
# Without it the notebook fails where its error is expected: it stands.
_MEANS_SOMETHING = ("raises-exception",)
_FOR_ALL_STEPS = ("imports", "functions", "pipeline-parameters", "pipeline-metrics")
_COMMENTS = (*_PLAIN, *_MEANS_SOMETHING, *_OURS, "step", "prev", "when")
_DIRECTIVE = re.compile(rf"#\|\s*({'|'.join(_COMMENTS)})\s*(?::\s*(.*?))?\s*$")


class _Names:
    """Kale's names of steps: lower case, and two names of ours never become one."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def convert(self, name: str) -> str:
        """Give Kale's form of a name."""
        if name not in self._known:
            wanted = re.sub(r"[^a-z0-9_]", "_", name.lower())
            if not re.match(r"[a-z_]", wanted) or wanted in _PLAIN:
                wanted = f"step_{wanted}"
            taken = {*self._known.values()}
            while wanted in taken:
                wanted += "_2"
            self._known[name] = wanted
        return self._known[name]


def read_tags(cell: Section) -> list[str]:
    """Give the tags of a cell and those that stand in comments at its top, without repeats."""
    tags = list(cell.tags)
    for line in cell.source.splitlines():
        if found := _DIRECTIVE.match(line.strip()):
            tags.append(f"{found[1]}:{found[2]}" if found[2] else found[1])
        elif line.strip():
            break
    return list(dict.fromkeys(tags))


def convert(case: Case) -> list[tuple[str, list[str]]]:
    """Give source and tags of each cell for Kale; cells of text have the tag ``markdown``."""
    names = _Names()
    found: list[tuple[str, list[str]]] = []
    steps: list[str] = []
    for cell in case.cells:
        tags = []
        for tag in read_tags(cell):
            word, mark, value = tag.partition(":")
            word = _OURS.get(word, word)
            if word in ("step", "prev") and mark:
                tags.append(f"{word}:{names.convert(value)}")
            elif mark or word in _MEANS_SOMETHING or word == "markdown":
                tags.append(tag)
            elif word in _PLAIN:
                tags = [_PLAIN[word], *tags]
        own = [tag.removeprefix("step:") for tag in tags if tag.startswith("step:")]
        if own and own[0] not in steps:
            above = f"prev:{steps[-1]}" if steps else ""
            if above and above not in tags:
                tags.append(above)
            steps.append(own[0])
        found.append((cell.source, tags))
    _own_what_leads(found, has_steps=bool(steps))
    return found


def _own_what_leads(cells: list[tuple[str, list[str]]], *, has_steps: bool) -> None:
    """Tag the cells above the first tag, which Kale drops: a person would tag them as well."""
    for source, tags in cells:
        if "markdown" in tags or "skip" in tags:
            continue
        if not has_steps and not {*tags} & {*_FOR_ALL_STEPS}:
            tags.append("step:main")
            return
        if has_steps and tags:
            return
        if not tags and has_steps and _only_prepares(source):
            tags.append("imports")


def _only_prepares(source: str) -> bool:
    """Whether a cell holds imports, functions, classes and literals, and nothing else."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return False
    for node in tree.body:
        if isinstance(node, ast.Assign):
            try:
                ast.literal_eval(node.value)
            except ValueError:
                return False
        elif not isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef):
            return False
    return True


def find_owners(cells: list[tuple[str, list[str]]]) -> dict[int, str]:
    """Tell which step, or which block for all steps, Kale counts each cell of code to."""
    owners: dict[int, str] = {}
    current = ""
    for number, (_, tags) in enumerate(cells):
        if "markdown" in tags or "skip" in tags:
            continue
        own = [tag.removeprefix("step:") for tag in tags if tag.startswith("step:")]
        special = [tag for tag in tags if tag in _FOR_ALL_STEPS]
        current = (special or own or [current])[0]
        if current:
            owners[number] = current
    return owners


def write(case: Case, folder: Path) -> Path:
    """Write the notebook for Kale, and the files beside it, into a folder."""
    path = case.write(folder)
    node = json.loads(path.read_text(encoding="utf-8"))
    # The cell at the end that tells the values has no tag: it belongs to the last step.
    for cell, (_, tags) in zip(node["cells"], convert(case), strict=False):
        cell["metadata"]["tags"] = [tag for tag in tags if tag != "markdown"]
    path.write_text(json.dumps(node), encoding="utf-8")
    return path

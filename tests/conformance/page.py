"""Writes the page of results that the documentation shows."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby

from tests.conformance.judging import Verdict
from tests.conformance.modes import MODES
from tests.conformance.reading import Case

_VERSIONS = ("papermill", "nbclient", "ipykernel", "ipython", "numpy", "pandas", "scikit-learn", "torch", "polars")  # fmt: skip
_HEAD = """\
# Conformance

Each notebook of `tests/conformance/notebooks` is a hazard in ordinary clothes. It is run top to bottom by nbclient, and
then by each of the modes below. Equal means: every cell printed, showed and raised the same, the names of the last step
hold the same values with the same sharing, the folder holds the same files; figures are compared by pixels, floats
exactly. Refused means: refused as the notebook states, before anything ran.

An empty field was not run: a full run fills them all, a sample runs `cold`, `script` and one mode more of each notebook.
This page is written by `make conformance`; do not edit it. Another page tells what
[Kale makes of the same notebooks](conformance-kale.md).
"""


def write_page(
    cases: list[Case],
    results: Mapping[str, Mapping[str, Verdict]],
    took_s: float,
    commits: Sequence[str] = (),
) -> str:
    """Write the page.

    Parameters
    ----------
    cases
        All notebooks.
    results
        Verdict by notebook and mode.
    took_s
        How long the runs took, one after the other.
    commits
        The code that they were made with, oldest first.

    Returns
    -------
    str
        Markdown.
    """
    modes = [mode for mode in MODES if any(mode in found for found in results.values())]
    made = sum(len(found) for found in results.values())
    facts = _write_facts(len(cases), made, took_s, commits)
    lines = [_HEAD, facts, _write_modes(modes, results)]
    for group, members in groupby(cases, key=lambda case: case.name.partition("/")[0]):
        lines.append(f"## {group}\n")
        lines.append(f"| notebook | hazard | {' | '.join(modes)} |")
        lines.append("| --- | --- |" + " --- |" * len(modes))
        for case in members:
            name = case.name.partition("/")[2]
            words = " | ".join(_write_cell(results.get(case.name, {}).get(mode)) for mode in modes)
            lines.append(f"| {name} | {_escape(case.hazard)} | {words} |")
        lines.append("")
    lines.append(_write_notes(cases, results))
    return "\n".join(lines).rstrip("\n") + "\n"


def _write_facts(count: int, made: int, took_s: float, commits: Sequence[str]) -> str:
    versions = []
    for name in _VERSIONS:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    known = [commit for commit in commits if commit]
    code = f" Commit {' to '.join(dict.fromkeys([known[0], known[-1]]))}." if known else ""
    return (
        f"{day}, {platform.system()}, Python {platform.python_version()}, {', '.join(versions)}. "
        f"{count} notebooks, {made} of "
        f"{count * len(MODES)} results, {took_s / 60:.0f} minutes of work.{code}\n"
    )


def _write_modes(modes: list[str], results: Mapping[str, Mapping[str, Verdict]]) -> str:
    lines = [
        "| mode | what runs | equal | refused | WRONG | not asked |",
        "| --- | --- |" + " --- |" * 4,
    ]
    for mode in modes:
        words = Counter(found[mode].word for found in results.values() if mode in found)
        told = " ".join((MODES[mode].__doc__ or "").split()).rstrip(".")
        counts = " | ".join(str(words[word]) for word in ("equal", "refused", "WRONG", "-"))
        lines.append(f"| {mode} | {told} | {counts} |")
    return "\n".join([*lines, ""])


def _write_cell(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    return f"**{verdict.word}**" if not verdict.is_right else verdict.word


def _write_notes(cases: list[Case], results: Mapping[str, Mapping[str, Verdict]]) -> str:
    lines = ["## What is refused, wrong or compared otherwise\n"]
    for case in cases:
        for mode, verdict in results.get(case.name, {}).items():
            if mode in case.twice:
                told = f"compared with the notebook run twice in its folder, {case.twice[mode]}"
                lines.append(f"* {case.name}, {mode}: {_escape(told)}.")
            if verdict.word == "-":
                lines.append(f"* {case.name}, {mode}: not asked, {_escape(verdict.detail)}.")
            elif verdict.word == "refused":
                stated = case.expect(mode).removeprefix("refused:").strip()
                # Where it lay for this run is nothing to the reader.
                stated = stated or re.sub(
                    r"'[^']*/notebook\.ipynb'", "the notebook", verdict.detail
                )
                lines.append(f'* {case.name}, {mode}: refused, "{_escape(stated)}".')
            elif not verdict.is_right:
                known = case.find_known_defect(mode)
                told = f"{known}: {verdict.detail}" if known else verdict.detail
                lines.append(f"* **{case.name}, {mode}**: {_escape(told[:400])}")
    return "\n".join(lines)


def _escape(text: str) -> str:
    plain = " ".join(text.split())
    for mark in ("\\", "|", "*", "_", "<", "`"):
        plain = plain.replace(mark, f"\\{mark}")
    return plain

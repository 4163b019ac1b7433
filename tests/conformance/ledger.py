"""Keeps verdicts as lines of JSON while they are made, so that a run that was stopped goes on."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.conformance.judging import Verdict
from tests.conformance.modes import ROOT
from tests.conformance.reading import NOTEBOOKS


@dataclass(frozen=True, slots=True)
class Line:
    """One verdict.

    Attributes
    ----------
    source
        Digest of the notebook: a verdict on another one does not count.
    commit
        The code that it was made with.
    """

    name: str
    mode: str
    word: str
    detail: str
    took_s: float
    source: str
    commit: str

    @property
    def verdict(self) -> Verdict:
        """What came of it."""
        return Verdict(self.word, self.detail)


def read_commit() -> str:
    """Name the code that runs; empty outside a repository."""
    asked = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def digest_source(name: str) -> str:
    """Give the digest of a notebook of the suite."""
    return hashlib.sha256((NOTEBOOKS / f"{name}.py").read_bytes()).hexdigest()[:16]


def write_line(path: Path, line: Line) -> None:
    """Add a verdict; several processes may do so at once."""
    data = (json.dumps(asdict(line)) + "\n").encode()
    target = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(target, data)
    finally:
        os.close(target)


def read_lines(path: Path) -> dict[tuple[str, str], Line]:
    """Read the newest verdict of each notebook and mode; a line that was cut off does not count."""
    found: dict[tuple[str, str], Line] = {}
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            line = Line(**json.loads(text))
        except ValueError:
            continue
        known = (NOTEBOOKS / f"{line.name}.py").exists()
        if known and line.source == digest_source(line.name):
            found[line.name, line.mode] = line
    return found

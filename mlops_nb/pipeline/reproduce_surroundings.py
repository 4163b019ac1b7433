"""What a run ran in, compared with today: packages, Python, machine, threads, the code around."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_nb.capture.git import capture_git
from mlops_nb.environment import diff_environments
from mlops_nb.notebook.magics import to_python
from mlops_nb.records import RunDifference
from mlops_nb.tracking.code import RunCode

# They tell where it was, not what it did; and of the diff only whether it is another.
_PLACES = frozenset({"prefix", "executable"})
_MOST_PACKAGES = 200


def compare_environments(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[list[RunDifference], list[str]]:
    """Compare two documents of the environment.

    Parameters
    ----------
    before, after
        Of the run, and of its reproduction; None where none was kept.

    Returns
    -------
    differences : list of RunDifference
        All of them.
    unchecked : list of str
        In words.
    """
    if before is None:
        return [], ["the environment: it was not recorded"]
    if after is None:
        return [], ["the environment: that of the reproduction was not recorded"]
    found = [
        RunDifference(group, key, left, right)
        for group, key, left, right in diff_environments(before, after)
        if not (group == "python" and key in _PLACES)
    ]
    return found, []


def write_command(before: Mapping[str, Any] | None, found: list[RunDifference]) -> str:
    """Give the command that installs the packages that a run had, where others are here.

    Parameters
    ----------
    before
        The environment document of the run.
    found
        From `compare_environments`.

    Returns
    -------
    str
        For a shell; empty where no package is another.
    """
    changed = [each for each in found if each.group == "packages"]
    if before is None or not changed:
        return ""
    origins = before.get("origins") or {}
    wanted = [
        f"{each.key}=={each.before}"
        for each in changed
        if each.before is not None and each.key not in origins
    ]
    if not wanted:
        return ""
    version = ".".join(str(before.get("python", {}).get("version", "3")).split(".")[:2])
    # Whoever copies it has perhaps got the run from somebody else.
    python, words = shlex.quote(f"python{version}"), map(shlex.quote, wanted[:_MOST_PACKAGES])
    return f"{python} -m venv as-it-was && as-it-was/bin/pip install {' '.join(words)}"


def compare_code(
    code: RunCode, document: Mapping[str, Any] | None, folder: Path
) -> tuple[list[RunDifference], list[str]]:
    """Compare the code around, which cells import, with today's.

    Parameters
    ----------
    code
        What ran.
    document
        The state of its repository then; None where there was none.
    folder
        Of the notebook.

    Returns
    -------
    differences : list of RunDifference
        Of the repository.
    unchecked : list of str
        Modules beside the notebook of which nothing tells that they are the same.
    """
    local = find_local_modules(code, folder)
    named = ", ".join(local)
    if document is None:
        said = f"the modules {named}: they were in no repository, so they were not recorded"
        return [], [said] if local else []
    now = capture_git(folder)
    found = []
    for key in ("commit", "diff", "untracked"):
        before, after = document.get(key), now.get(key)
        if before == after:
            continue
        if key != "commit":  # whole patches: that they differ is what can be read
            before, after = "as recorded", "another"
        found.append(RunDifference("code", key, before, after))
    if not (found and local):
        return found, []
    commit = document.get("commit")
    return found, [f"the modules {named}: the repository has changed (then: git checkout {commit})"]


def find_local_modules(code: RunCode, folder: Path) -> list[str]:
    """Name the modules beside a notebook that its code imports.

    Parameters
    ----------
    code
        What ran.
    folder
        Of the notebook.

    Returns
    -------
    list of str
        Top-level names, sorted.
    """
    found: set[str] = set()
    for source in [code.source, *(cell["source"] for cell in code.cells)]:
        try:
            tree = ast.parse(to_python(source))
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for top in (name.partition(".")[0] for name in names):
                if (folder / f"{top}.py").is_file() or (folder / top).is_dir():
                    found.add(top)
    return sorted(found)

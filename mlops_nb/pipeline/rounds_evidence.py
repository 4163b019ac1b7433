"""Whether rounds that ran at once touched what others of them used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

from mlops_nb.pipeline.rounds_guard import read_changed

Files = Mapping[str, tuple[int, int]]
# What a process says of a file that it has read and then changed; others must not have used it.
_OWN_CHANGE = "it changes "


def find_conflict(reports: Sequence[Mapping[str, Any]], folders: Sequence[Path]) -> str:
    """Find what keeps rounds from having run at once.

    Parameters
    ----------
    reports
        What each process did, as `tracing.finish` tells it.
    folders
        Of their journals.

    Returns
    -------
    str
        Empty where there is nothing.
    """
    for report in reports:
        if report.get("draws"):
            return "a round draws from the random generators that all share"
        for reason in report.get("outside", ()):
            if not reason.startswith(_OWN_CHANGE):
                return f"in a round {reason}"
    written = [
        set(report.get("writes", ())) & {*read_changed(folder)}
        for report, folder in zip(reports, folders, strict=True)
    ]
    for one, other in permutations(range(len(reports)), 2):
        shared = written[one] & (written[other] | set(reports[other].get("reads", ())))
        if shared:
            return f"several rounds use the file {min(shared)!r}"
        listed = {str(Path(path).parent) for path in written[one]}
        listed &= set(reports[other].get("lists", ()))
        if listed:
            return f"a round lists the folder {min(listed)!r}, in which others write"
    return ""


def find_unseen(before: Files | None, after: Files | None, folders: Sequence[Path]) -> str:
    """Find a file that was changed in a way that leaves no trace.

    Parameters
    ----------
    before, after
        From `rounds_guard.read_folder`.
    folders
        Of the journals.

    Returns
    -------
    str
        Empty where there is none.
    """
    if before is None or after is None:
        return "its folder has too many files to look at"
    known = {path for folder in folders for path in read_changed(folder)}
    changed = {p for p in {*before, *after} if before.get(p) != after.get(p)} - known
    return f"{min(changed)!r} is written in a way that nobody can see" if changed else ""

"""Whether two steps may run at the same time, decided by what they were seen to do before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_nb.pipeline import filestate, items
from mlops_nb.pipeline.context import Context
from mlops_nb.pipeline.keys import find_needed
from mlops_nb.pipeline.resolving import Resolver
from mlops_nb.pipeline.state import State


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a step did when the same code ran last.

    Attributes
    ----------
    changed
        Names that it made, changed or deleted.
    """

    number: int
    name: str
    changed: frozenset[str]
    reads: frozenset[str]
    writes: frozenset[str]
    lists: frozenset[str]
    searches: frozenset[str]
    draws: bool


def read_evidence(
    resolver: Resolver, number: int, record: Mapping[str, Any] | None = None
) -> Evidence | None:
    """Read what a step was seen to do.

    Parameters
    ----------
    resolver
        Of the run.
    number
        Position of the step from 0.
    record
        Of this run; the last one of any run by default.

    Returns
    -------
    Evidence or None
        None where the code has changed since, where it shared a kernel, acted on the world outside
        its folder, or ended the notebook.
    """
    context = resolver.context
    source = context.sources[number]
    if record is None:
        record = resolver.cache.read_latest(context.pipeline.path, source.name)
    if record is None or record["code"] != list(source.code) or len(record["chain"]) != 1:
        return None
    if record["outside"] or record["has_exited"]:
        return None
    conditions = record["conditions"]
    return Evidence(
        number,
        source.name,
        frozenset([*record["changed"], *record["deleted"]]),
        frozenset(conditions["reads"]),
        frozenset(record["writes"]),
        frozenset(conditions["lists"]),
        frozenset(conditions.get("searches", ())),
        bool(record["draws"]),
    )


def find_conflict(context: Context, state: State, above: Evidence, below: Evidence) -> str:
    """Find what keeps a step from running before one above it has ended.

    Parameters
    ----------
    context
        Of the run.
    state
        What the step below would begin with.
    above, below
        What they were seen to do.

    Returns
    -------
    str
        Empty where there is nothing.
    """
    step = context.pipeline.steps[below.number]
    if above.name in step.after:
        return f"it comes after {above.name}"
    source = context.sources[below.number]
    needed = find_needed(source, state, context.history)
    changed = {name for name in above.changed if not name.startswith(items.CELLS)}
    if items.SEEDS in changed or above.draws:
        if below.draws:
            return f"both {above.name} and it draw random numbers"
        changed.discard(items.SEEDS)
    around = sorted(name for name in changed if items.is_pseudo(name))
    if around:
        return f"{above.name} changes {around[0]}"
    if needed is None and changed:
        return f"it may use anything that {above.name} makes"
    changed -= step.imports  # the same module, whoever has imported it first
    used = sorted(changed & (source.words | (needed or frozenset())))
    if used:
        return f"{above.name} changes {used[0]}"
    return _find_shared_file(above, below)


def _find_shared_file(above: Evidence, below: Evidence) -> str:
    files = (above.writes & (below.reads | below.writes)) | (below.writes & above.reads)
    if files:
        return f"both use the file {sorted(files)[0]!r}"
    for first, second in ((above.writes, below.lists), (below.writes, above.lists)):
        shared = {str(Path(path).parent) for path in first} & second
        if shared:
            return f"both use the folder {sorted(shared)[0]!r}"
    for first, second in ((above.writes, below.searches), (below.writes, above.searches)):
        modules = [path for path in first if path.endswith(filestate.MODULES)]
        if second.intersection(str(folder) for path in modules for folder in Path(path).parents):
            return f"{modules[0]!r} may be imported"
    return ""

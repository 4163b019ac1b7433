"""Which steps a person wants executed: ``--from``, ``--to``, ``--only``, ``--force``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mlops_nb.errors import InvalidValueError, near_misses
from mlops_nb.pipeline.graph import Pipeline


@dataclass(frozen=True, slots=True)
class Selection:
    """Steps by how they are treated.

    Attributes
    ----------
    forced
        Executed whatever the cache has.
    left_out
        Not run at all.
    cached_only
        Must come from the cache.
    """

    forced: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    cached_only: frozenset[str] = frozenset()


def select_steps(
    pipeline: Pipeline,
    force: Collection[str] | bool = (),
    start_at: str | None = None,
    stop_at: str | None = None,
    only: str | None = None,
) -> Selection:
    """Read what a person wants executed.

    Parameters
    ----------
    pipeline
        The plan.
    force, start_at, stop_at, only
        As `runner.run` takes them.

    Returns
    -------
    Selection
        Steps by name.

    Raises
    ------
    InvalidValueError
        A name is no step, or the wishes contradict each other.
    """
    names = [step.name for step in pipeline.steps]
    asked = [*(() if isinstance(force, bool) else force), start_at, stop_at, only]
    for name in asked:
        if name is not None and name not in names:
            near = near_misses(name, names)
            hint = f"Did you mean {near[0]!r}?" if near else ""
            raise InvalidValueError("step", name, f"one of {', '.join(names)}", hint)
    if only is not None and (start_at is not None or stop_at is not None):
        raise InvalidValueError("only", only, "no --from and no --to beside it")
    forced = set(names) if force is True else set(force or ())
    left_out: set[str] = set()
    cached_only: set[str] = set()
    if only is not None:
        position = names.index(only)
        forced.add(only)
        left_out |= set(names[position + 1 :])
        cached_only |= set(names[:position])
    if start_at is not None:
        forced |= set(names[names.index(start_at) :])
    if stop_at is not None:
        left_out |= set(names[names.index(stop_at) + 1 :])
        if start_at is not None and names.index(start_at) > names.index(stop_at):
            raise InvalidValueError("from", start_at, f"a step not after {stop_at!r}")
    return Selection(frozenset(forced), frozenset(left_out), frozenset(cached_only))

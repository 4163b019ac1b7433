"""How big what crosses between steps was when it was made last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops_nb.pipeline.cache import StepCache
from mlops_nb.pipeline.graph import Pipeline
from mlops_nb.store import Store


@dataclass(frozen=True, slots=True)
class Crossing:
    """Values that cross together, because they share something, or one that crosses alone.

    Attributes
    ----------
    names
        As the notebook calls them.
    size_bytes
        Of all of them, as they are kept; what others share with them is counted too.
    """

    names: tuple[str, ...]
    size_bytes: int


def measure_crossings(pipeline: Pipeline, store: Store) -> dict[str, tuple[Crossing, ...]]:
    """Tell how big the values that leave each step were in the last run; none of them is loaded.

    Parameters
    ----------
    pipeline
        The plan.
    store
        Has the results of earlier runs.

    Returns
    -------
    dict
        What leaves a step for a later one, by step. Values that no run has made, or that could not
        be kept, are left out.
    """
    if not (store.root / "steps").is_dir():
        return {}
    leaving: dict[str, set[str]] = {}
    for edge in pipeline.edges:
        leaving.setdefault(edge.source, set()).update(edge.names)
    made = _read_last(pipeline, StepCache(store))
    return {
        step: tuple(
            Crossing(names, part["size_bytes"])
            for part in made[step]
            if (names := tuple(name for name in part["names"] if name in wanted))
        )
        for step, wanted in leaving.items()
        if step in made
    }


def _read_last(pipeline: Pipeline, cache: StepCache) -> dict[str, list[Mapping[str, Any]]]:
    """Give what there was after each step; steps that ran in one kernel have left one state."""
    records = [cache.read_latest(pipeline.path, step.name) for step in pipeline.steps]
    found = sorted((r for r in records if r is not None), key=lambda record: record["created_at"])
    return {
        entry["step"]: record["state"]["components"]
        for record in found
        for entry in record["chain"]
    }

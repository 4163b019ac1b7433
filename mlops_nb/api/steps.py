"""Verbs on what steps have made before: what a run would do and why, the cache."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_nb.api.places import get_store, read_store
from mlops_nb.config import load_settings

if TYPE_CHECKING:
    from mlops_nb.pipeline import Forecast
    from mlops_nb.pipeline.cache_upkeep import CacheCollection, CacheStats


def foresee_pipeline(
    notebook: str | Path,
    params: Mapping[str, Any] | None = None,
    *,
    force: Collection[str] | bool = (),
    start_at: str | None = None,
    stop_at: str | None = None,
    only: str | None = None,
    start: Path | None = None,
) -> tuple[Forecast, ...]:
    """Say what `run_pipeline` would do with each step; nothing is executed.

    Parameters
    ----------
    notebook, params, force, start_at, stop_at, only
        As for `run_pipeline`.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    tuple of Forecast
        Name, status (``cached``, ``runs``, ``depends``, ``skipped``) and reason of each step.

    Raises
    ------
    NotebookError, PipelineError, ParameterError, ParameterNotFoundError, InvalidValueError
        The run would be refused.
    """
    from mlops_nb import pipeline

    path = Path(notebook)
    return pipeline.foresee(
        path,
        params=dict(params or {}),
        store=read_store(start),
        settings=load_settings(path.absolute().parent),
        force=force,
        start_at=start_at,
        stop_at=stop_at,
        only=only,
    )


def explain_step(
    notebook: str | Path, step: str, params: Mapping[str, Any] | None = None
) -> Forecast:
    """Say why a step would run again, or when its result was made.

    Parameters
    ----------
    notebook, params
        As for `run_pipeline`.
    step
        Its name.

    Returns
    -------
    Forecast
        With the reason.

    Raises
    ------
    InvalidValueError
        There is no such step.
    """
    from mlops_nb import pipeline

    return pipeline.find_forecast(foresee_pipeline(notebook, params), step)


def get_cache_stats() -> CacheStats:
    """Count what the cache of steps holds.

    Returns
    -------
    CacheStats
        Results, files of values, bytes, and runs that use it now.
    """
    from mlops_nb.pipeline import cache_upkeep
    from mlops_nb.pipeline.cache import StepCache

    return cache_upkeep.read_stats(StepCache(get_store()))


def clear_cache() -> CacheCollection:
    """Remove every result of a step.

    Returns
    -------
    CacheCollection
        What was removed.

    Raises
    ------
    StoreError
        A run uses the cache.
    """
    from mlops_nb.pipeline import cache_upkeep
    from mlops_nb.pipeline.cache import StepCache

    return cache_upkeep.clear_cache(StepCache(get_store()))


def collect_cache(max_bytes: int | None = None) -> CacheCollection:
    """Remove values that no result names, and results that were not used for longest.

    Parameters
    ----------
    max_bytes
        What may stay; any number of results by default.

    Returns
    -------
    CacheCollection
        What was removed; nothing while a run uses the cache.
    """
    from mlops_nb.pipeline import cache_upkeep
    from mlops_nb.pipeline.cache import StepCache

    return cache_upkeep.collect_cache(StepCache(get_store()), max_bytes)

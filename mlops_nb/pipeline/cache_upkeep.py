"""Keeps the cache of steps small: counts it, removes what was not used for longest."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlops_nb.errors import InvalidValueError, StoreError
from mlops_nb.pipeline.cache import StepCache
from mlops_nb.pipeline.contentfile import find_file
from mlops_nb.pipeline.locking import is_locked, lock_file
from mlops_nb.pipeline.standalone import prune

_UPKEEP = "upkeep"


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What the cache of steps holds.

    Attributes
    ----------
    records
        Results of steps.
    components
        Files with values that cross between steps.
    size_bytes
        Of both. Executed notebooks and files that steps have written are objects of the store.
    runs
        Runs that use it now.
    """

    records: int
    components: int
    size_bytes: int
    runs: int


@dataclass(frozen=True, slots=True)
class CacheCollection:
    """What was removed.

    Attributes
    ----------
    is_in_use
        A run uses the cache: nothing was removed.
    """

    records: int = 0
    components: int = 0
    freed_bytes: int = 0
    is_in_use: bool = False


@contextlib.contextmanager
def pin_cache(cache: StepCache) -> Iterator[None]:
    """Keep everything that the cache holds while the block runs.

    Parameters
    ----------
    cache
        The cache.

    Yields
    ------
    None
        Whoever collects meanwhile removes nothing; a process that dies lets go.
    """
    pins = cache.folder / "pins"
    pins.mkdir(exist_ok=True)
    own = pins / f"{os.getpid()}.{secrets.token_hex(4)}"
    with contextlib.ExitStack() as stack:
        with lock_file(cache.folder / _UPKEEP):  # not while a collection goes on
            stack.enter_context(lock_file(own))
        yield
    own.unlink(missing_ok=True)


def read_stats(cache: StepCache) -> CacheStats:
    """Count what the cache holds.

    Parameters
    ----------
    cache
        The cache.

    Returns
    -------
    CacheStats
        Numbers and bytes.
    """
    records, components = _list_records(cache), _list_components(cache)
    size = sum(map(_get_size, [*records, *components]))
    return CacheStats(len(records), len(components), size, _count_pins(cache))


def collect_cache(cache: StepCache, max_bytes: int | None = None) -> CacheCollection:
    """Remove values that no result names, and results that were not used for longest.

    Parameters
    ----------
    cache
        The cache.
    max_bytes
        What may stay; any number of results by default.

    Returns
    -------
    CacheCollection
        What was removed; nothing where a run uses the cache.
    """
    if max_bytes is not None and max_bytes < 0:
        raise InvalidValueError("max_bytes", max_bytes, "0 or more bytes")
    with lock_file(cache.folder / _UPKEEP):
        if _count_pins(cache):
            return CacheCollection(is_in_use=True)
        kept, dropped = _choose(cache, max_bytes)
        orphans = [path for path in _list_components(cache) if path not in kept]
        freed = sum(map(_get_size, [*dropped, *orphans]))
        left = (cache.folder / "pins").glob("*")  # by processes that died
        for path in [*dropped, *orphans, *left]:
            path.unlink(missing_ok=True)
        for path in dropped:
            with contextlib.suppress(OSError):
                path.parent.rmdir()
        freed += prune(cache.folder, cache.key)
    return CacheCollection(len(dropped), len(orphans), freed)


def clear_cache(cache: StepCache) -> CacheCollection:
    """Remove every result.

    Parameters
    ----------
    cache
        The cache.

    Returns
    -------
    CacheCollection
        What was removed.

    Raises
    ------
    StoreError
        A run uses the cache.
    """
    with lock_file(cache.folder / _UPKEEP):
        stats = read_stats(cache)
        if stats.runs:
            hint = "Wait for their end."
            raise StoreError(cache.folder, f"{stats.runs} run(s) use the cache", hint)
        freed = cache.clear()
    return CacheCollection(stats.records, stats.components, freed)


def _choose(cache: StepCache, max_bytes: int | None) -> tuple[set[Path], list[Path]]:
    """Give the files of values to keep, and the records to drop, the newest kept first."""
    kept: set[Path] = set()
    dropped: list[Path] = []
    total = 0
    for path in sorted(_list_records(cache), key=_get_time, reverse=True):
        document = cache.read(path)
        named = {part["file"] for part in (document or {}).get("state", {}).get("components", ())}
        files = {find_file(cache.components, name) for name in named - {""}}
        size = total + _get_size(path) + sum(map(_get_size, files - kept))
        is_whole = document is not None and all(file.is_file() for file in files)
        if not is_whole or (max_bytes is not None and size > max_bytes):
            dropped.append(path)
            continue
        kept |= files
        total = size
    return kept, dropped


def _list_records(cache: StepCache) -> list[Path]:
    return [path for path in cache.folder.glob("records/*/*/*") if path.is_file()]


def _list_components(cache: StepCache) -> list[Path]:
    return [path for path in cache.components.rglob("*") if path.is_file()]


def _count_pins(cache: StepCache) -> int:
    return sum(map(is_locked, (cache.folder / "pins").glob("*")))


def _get_size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


def _get_time(path: Path) -> float:
    with contextlib.suppress(OSError):
        return path.stat().st_mtime
    return 0.0

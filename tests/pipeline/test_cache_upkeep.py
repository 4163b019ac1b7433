"""The cache of steps stays as small as wished, and never loses what a run uses."""

from __future__ import annotations

import os

import pytest

from mlops_nb.errors import InvalidValueError, StoreError
from mlops_nb.pipeline.cache import StepCache
from mlops_nb.pipeline.cache_upkeep import clear_cache, collect_cache, pin_cache, read_stats
from mlops_nb.pipeline.contentfile import find_file
from mlops_nb.pipeline.sealing import Sealer
from mlops_nb.store import Store


def keep(cache: StepCache, step: str, size: int, used_at: int) -> str:
    """Keep a result with one value, and say when it was used."""
    sealer = Sealer(cache.components, cache.key)
    sealer.write(step.encode() * size)
    file, _ = sealer.finish()
    record = {"step": step, "state": {"components": [{"file": file}]}}
    cache.write(step * 40, cache.folder / "nb.ipynb", record)
    (path,) = (cache.folder / "records").glob(f"*/{step * 40}/*")
    os.utime(path, (used_at, used_at))
    return file


def test_oldest_go_first(store: Store) -> None:
    """What was used last stays; values go with the last result that names them."""
    cache = StepCache(store)
    files = [keep(cache, step, 20_000, 1000 + n) for n, step in enumerate("abc")]
    orphan = Sealer(cache.components, cache.key)
    orphan.write(b"z" * 30_000)
    orphan.finish()
    assert read_stats(cache).components == 4
    assert collect_cache(cache).components == 1
    done = collect_cache(cache, 45_000)
    assert (done.records, done.components) == (1, 1)
    assert [find_file(cache.components, name).is_file() for name in files] == [False, True, True]
    assert collect_cache(cache, 0).records == 2
    assert read_stats(cache).size_bytes == 0


def test_what_a_run_uses_stays(store: Store) -> None:
    """While a run uses the cache nothing of it is removed."""
    cache = StepCache(store)
    keep(cache, "a", 20_000, 1000)
    with pin_cache(cache):
        assert read_stats(cache).runs == 1
        assert collect_cache(cache, 0).is_in_use
        with pytest.raises(StoreError, match="use the cache"):
            clear_cache(cache)
    (cache.folder / "pins" / "of-a-dead-process").touch()
    assert collect_cache(cache, 0).records == 1
    assert not list((cache.folder / "pins").iterdir())


def test_size_is_checked(store: Store) -> None:
    """A size below zero is refused."""
    with pytest.raises(InvalidValueError, match="max_bytes"):
        collect_cache(StepCache(store), -1)

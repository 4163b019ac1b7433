"""Progress of bars of tqdm is read from outside."""

from __future__ import annotations

import gc
import time
import weakref

import pytest

from mlops_nb.capture.bars import find_bar


@pytest.mark.parametrize("kind", ["std", "auto", "asyncio"])
def test_bars_of_tqdm(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The outermost open bar is found, whichever of tqdm's classes it is of; a closed one is not."""
    import importlib

    tqdm = importlib.import_module(f"tqdm.{kind}").tqdm
    since = time.time()
    with tqdm(total=10, desc="epochs") as bar, tqdm(total=3, desc="inner") as inner:
        bar.update(4)
        inner.update(2)
        found = find_bar(since)
        assert find_bar(time.time() + 1) is None
    assert found is not None
    assert (found.progress.n, found.progress.total) == (4, 10)
    assert found.progress.description == "epochs"
    assert (found.progress.rate or 0) > 0
    assert found.began_at is not None
    assert found.began_at >= since
    assert find_bar(since) is None


def test_bars_without_an_end_and_bars_that_are_off(capsys: pytest.CaptureFixture[str]) -> None:
    """A bar of unknown length has no total; one that its user has switched off is none."""
    from tqdm import tqdm

    since = time.time()
    with tqdm(desc="rows") as bar:
        bar.update(7)
        found = find_bar(since)
        assert found is not None
        assert found.progress.total is None
        assert found.progress.share is None
    with tqdm(total=3, disable=True):
        assert find_bar(since) is None


def test_bars_live_no_longer_for_us(capsys: pytest.CaptureFixture[str]) -> None:
    """A bar that was looked at goes when its user lets it go."""
    from tqdm import tqdm

    since = time.time()
    bar = tqdm(total=3)
    held = weakref.ref(bar)
    assert find_bar(since) is not None
    del bar
    gc.collect()
    assert held() is None

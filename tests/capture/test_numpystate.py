"""NumPy's state is read from where it lies, and is the one that NumPy gives when asked."""

from __future__ import annotations

import numpy as np
import pytest

from mlops_nb.capture import numpystate, seeds
from mlops_nb.capture.numpystate import read_state


def _ask(generator: np.random.RandomState) -> numpystate.State:
    state = generator.get_state(legacy=False)
    assert isinstance(state, dict)
    inner = state["state"]
    return inner["key"].tobytes(), inner["pos"], state["has_gauss"], state["gauss"]


@pytest.fixture
def generator() -> np.random.RandomState:
    """Give NumPy's global generator, and put it back as it was."""
    found: np.random.RandomState = np.random.mtrand._rand
    return found


def test_every_state_is_the_one_that_numpy_gives(generator: np.random.RandomState) -> None:
    """Draws of every kind, odd numbers of normal ones too, and seeds are seen exactly."""
    before = generator.get_state()
    try:
        for number in range(200):
            assert read_state(generator) == _ask(generator)
            if number % 3:
                generator.standard_normal(number % 4)
            else:
                generator.random_sample(number % 7)
            if number % 50 == 0:
                generator.seed(number)
    finally:
        generator.set_state(before)


def test_another_generator_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a generator that lies elsewhere nothing is guessed."""
    monkeypatch.setattr(numpystate, "_readers", [])
    other = np.random.RandomState(np.random.PCG64(1))
    assert read_state(other) is None


def test_both_ways_give_one_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest is the same where the state cannot be read from memory."""
    quick = seeds.capture_seeds()["numpy"]
    monkeypatch.setattr(seeds, "read_state", lambda _: None)
    assert seeds.capture_seeds()["numpy"] == quick

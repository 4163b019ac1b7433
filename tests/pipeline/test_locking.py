"""A claim is had by one, and says by whom, also to those who ask the moment it is taken."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from mlops_nb.pipeline import locking
from mlops_nb.pipeline.locking import Claim


def test_claim_is_had_by_one_who_is_named(tmp_path: Path) -> None:
    """The second is refused and told of the first, until that gives it back."""
    first, second = Claim(tmp_path / "claim"), Claim(tmp_path / "claim")
    assert first.take("a longer name")
    assert not second.take("b")
    assert second.read_holder() == "a longer name"
    first.release()
    assert second.take("b")
    assert first.read_holder() == "b"
    second.release()


def test_name_that_is_yet_to_be_written_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between taking a claim and writing a name lies a moment; a file without one is given up."""
    monkeypatch.setattr(locking, "_MOST_LOOKS", 2)
    path = tmp_path / "claim"
    path.touch()
    assert Claim(path).read_holder() == ""
    monkeypatch.setattr(locking, "_MOST_LOOKS", 100)
    writer = threading.Timer(0.2, path.write_bytes, (b" somebody",))
    writer.start()
    assert Claim(path).read_holder() == "somebody"
    writer.join()

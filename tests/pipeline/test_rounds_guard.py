"""What files held before rounds is kept by whoever comes first, also where that one dies."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from mlops_nb.pipeline.rounds_guard import Journal, undo


def test_one_that_dies_while_it_keeps_is_followed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before the copy is whole, it has changed nothing; the next one keeps the file."""
    shared, path = tmp_path / "shared", tmp_path / "table.csv"
    path.write_text("before")
    for name in ("one", "two"):
        (shared / name).mkdir(parents=True)

    def die(*_: object) -> NoReturn:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copy2", die)
        with pytest.raises(SystemExit):
            Journal(shared / "one", shared).watch(str(path))
    Journal(shared / "two", shared).watch(str(path))
    path.write_text("after")
    undo(shared)
    assert path.read_text() == "before"

"""What a recorder leaves to be done later is done, or told, whether the run is deferred or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_nb.config import load_settings
from mlops_nb.store import Store
from mlops_nb.store.objects import ObjectFolder
from mlops_nb.tracking import start_run


@pytest.mark.parametrize("is_deferred", [True, False])
def test_bytes_that_are_kept_later(store: Store, tmp_path: Path, *, is_deferred: bool) -> None:
    """The artifact is there with its bytes once the run is read."""
    run = start_run(store, load_settings(tmp_path), "r", is_deferred=is_deferred)
    run.log_bytes_later(b"[1]", "table.json", "application/json")
    run.end()
    (artifact,) = store.read_run(run.run_id).artifacts
    assert (artifact.path, artifact.size_bytes) == ("table.json", 3)
    assert store.objects.read_bytes(artifact.digest) == b"[1]"


@pytest.mark.parametrize("is_deferred", [True, False])
def test_bytes_that_cannot_be_kept(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    is_deferred: bool,
) -> None:
    """A full disk is told in one line and does not reach the person's code."""

    def refuse(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ObjectFolder, "put_bytes", refuse)
    run = start_run(store, load_settings(tmp_path), "r", is_deferred=is_deferred)
    run.log_bytes_later(b"[1]", "table.json", "application/json")
    run.write()
    run.log_first("fit_time_s", 1.0)
    run.end()
    assert capsys.readouterr().err.count("no longer recorded: No space left") == 1


def test_without_a_store_nothing_is_kept(tmp_path: Path) -> None:
    """A notebook without a store goes on as if nothing had been asked."""
    run = start_run(None, load_settings(tmp_path), "r")
    run.log_bytes_later(b"[1]", "table.json", "application/json")
    run.log_first("fit_time_s", 1.0)
    run.end()
    assert run.status == "finished"

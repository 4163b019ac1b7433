"""Guard, patches and import watcher do what they promise on their own."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from mlops_nb.autolog.guard import Guard
from mlops_nb.autolog.imports import ImportWatcher
from mlops_nb.autolog.patching import Patches


def test_guard_passes_results_and_interrupts(capsys: pytest.CaptureFixture[str]) -> None:
    """A result comes through, and so does an interrupt, which is the user's own wish."""
    guard = Guard("things")
    assert guard.call(lambda value: value + 1, 1) == 2

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        guard.call(interrupt)
    assert not guard.is_stopped
    assert capsys.readouterr().err == ""


def test_guard_survives_an_error_without_text(capsys: pytest.CaptureFixture[str]) -> None:
    """An error whose own text raises, and a closed stderr, still stop the recorder quietly."""

    class Mute(Exception):  # noqa: N818
        def __str__(self) -> str:
            raise RuntimeError

    def fail() -> None:
        raise Mute

    guard = Guard("things")
    assert guard.call(fail) is None
    assert guard.call(lambda: 1) is None
    assert capsys.readouterr().err.splitlines() == [
        "mlops_nb: things are no longer recorded in this session: Mute"
    ]


def test_patch_of_somebody_else_is_left_in_place() -> None:
    """What was patched over our patch is not taken away; what was not is restored."""
    module = types.ModuleType("some")
    vars(module)["a"] = original = object()
    vars(module)["b"] = other = object()
    patches = Patches()
    patches.set_attribute(module, "a", lambda _: object())
    patches.set_attribute(module, "b", lambda _: object())
    vars(module)["b"] = theirs = object()
    assert len(patches) == 2
    patches.restore()
    patches.restore()
    assert vars(module)["a"] is original
    assert vars(module)["b"] is theirs is not other


def test_watcher_waits_for_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The callback comes after the module has run; the finder leaves and the loader is the real one."""
    (tmp_path / "mlops_nb_probe.py").write_text("value = __loader__\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    seen: list[object] = []
    watcher = ImportWatcher()
    finders = list(sys.meta_path)
    watcher.watch("mlops_nb_probe", lambda module: seen.append(module.value))
    assert sys.meta_path == [watcher, *finders]
    try:
        import mlops_nb_probe  # type: ignore[import-not-found]

        assert seen == [mlops_nb_probe.__loader__]
        assert type(seen[0]).__name__ == "SourceFileLoader"
        assert sys.meta_path == finders
        watcher.watch("mlops_nb_probe", lambda module: seen.append(module))
        assert seen[1:] == [mlops_nb_probe]
    finally:
        sys.modules.pop("mlops_nb_probe", None)


def test_watched_module_that_fails_or_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watched module that raises, or does not exist, raises what it would without us."""
    (tmp_path / "mlops_nb_broken.py").write_text("raise ValueError('mine')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    watcher = ImportWatcher()
    finders = list(sys.meta_path)
    watcher.watch("mlops_nb_broken", lambda _: pytest.fail("it never ran"))
    watcher.watch("mlops_nb_absent", lambda _: pytest.fail("it is not there"))
    with pytest.raises(ValueError, match="mine"):
        __import__("mlops_nb_broken")
    with pytest.raises(ModuleNotFoundError):
        __import__("mlops_nb_absent")
    watcher.close()
    assert sys.meta_path == finders

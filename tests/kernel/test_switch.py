"""The switch of the panel, as it is executed in a kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mlops_nb import api
from mlops_nb.errors import StoreError
from mlops_nb.kernel.extension import find_extension
from mlops_nb.kernel.switch import set_recording

CODE = "__import__('mlops_nb.kernel.switch', fromlist=['']).set_recording({})"


def test_switch_loads_the_extension_and_leaves_no_name(
    shell: Any, run: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """A click records a notebook whose author never typed a magic; cells count as their own."""
    before = set(shell.user_ns)
    shell.run_cell(CODE.format(True), silent=True, store_history=False).raise_error()
    assert find_extension(shell) is not None
    assert set(shell.user_ns) == before
    run("x = 1")
    run("import mlops_nb as mlops\nmlops.log_metric('a', 1.0)\nmlops.end_run()")
    cells = api.get_run("latest").cells
    assert [cell.source for cell in cells][:1] == ["x = 1"]
    capsys.readouterr()
    run("%load_ext mlops_nb")
    assert "already loaded" in capsys.readouterr().out


def test_switch_off_and_on(loaded: Callable[..., Any], shell: Any) -> None:
    """Off, fits are not recorded; on, they are again."""
    fit = "from sklearn.dummy import DummyClassifier\nDummyClassifier().fit([[0]], [1])"
    for is_on in (False, True):
        shell.run_cell(CODE.format(is_on), silent=True, store_history=False).raise_error()
        assert api.get_status()["recording"] is is_on
        loaded(fit).raise_error()
    assert len(api.list_runs()) == 1


def test_switch_after_unloading(loaded: Callable[..., Any], shell: Any) -> None:
    """What was unloaded is loaded again; switching off what is not there does nothing."""
    loaded("%unload_ext mlops_nb")
    set_recording(False, shell)
    assert find_extension(shell) is None
    set_recording(True, shell)
    assert find_extension(shell) is not None


def test_switched_off_by_settings_says_so(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a setting forbids it, the panel is told that nothing is recorded."""
    monkeypatch.setenv("MLOPS_NB_DISABLED", "1")
    with pytest.raises(StoreError):
        set_recording(True, shell)

"""Libraries are recorded or not, one by one, by magic and by setting; what is off is untouched."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import pytest

from mlops_nb import api, autolog
from mlops_nb.autolog import arming
from mlops_nb.config import load_settings
from mlops_nb.errors import NotFoundError
from mlops_nb.store import Store
from mlops_nb.tracking import open_session
from tests.autolog.conftest import Notebook


@pytest.fixture(autouse=True)
def _own_switches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is switched by hand end with the test."""
    monkeypatch.setattr(arming, "_switched", {})


def find_points() -> list[Any]:
    """Give the very objects that the recorders of scikit-learn replace."""
    support = sys.modules.get("sklearn.callback._callback_support")
    cells = sys.modules["sklearn.metrics"].accuracy_score.__closure__ or ()
    return [
        getattr(support, "callback_management_context", None),
        sys.modules["sklearn.utils.parallel"].config_context,
        sys.modules["sklearn.base"].config_context if support is None else None,
        *(cell.cell_contents for cell in cells),
        warnings._showwarnmsg,  # type: ignore[attr-defined]
    ]


def read_states() -> dict[str, str]:
    """Give the state of each recorder."""
    return {name: state for name, state, _ in autolog.status()}


def test_switching_one_library_leaves_the_others(notebook: Notebook) -> None:
    """Without scikit-learn its fits are none of ours, files still are; switched on, all is back."""
    autolog.disarm()
    before = [id(each) for each in find_points()[:-1]]
    api.arm_autolog()
    assert [id(each) for each in find_points()[:-1]] != before
    api.disarm_autolog("sklearn")
    assert [id(each) for each in find_points()[:-1]] == before
    states = read_states()
    assert states["scikit-learn fits"] == states["scikit-learn metrics"] == "off"
    assert states["files"] == "armed"
    notebook.run("model = Ridge().fit(X, y)")
    assert notebook.runs() == []
    api.arm_autolog("sklearn")
    notebook.run("model = Ridge().fit(X, y)")
    assert len(notebook.runs()) == 1


def test_every_library_can_be_switched_off(notebook: Notebook) -> None:
    """With all off, every recorder says so, and none has patched anything."""
    api.disarm_autolog(*autolog.LIBRARIES)
    assert set(read_states().values()) == {"off"}
    reasons = {reason for _, _, reason in autolog.status()}
    assert reasons == {f"%mlops autolog on {name}" for name in autolog.LIBRARIES}
    api.arm_autolog(*autolog.LIBRARIES)
    assert "off" not in read_states().values()


def test_a_setting_switches_libraries_off(store: Store) -> None:
    """What the setting names is off until it is switched on by hand."""
    session = open_session(store, load_settings(autolog_off="torch, files"))
    autolog.arm(session)
    states = read_states()
    assert (states["torch training loops"], states["files"]) == ("off", "off")
    autolog.switch(session, ["files"], is_on=True)
    assert read_states()["files"] == "armed"
    assert read_states()["torch training loops"] == "off"
    autolog.disarm()


def test_unknown_names_are_told(notebook: Notebook, store: Store) -> None:
    """A slip changes nothing and is named, in a command and in the setting."""
    before = autolog.status()
    with pytest.raises(NotFoundError, match="Did you mean 'sklearn'"):
        api.disarm_autolog("torch", "sklern")
    assert autolog.status() == before
    autolog.disarm()
    session = open_session(store, load_settings(autolog_off="toch"))
    with pytest.raises(NotFoundError, match="Did you mean 'torch'"):
        autolog.arm(session)


def test_nothing_is_recorded_within_a_pause(notebook: Notebook) -> None:
    """A fit within the block makes no run and changes nothing; the next one is recorded."""
    notebook.namespace["paused"] = api.paused
    notebook.run("with paused():\n    model = Ridge().fit(X, y)\n    s = model.score(X, y)")
    assert notebook.runs() == []
    notebook.run("model = Ridge().fit(X, y)")
    (run,) = notebook.runs()
    assert set(run.metrics) == {"fit_time_s"}

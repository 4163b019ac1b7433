"""Hooks of ours that fail, full disks and interrupts in them: the notebook goes on as without us."""

from __future__ import annotations

import pytest

from mlops_nb import autolog
from mlops_nb.autolog.fits import FitRecorder
from mlops_nb.autolog.metrics import MetricRecorder
from tests.autolog.conftest import Notebook

INJECTIONS = [
    (FitRecorder, "begin", "fits"),
    (FitRecorder, "end", "fits"),
    (MetricRecorder, "record", "metrics"),
]


@pytest.mark.parametrize(("owner", "method", "recorder"), INJECTIONS)
def test_a_hook_that_raises_is_told_once_and_stopped(
    notebook: Notebook,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    owner: type,
    method: str,
    recorder: str,
) -> None:
    """User code goes on with its result; one line says what is no longer recorded."""

    def explode(*_: object) -> None:
        raise RuntimeError("injected\nfault")

    monkeypatch.setattr(owner, method, explode)
    for _ in range(3):
        notebook.run(
            "model = LogisticRegression().fit(X, y); acc = accuracy_score(y, model.predict(X))"
        )
    assert notebook.namespace["acc"] > 0.5
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        f"mlops_nb: {recorder} are no longer recorded in this session: RuntimeError: injected fault"
    ]
    assert [row[1] for row in autolog.status() if recorder in row[0]] == ["stopped"]
    monkeypatch.undo()


def test_warning_hook_that_raises_lets_the_warning_through(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failure while a warning is noted does not swallow the warning."""

    def explode(*_: object) -> None:
        raise RuntimeError("injected fault")

    monkeypatch.setattr("mlops_nb.autolog.sklearn.add_warning", explode)
    with pytest.warns(match="failed to converge"):
        notebook.run("model = LogisticRegression(max_iter=1).fit(X, y)")
    assert capsys.readouterr().err.count("\n") == 1


def test_full_disk_leaves_the_notebook_alone(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nothing can be written any more, fits and metrics still give their results."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(notebook.store), "start_run", full)
    monkeypatch.setattr(type(notebook.store.objects), "put_bytes", full)
    notebook.run(
        "model = LogisticRegression().fit(X, y); acc = accuracy_score(y, model.predict(X))"
    )
    autolog.disarm()
    assert notebook.namespace["acc"] > 0.5
    assert "No space left on device" in capsys.readouterr().err
    monkeypatch.undo()


def test_interrupt_in_our_hook_is_the_users(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt that arrives while we are at work stops the cell; the next fit is recorded."""
    import sklearn

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = sklearn.get_config()
    with monkeypatch.context() as patch:
        patch.setattr(FitRecorder, "begin", interrupt)
        with pytest.raises(KeyboardInterrupt):
            notebook.run("model = LogisticRegression().fit(X, y)")
    assert sklearn.get_config() == before
    notebook.run("model = LogisticRegression().fit(X, y)")
    assert [run.status for run in notebook.runs()] == ["finished"]

"""``%mlops sweep`` on a real notebook of one step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_nb import api
from mlops_nb.errors import ParameterError, UsageError
from mlops_nb.kernel.commands.sweeps import show_sweep
from mlops_nb.notebook.document import new_code_cell, new_notebook, write_notebook

Run = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a notebook whose metric is its parameter."""
    cells = [
        new_code_cell("times = 3  # how many", ["parameters"]),
        new_code_cell("import mlops_nb as mlops\nmlops.log_metric('total', times)", ["step:a"]),
    ]
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return write_notebook(new_notebook(cells), tmp_path / "open.ipynb")


def test_a_sweep_is_shown(
    loaded: Run, notebook: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The open notebook is swept: a line a trial, then the table, the best first, and plots."""
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook))
    capfd.readouterr()
    shown = loaded("%mlops sweep times=4,9,2 --sampler grid --maximize total").result
    lines = capfd.readouterr().out.splitlines()
    assert [line[:5] for line in lines[:3]] == ["[1/3]", "[2/3]", "[3/3]"]
    bundle = shown._repr_mimebundle_()
    body = bundle["text/plain"].splitlines()
    assert "3 finished" in body[0]
    assert [line.split()[2] for line in body[2:]] == ["9", "4", "2"]
    assert "data:image/png;base64," in bundle["text/html"]
    (result,) = api.list_sweeps()
    assert result.best_params == {"times": 9}
    assert list(result.trials["metrics.total"].dropna()) == [
        float(value) for value in result.trials["params.times"]
    ]
    # Another one from Python, and what is shown of it.
    more = api.resume_sweep(result.sweep_id, trials=3)
    assert more.records == result.records
    assert repr(show_sweep(more)) == repr(show_sweep(result))


def test_wrong_words_run_nothing(loaded: Run, notebook: Path) -> None:
    """What is wrong is told as in a shell."""
    assert isinstance(
        loaded("%mlops sweep times=4 --maximize total").error_in_exec, UsageError
    )  # no notebook is open
    wrong = loaded(f"%mlops sweep {notebook} times=0.5:2 --maximize total").error_in_exec
    assert isinstance(wrong, ParameterError)
    assert isinstance(loaded(f"%mlops sweep {notebook} times=1").error_in_exec, UsageError)
    both = loaded(f"%mlops sweep {notebook} times=1 --resume x").error_in_exec
    assert isinstance(both, UsageError)
    assert api.list_sweeps() == []

"""Hooks in a real IPython shell: what is recorded, and that a cell never notices."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Callable
from typing import Any

import pytest

from mlops_nb import api
from mlops_nb.kernel.extension import find_extension
from mlops_nb.records import CellRecord

Run = Callable[..., Any]
Read = Callable[[], list[CellRecord]]

# What a kernel does at its start: figures become PNG.
DRAW_PNG = (
    "from IPython.core.pylabtools import select_figure_formats\n"
    "select_figure_formats(get_ipython(), {'png'})"
)


def test_cells_are_recorded_in_order(loaded: Run, read_cells: Read) -> None:
    """The session keeps the source of each cell in execution order, from the one that loads us."""
    loaded("x = 1")
    loaded("x += 1")
    loaded("# only a comment")
    assert [cell.source for cell in read_cells()] == [
        "%load_ext mlops_nb",
        "import mlops_nb as mlops",
        "x = 1",
        "x += 1",
        "# only a comment",
    ]
    assert [cell.execution_count for cell in read_cells()][:5] == [1, 2, 3, 4, 5]


def test_code_beside_the_load_belongs_to_its_cell(run: Run) -> None:
    """What is recorded in the very cell that loads the extension knows its cell."""
    run("%load_ext mlops_nb\nimport mlops_nb as mlops\nmlops.start_run('first').end()")
    assert len(api.get_run("first").cells) == 1
    assert api.get_run("first").cells[0].execution_count == 1


@pytest.mark.parametrize(
    ("source", "status", "error"),
    [
        ("x = 1", "ok", None),
        ("1/0", "error", "ZeroDivisionError: division by zero"),
        ("x = = 1", "error", "SyntaxError"),
        ("raise KeyboardInterrupt", "interrupted", "KeyboardInterrupt"),
        ("import asyncio; raise asyncio.CancelledError", "interrupted", "CancelledError"),
        ("raise SystemExit(3)", "error", "SystemExit: 3"),
        ("await __import__('asyncio').sleep(0)", "ok", None),
        (
            "class Mute(Exception):\n    def __str__(self): raise RuntimeError\nraise Mute",
            "error",
            "",  # some versions of IPython lose the error itself here
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:To exit")
def test_end_of_a_cell_is_recorded(
    loaded: Run, read_cells: Read, source: str, status: str, error: str | None
) -> None:
    """A cell ends ok, with an error, or interrupted, as IPython says."""
    loaded(source)
    cell = next(cell for cell in read_cells() if cell.source == source)
    assert cell.status == status
    assert (cell.error or "").startswith(error or "")
    assert (cell.error is None) == (error is None)


def test_empty_silent_and_hidden_cells_are_ignored(loaded: Run, read_cells: Read) -> None:
    """What is no cell of the user's leaves no record, and the next cell is still recorded right."""
    loaded("")
    loaded("   \n")
    loaded("hidden = 1", silent=True)
    loaded("hidden = 2", store_history=False)
    loaded("seen = 1")
    assert [cell.source for cell in read_cells()][2:] == ["seen = 1"]


def test_nested_cells_are_told_apart(loaded: Run, read_cells: Read) -> None:
    """A cell that runs a cell keeps its own end, and the inner one its own."""
    outer = (
        "get_ipython().run_cell('inner = 1/0', store_history=True)\n"
        "get_ipython().run_cell('hidden = 1')\n"
        "get_ipython().run_cell('')\n"
        "done = 1"
    )
    loaded(outer)
    found = {cell.source: cell for cell in read_cells()}
    assert found["inner = 1/0"].status == "error"
    assert found[outer].status == "ok"
    assert "hidden = 1" not in found


def test_tags_and_id_come_from_the_request(loaded: Run, read_cells: Read, shell: Any) -> None:
    """Where IPython does not hand them on, id and tags are read from the kernel's request."""

    class Kernel:
        def get_parent(self) -> dict[str, Any]:
            return {"metadata": {"cellId": "abc", "tags": ["step:train", 7]}}

    shell.kernel = Kernel()
    loaded("tagged = 1")
    del shell.kernel
    cell = next(cell for cell in read_cells() if cell.source == "tagged = 1")
    assert cell.cell_id == "abc"
    assert cell.tags == ("step:train",)


def test_broken_request_is_survived(
    loaded: Run, shell: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """A kernel that answers nonsense costs the recording of cells, never the cell."""

    class Kernel:
        def get_parent(self) -> None:
            return None

    shell.kernel = Kernel()
    result = loaded("3 + 4")
    del shell.kernel
    assert result.result == 7
    assert "recording of cells stopped" in capfd.readouterr().err


def break_verb(monkeypatch: pytest.MonkeyPatch, verb: str, how: str) -> None:
    """Make a verb of the api fail in one of the ways that things fail."""

    def fail(*_: object, **__: object) -> None:
        if how == "slow":
            time.sleep(0.05)
            return
        raise {
            "raises": RuntimeError("broken"),
            "disk full": OSError(errno.ENOSPC, "No space left on device"),
            "exits": SystemExit(1),
        }[how]

    monkeypatch.setattr(api, verb, fail)


@pytest.mark.parametrize("how", ["raises", "disk full", "exits", "slow"])
@pytest.mark.parametrize(
    ("verb", "recorder"),
    [
        ("begin_cell", "cells"),
        ("end_cell", "cells"),
        ("attach_output", "figures"),
        ("list_runs", "cards"),
        ("keep_output", "output"),
    ],
)
def test_failing_hook_never_reaches_the_cell(
    loaded: Run,
    shell: Any,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    verb: str,
    recorder: str,
    how: str,
) -> None:
    """Each hook that fails says one line, switches itself off, and cells go on as before."""
    extension = find_extension(shell)
    assert extension is not None
    assert extension.hooks is not None
    guard = extension.hooks.guards[recorder]
    guard._grace_s = 60.0
    loaded(DRAW_PNG)
    guard._grace_s = 0.001 if how == "slow" else 60.0
    monkeypatch.setattr("mlops_nb.kernel.guard.SHARE", 0.0)  # a busy machine gives more time
    break_verb(monkeypatch, verb, how)
    source = (
        "from matplotlib.figure import Figure\n"
        "with mlops.start_run('fit'): print('fitted')\n"
        "figure = Figure(figsize=(1, 1)); figure.add_subplot()\n"
        "figure"
    )
    first, second = loaded(source), loaded("6 * 7")
    assert first.success
    assert type(first.result).__name__ == "Figure"
    assert second.result == 42
    told = [line for line in capfd.readouterr().err.splitlines() if "mlops_nb:" in line]
    assert len(told) == 1
    assert f"recording of {recorder} stopped" in told[0]
    assert not guard.enabled


def test_last_value_that_is_a_figure_is_kept(loaded: Run) -> None:
    """A figure as the value of a cell is kept with the run of that cell, once."""
    source = (
        "from matplotlib.figure import Figure\n"
        "figure = Figure(figsize=(1, 1)); figure.add_subplot()\n"
        "with mlops.start_run('plots'): pass\n"
        "figure"
    )
    loaded(DRAW_PNG)
    loaded(source)
    kept = api.get_run("plots").artifacts
    assert [item.media_type for item in kept] == ["image/png"]
    assert api.read_artifact("plots", kept[0].path).startswith(b"\x89PNG")


def test_objects_of_the_user_are_not_held(loaded: Run) -> None:
    """Nothing of ours keeps an object alive that the user has deleted."""
    loaded("import gc, weakref\nclass Big: pass\nbig = Big(); seen = weakref.ref(big)")
    loaded("big;")
    loaded("del big; gc.collect()")
    assert loaded("seen() is None").result is True


def test_interrupted_future_is_no_error_of_ours() -> None:
    """The error that asyncio raises on an interrupt is not an Exception: the reader knows it."""
    assert not issubclass(asyncio.CancelledError, Exception)

"""Loops over Keras' ``train_on_batch`` are runs that end with their cell."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from mlops_nb import autolog
from mlops_nb.autolog.keras_batches import BatchLoops
from tests.autolog.conftest import Notebook
from tests.autolog.test_keras import DATA, FIRST, LABELS, _make
from tests.autolog.torchbook import read_points, read_values

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

LOOP = """
seen, tested = [], []
for epoch in range(2):
    for first in range(0, 48, 16):
        part = slice(first, first + 16)
        XB, yb = XT[part], yt[part]
        seen.append(model.train_on_batch(XB, yb))
    tested.append([model.test_on_batch(XV[:8], yv[:8]), model.test_on_batch(XV[8:], yv[8:])])
"""


@pytest.fixture(autouse=True)
def _backend(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Keras go by torch; it is read once, when it is imported."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    pytest.importorskip("keras")


@pytest.fixture
def book(unarmed: Notebook) -> Iterator[Notebook]:
    """Give a notebook with auto-logging armed, Keras imported and small data at hand."""
    autolog.arm(unarmed.session)
    unarmed.namespace |= {"XT": DATA[:48], "yt": LABELS[:48], "XV": DATA[48:], "yv": LABELS[48:]}
    unarmed.namespace["make"] = _make
    try:
        unarmed.run(FIRST)
        unarmed.run("model = make()")
        yield unarmed
    finally:
        autolog.disarm()


def test_loop_is_a_run(book: Notebook) -> None:
    """Each batch is a step, tests between are validation, later ones tests; data are the whole."""
    book.run(LOOP)
    book.run("later = model.test_on_batch(XV, yv)")
    (run,) = book.runs()
    assert (run.name, run.status, run.tags["method"]) == (
        "Sequential",
        "finished",
        "train_on_batch",
    )
    seen = [float(each) for each in book.namespace["seen"]]
    assert read_points(book, run.run_id, "loss") == list(enumerate(seen))
    means = [sum(map(float, pair)) / 2 for pair in book.namespace["tested"]]
    points = read_points(book, run.run_id, "val_loss")
    assert [step for step, _ in points] == [2, 5]
    assert [value for _, value in points] == pytest.approx(means)
    assert run.metrics["test_loss"] == pytest.approx(float(book.namespace["later"]))
    assert run.tags["best_step"].partition(",")[0] in {"2", "5"}
    params = ("model", "optimizer", "loss", "batch_size", "steps", "model.parameters")
    assert [run.params[key] for key in params] == ["Sequential", "SGD", "mse", 16, 6, 25]
    assert [(data.role, data.name, data.shape) for data in run.datasets] == [
        ("X", "XT", (48, 4)), ("y", "yt", (48,)),
    ]  # fmt: skip
    assert autolog.run_of(book.namespace["model"]) == run.run_id


def test_models_that_train_in_turn_share_a_run(book: Notebook) -> None:
    """The losses of a loop with several calls have the user's names; another loop is another run."""
    book.run(
        "one, two = make(), make()\n"
        "for _ in range(3):\n"
        "    first_loss = one.train_on_batch(XT, yt)\n"
        "    second_loss = one.train_on_batch(XV, yv)\n"
        "    two.train_on_batch(XT, yt)\n"
        "for each in (make(), make()):\n"
        "    for _ in range(2): each.train_on_batch(XT, yt)\n"
    )
    shared, *others = book.runs()
    assert {"first_loss", "second_loss", "loss/two"} <= set(shared.metrics)
    assert "loss" not in shared.metrics
    assert [len(read_values(book, each.run_id, "loss")) for each in others] == [2, 2]
    assert autolog.run_of(book.namespace["two"]) == shared.run_id


def test_a_failing_cell_ends_the_run(book: Notebook) -> None:
    """The run is failed or interrupted as its cell is."""
    for error in ("ValueError", "KeyboardInterrupt"):
        with pytest.raises((ValueError, KeyboardInterrupt)):
            book.run(f"model = make(); model.train_on_batch(XT, yt); raise {error}('no')")
    assert [run.status for run in book.runs()] == ["failed", "interrupted"]


def test_nothing_is_changed(book: Notebook) -> None:
    """Results are the same without us; no model outlives its cell; what was patched is put back."""
    (module,) = [
        each for name, each in sys.modules.items() if name == "keras.src.backend.torch.trainer"
    ]
    assert "mlops" in vars(module)["pythonify_logs"].__module__
    book.run(LOOP)
    ours, reference = book.namespace["seen"], weakref.ref(book.namespace.pop("model"))
    gc.collect()
    assert reference() is None
    autolog.disarm()
    assert "keras" in vars(module)["pythonify_logs"].__module__
    book.namespace["model"] = _make()
    book.run(LOOP)
    assert book.namespace["seen"] == ours


def test_a_hook_that_raises_is_told_once(
    book: Notebook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The loop goes on; one line says that it is no longer recorded; no run stays open."""

    def explode(*_: Any) -> None:
        raise RuntimeError("injected fault")

    monkeypatch.setattr(BatchLoops, "_add", explode)
    capsys.readouterr()
    book.run(LOOP)
    lines = [line for line in capsys.readouterr().err.splitlines() if "mlops" in line]
    assert lines == [
        "mlops_nb: Keras trainings are no longer recorded in this session: "
        "RuntimeError: injected fault"
    ]
    assert "running" not in {run.status for run in book.runs()}

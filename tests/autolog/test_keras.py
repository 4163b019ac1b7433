"""Keras models are recorded as they are fitted, on torch, and changed in nothing."""

from __future__ import annotations

import gc
import inspect
import pickle
import sys
import traceback
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from mlops_nb import autolog
from mlops_nb.autolog.frames import BUSY
from mlops_nb.autolog.metrics import find_cell
from mlops_nb.autolog.nets import NetRecorder
from tests.autolog.conftest import Notebook
from tests.autolog.torchbook import read_points, read_values

DATA = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
LABELS = (DATA[:, 0] > 0).astype("float32")

# Its own callbacks read its own variables in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

FIRST = """
import keras
from keras import layers
keras.utils.set_random_seed(0)
"""
FIT = """
model = keras.Sequential([keras.Input((4,)), layers.Dense(8, activation='relu'), layers.Dense(1)])
model.compile(keras.optimizers.Adam(0.05), loss=keras.losses.BinaryCrossentropy(from_logits=True),
              metrics=['accuracy'])
plan = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.05 * 0.5 ** epoch)
mine = [plan]
past = model.fit(XT, yt, batch_size=16, epochs=3, validation_data=(XV, yv), verbose=0, callbacks=mine)
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
    try:
        unarmed.run(FIRST)
        yield unarmed
    finally:
        autolog.disarm()


def _make() -> Any:
    import keras  # seconds of work, which is not to be done where these tests are only listed

    keras.utils.set_random_seed(0)
    layers = [keras.Input((4,)), keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile("sgd", loss="mse")
    return model


def _fit(**given: Any) -> Any:
    model = _make()
    model.fit(DATA, LABELS, epochs=2, verbose=0, **given)
    return model


def test_fit_is_a_run(book: Notebook) -> None:
    """Every result of every epoch as the history has it, rates, settings, layers, data, best epoch."""
    book.run(FIT)
    book.run("model.evaluate(XV, yv, verbose=0)")
    (run,) = book.runs()
    assert (run.name, run.status, run.tags["method"]) == ("Sequential", "finished", "fit")
    history = book.namespace["past"].history
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"}
    for name, values in history.items():
        assert read_points(book, run.run_id, name) == list(enumerate(values))
    assert read_values(book, run.run_id, "learning_rate") == pytest.approx([0.05, 0.025, 0.0125])
    params = ("model", "model.layers", "model.parameters", "optimizer", "loss", "metrics")
    assert [run.params[key] for key in params] == [
        "Sequential", 2, 49, "Adam", "BinaryCrossentropy", ["accuracy"],
    ]  # fmt: skip
    assert [run.params[key] for key in ("epochs", "batch_size", "callbacks")] == [
        3, 16, "LearningRateScheduler",
    ]  # fmt: skip
    assert "optimizer.learning_rate" in run.tags["params.changed"]
    assert "beta_1" not in run.tags["params.changed"]
    assert [(data.role, data.name, data.shape) for data in run.datasets] == [
        ("X", "XT", (48, 4)), ("y", "yt", (48,)),
        ("validation.X", "(XV, yv)", (16, 4)), ("validation.y", "(XV, yv)", (16,)),
    ]  # fmt: skip
    best = min(range(3), key=lambda epoch: history["val_loss"][epoch])
    assert run.metrics["best_epoch"] == best
    assert run.tags["best_epoch"].startswith(f"{best}, by val_loss = ")
    assert run.metrics["test_loss"] == pytest.approx(history["val_loss"][-1])
    assert run.metrics["train_time_s"] > 0
    assert autolog.run_of(book.namespace["model"]) == run.run_id
    assert book.namespace["mine"] == [book.namespace["plan"]]
    autolog.disarm()  # it is written after the cell
    (text,) = [each for each in book.runs()[0].artifacts if each.path == "model.txt"]
    summary = book.store.objects.read_bytes(text.digest).decode()
    assert "Dense  (None, 8)  40" in summary
    assert "49 parameters, 49 of them trained" in summary


def test_torch_beneath_is_no_run_of_its_own(book: Notebook) -> None:
    """The steps that Keras makes with torch are its own; a plain loop after it is recorded again."""
    book.run(
        f"{FIT}\nimport torch\nnet = torch.nn.Linear(4, 1)\n"
        "step = torch.optim.SGD(net.parameters(), lr=0.1)\n"
        "for _ in range(3):\n"
        "    loss = net(torch.ones(2, 4)).sum(); loss.backward(); step.step()\n"
    )
    assert book.names() == ["Sequential", "Linear"]
    assert not BUSY.value


@pytest.mark.filterwarnings("error")
def test_no_warning_is_ours(book: Notebook) -> None:
    """Where the user's own code gives no warning, recording it gives none."""
    book.namespace["fit"] = _fit
    book.run("model = fit(); model.evaluate(XV, yv, verbose=0)")
    (run,) = book.runs()
    assert read_values(book, run.run_id, "learning_rate") == pytest.approx([0.01, 0.01])
    assert run.metrics["test_loss"] > 0


def test_within_a_run_of_the_user(book: Notebook) -> None:
    """The first fit goes into the user's run, the next is a child; a list of callbacks stays theirs."""
    book.namespace |= {"session": book.session, "make": _make}
    book.run(
        "with session.start_run('mine'):\n"
        "    model = make()\n"
        "    model.fit(XT, yt, epochs=2, verbose=0)\n"
        "    listed = keras.callbacks.CallbackList([], add_history=True, model=model)\n"
        "    model.fit(XT, yt, epochs=3, verbose=0, callbacks=listed)\n"
    )
    outer, child = book.runs()
    assert (outer.name, child.name, child.parent_run_id) == ("mine", "Sequential", outer.run_id)
    assert [run.params["epochs.done"] for run in (outer, child)] == [2, 3]
    history = book.namespace["model"].history.history["loss"]
    assert read_values(book, child.run_id, "loss") == history
    assert len(book.namespace["listed"].callbacks) == 1


def test_metric_later_finds_the_run(book: Notebook) -> None:
    """A metric of scikit-learn on the model's predictions stands with the model's run."""
    book.run(FIT)
    book.run(
        "from sklearn.metrics import roc_auc_score\n"
        "auc = roc_auc_score(yv, model.predict(XV, verbose=0).ravel())"
    )
    (run,) = book.runs()
    assert run.metrics["auc"] == book.namespace["auc"]


def test_early_stopping_and_interrupts(book: Notebook) -> None:
    """A training that stops early is whole; one that is interrupted or fails has its epochs."""
    import keras

    kind = (keras.callbacks.Callback,)
    book.namespace["Stop"] = type("Stop", kind, {"on_epoch_end": _interrupt_second})
    book.run(
        f"{FIT}model.fit(XT, yt, epochs=9, verbose=0, callbacks="
        "keras.callbacks.EarlyStopping(monitor='loss', min_delta=9, patience=1))"
    )
    with pytest.raises(KeyboardInterrupt):
        book.run("model.fit(XT, yt, epochs=9, verbose=0, callbacks=[Stop()])")
    with pytest.raises(ValueError, match="cardinality"):
        book.run("model.fit(XT, yt[:5], verbose=0)")
    runs = book.runs()
    assert [(run.status, run.params.get("epochs.done")) for run in runs] == [
        ("finished", 3), ("finished", 2), ("interrupted", 1), ("failed", 0),
    ]  # fmt: skip
    assert not BUSY.value


def _interrupt_second(self: Any, epoch: int, logs: Any = None) -> None:
    if epoch == 1:
        raise KeyboardInterrupt


def _trainer() -> Any:
    return next(kind for kind in type(_make()).__mro__ if kind.__module__.endswith("torch.trainer"))


def test_nothing_is_changed(unarmed: Notebook) -> None:
    """Methods, weights, pickles, tracebacks and lifetimes are as without us; all is put back."""
    kind = _trainer()
    cells = [find_cell(getattr(kind, name), "fn") for name in ("fit", "evaluate")]
    before = [*vars(kind).values(), *(cell and cell.cell_contents for cell in cells)]
    plain, failure, gone = _fit(), _describe(_fail), _drop()
    autolog.arm(unarmed.session)
    try:
        assert "mlops" not in inspect.getsource(kind.fit)
        assert next(iter(inspect.signature(kind.fit).parameters)) == "self"
        ours = _fit()
        weights = zip(plain.get_weights(), ours.get_weights(), strict=True)
        assert all((one == other).all() for one, other in weights)
        assert vars(ours).keys() == vars(plain).keys()
        assert b"mlops" not in pickle.dumps(ours)
        assert _describe(_fail) == failure
        assert _drop() == gone
        assert len(unarmed.runs()) == 3
        assert all(
            cell and "mlops" in repr(cell.cell_contents.__globals__["__name__"]) for cell in cells
        )
    finally:
        autolog.disarm()
    after = [*vars(kind).values(), *(cell and cell.cell_contents for cell in cells)]
    assert all(one is other for one, other in zip(before, after, strict=True))


def _fail() -> None:
    _make().fit(DATA, LABELS[:3], verbose=0)


def _describe(call: Callable[[], Any]) -> tuple[str, list[str]]:
    try:
        call()
    except ValueError as error:
        return type(error).__name__, traceback.format_exception(error)
    raise AssertionError("it was to fail")


def _drop() -> bool:
    gc.collect()
    gone = weakref.ref(_fit())
    gc.collect()
    return gone() is None


@pytest.mark.parametrize("method", ["begin", "note", "finish"])
def test_a_hook_that_raises_is_told_once(
    book: Notebook,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    method: str,
) -> None:
    """Fits go on; one line says that they are no longer recorded; no run stays open."""

    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("injected fault")

    monkeypatch.setattr(NetRecorder, method, explode)
    book.namespace["fit"] = _fit
    book.run("models = fit(), fit()")
    assert capsys.readouterr().err.splitlines() == [
        "mlops_nb: Keras trainings are no longer recorded in this session: "
        "RuntimeError: injected fault"
    ]
    assert {row[0]: row[1] for row in autolog.status()}["Keras"] == "stopped"
    assert not BUSY.value
    assert "running" not in {run.status for run in book.runs()}


def test_unknown_version_is_not_armed(unarmed: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trainer whose methods are not decorated is left alone, and the status says so."""
    kind = _trainer()
    monkeypatch.setattr(kind, "fit", inspect.unwrap(kind.fit))
    autolog.arm(unarmed.session)
    try:
        rows = {row[0]: row[1:] for row in autolog.status()}
    finally:
        autolog.disarm()
    version = sys.modules["keras"].__version__
    assert rows["Keras"] == ("not armed", f"keras {version} has no known point within fit")

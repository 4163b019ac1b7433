"""Fits of Lightning's Trainer are recorded once, and leave trainer, model and checkpoints alone."""

from __future__ import annotations

import importlib
import inspect
import os
import pickle
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mlops_nb import autolog
from mlops_nb.autolog.frames import BUSY
from mlops_nb.autolog.nets import NetRecorder
from tests.autolog.conftest import Notebook
from tests.autolog.torchbook import FIRST_CELL, read_points, read_values

# Of Lightning's own: few batches, few workers, no logger.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
is_slow = pytest.mark.skipif("MLOPS_NB_SLOW" not in os.environ, reason="fits take a second each")

FIRST = """
import lightning as L
class Net(L.LightningModule):
    def __init__(self, width=8, rate=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 2))
        self.seen = []
    def training_step(self, batch, index):
        loss = nn.functional.cross_entropy(self.net(batch[0]), batch[1])
        self.log('train_loss', loss, on_step=False, on_epoch=True)
        self.seen.append(loss.item())
        return loss
    def validation_step(self, batch, index):
        self.log('val_loss', nn.functional.cross_entropy(self.net(batch[0]), batch[1]))
    def test_step(self, batch, index):
        self.log('test_loss', nn.functional.cross_entropy(self.net(batch[0]), batch[1]))
    def on_train_epoch_end(self):
        self.log('late', float(self.current_epoch))
    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=self.hparams.rate, momentum=0.9)
        return [optimizer], [torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)]
data = TensorDataset(X, y)
def make(epochs=3, **more):
    return L.Trainer(max_epochs=epochs, accelerator='cpu', logger=False, enable_progress_bar=False,
        enable_model_summary=False, enable_checkpointing=False, **more)
def load():
    return DataLoader(data, batch_size=16)
"""


@pytest.fixture
def book(unarmed: Notebook) -> Iterator[Notebook]:
    """Give a notebook with auto-logging armed, Lightning imported, and a model."""
    pytest.importorskip("lightning")
    autolog.arm(unarmed.session)
    try:
        unarmed.run(FIRST_CELL)
        unarmed.run(FIRST)
        yield unarmed
    finally:
        autolog.disarm()


def test_fit_is_a_run(book: Notebook) -> None:
    """Losses of batches, results of epochs, rates, settings, layers, data; what is tested later."""
    book.run("model = Net(); trainer = make(); trainer.fit(model, load(), load())")
    book.run("found = trainer.test(model, load(), verbose=False)")
    autolog.disarm()
    (run,) = book.runs()
    assert (run.name, run.status, run.tags["method"]) == ("Net", "finished", "fit")
    model, found = book.namespace["model"], book.namespace["found"]
    assert read_values(book, run.run_id, "loss") == pytest.approx(model.seen)
    means = [sum(model.seen[n : n + 4]) / 4 for n in (0, 4, 8)]
    epochs = read_points(book, run.run_id, "train_loss")
    assert dict(epochs) == pytest.approx(dict(enumerate(means)))
    assert [step for step, _ in read_points(book, run.run_id, "val_loss")] == [0, 1, 2]
    assert read_points(book, run.run_id, "late") == [(0, 0.0), (1, 1.0), (2, 2.0)]
    assert read_points(book, run.run_id, "lr") == [(1, 0.1), (5, 0.05), (9, 0.025)]
    assert run.metrics["test_loss"] == pytest.approx(found[0]["test_loss"])
    assert run.tags["best_epoch"].startswith("2, by val_loss = ")
    params = ("model", "model.parameters", "hparams.width", "optimizer", "optimizer.momentum")
    assert [run.params[key] for key in params] == ["Net", 58, 8, "SGD", 0.9]
    others = ("scheduler", "batch_size", "dataset.samples", "max_epochs", "epochs.done", "steps")
    assert [run.params[key] for key in others] == ["ExponentialLR", 16, 64, 3, 3, 12]
    roles = [data.role for data in run.datasets if data.role != "read"]
    assert roles == ["train", "train", "validation", "validation"]
    assert [each.path for each in run.artifacts] == ["model.txt"]
    assert autolog.run_of(model) == run.run_id


@is_slow
def test_loop_is_seen_once(book: Notebook) -> None:
    """The loop is Lightning's, under its run alone; a plain loop after it is recorded again."""
    book.run(
        "trainer = make(1); before = list(trainer.callbacks); listed = trainer.callbacks\n"
        "trainer.fit(Net(), load())\n"
        "same = trainer.callbacks == before and trainer.callbacks is listed\n"
        "net = make_model(); step = torch.optim.SGD(net.parameters(), lr=0.1)\n"
        "for _ in range(2):\n"
        "    loss = net(X).sum(); loss.backward(); step.step()\n"
    )
    assert book.names() == ["Net", "Sequential"]
    assert book.namespace["same"] is True
    assert not BUSY.value


@is_slow
def test_callbacks_and_checkpoints_are_the_users(book: Notebook) -> None:
    """Early stopping stops as ever, checkpoints have nothing of ours, interrupts and errors end it."""
    book.run(
        "from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, Callback\n"
        "class Stop(Callback):\n"
        "    def __init__(self, error): self.error = error\n"
        "    def on_train_batch_end(self, *args): raise self.error\n"
        "stop = EarlyStopping('train_loss', min_delta=9, patience=1)\n"
        "keep = ModelCheckpoint('kept', monitor='train_loss')\n"
        "trainer = L.Trainer(max_epochs=9, accelerator='cpu', logger=False, enable_progress_bar=False,\n"
        "    enable_model_summary=False, callbacks=[stop, keep])\n"
        "trainer.fit(Net(), load())\n"
        "saved = torch.load(keep.best_model_path, weights_only=False)"
    )
    for error, kind in (("ValueError()", ValueError), ("KeyboardInterrupt()", SystemExit)):
        with pytest.raises(kind):
            book.run(f"make(callbacks=[Stop({error})]).fit(Net(), load())")
    stopped, failed, interrupted = book.runs()
    assert (stopped.params["epochs.done"], failed.status, interrupted.status) == (
        2, "failed", "interrupted",
    )  # fmt: skip
    assert stopped.tags["early_stopping"] == "in epoch 1, by train_loss"
    assert stopped.tags["checkpoint.best"] == book.namespace["keep"].best_model_path
    assert len(book.namespace["saved"]["callbacks"]) == 2
    assert b"mlops" not in pickle.dumps(book.namespace["saved"])
    assert not BUSY.value


def _call_module() -> Any:
    return importlib.import_module("lightning.pytorch.trainer.call")


def test_nothing_is_changed(book: Notebook) -> None:
    """Classes stay the same objects, errors have the same frames, numbers are the same, all is back."""
    import torch

    trainer = book.namespace["L"].Trainer
    point, kept = _call_module()._call_and_handle_interrupt, list(vars(trainer).values())
    assert "mlops" in point.__module__
    assert "mlops" not in inspect.getsource(trainer.fit)

    def train() -> list[float]:
        torch.manual_seed(3)
        model = book.namespace["Net"]()
        book.namespace["make"](1).fit(model, book.namespace["load"]())
        return [float(each.detach().sum()) for each in model.parameters()]

    def fail() -> None:
        book.namespace["make"](1).fit(book.namespace["Net"](), 3)

    ours, failure = train(), _fail_with(fail)
    autolog.disarm()
    assert "lightning" in _call_module()._call_and_handle_interrupt.__module__
    assert all(one is other for one, other in zip(kept, vars(trainer).values(), strict=True))
    assert (train(), _fail_with(fail)) == (ours, failure)


def _fail_with(call: Callable[[], Any]) -> tuple[str, list[str]]:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - whatever Lightning says of it
        return type(error).__name__, traceback.format_exception(error)
    raise AssertionError("it was to fail")


@is_slow
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
    capsys.readouterr()
    book.run("for _ in range(2): trainer = make(1); trainer.fit(Net(), load())")
    lines = [line for line in capsys.readouterr().err.splitlines() if "mlops" in line]
    assert lines == [
        "mlops_nb: Lightning trainings are no longer recorded in this session: "
        "RuntimeError: injected fault"
    ]
    assert {row[0]: row[1] for row in autolog.status()}["Lightning"] == "stopped"
    assert book.namespace["trainer"].callbacks == []
    assert not BUSY.value
    assert "running" not in {run.status for run in book.runs()}

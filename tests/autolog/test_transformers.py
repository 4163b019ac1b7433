"""Trainings of Hugging Face's Trainer are recorded once, and leave trainer and model alone."""

from __future__ import annotations

import importlib
import os
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_nb import autolog
from mlops_nb.autolog.frames import BUSY
from mlops_nb.autolog.nets import NetRecorder
from tests.autolog.conftest import Notebook
from tests.autolog.torchbook import FIRST_CELL, read_points, read_values

pytestmark = [
    pytest.mark.skipif(
        "MLOPS_NB_SLOW" not in os.environ, reason="160 MB to install, and 5 s to import"
    ),
    pytest.mark.filterwarnings("ignore"),
]

FIRST = """
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments
config = BertConfig(vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
    intermediate_size=16, max_position_embeddings=16)
torch.manual_seed(0)
rows = [{'input_ids': torch.randint(0, 50, (8,)), 'labels': torch.tensor(n % 2)} for n in range(16)]
def make(epochs=2, callbacks=None, compute_metrics=None, **more):
    torch.manual_seed(1)
    given = TrainingArguments(output_dir='out', num_train_epochs=epochs, logging_steps=2,
        per_device_train_batch_size=4, eval_strategy='epoch', report_to='none',
        use_cpu=True, disable_tqdm=True, learning_rate=0.01, **{'save_strategy': 'no', **more})
    return Trainer(model=BertForSequenceClassification(config), args=given, train_dataset=rows,
        eval_dataset=rows, callbacks=callbacks, compute_metrics=compute_metrics)
"""


@pytest.fixture
def book(unarmed: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    """Give a notebook with auto-logging armed, the library imported, and a small model."""
    pytest.importorskip("transformers")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    autolog.arm(unarmed.session)
    try:
        unarmed.run(FIRST_CELL)
        unarmed.run(FIRST)
        yield unarmed
    finally:
        autolog.disarm()


def test_training_is_a_run(book: Notebook) -> None:
    """What the trainer logs by its own steps and names, settings, layers, and what is measured later."""
    book.run("trainer = make(); before = list(trainer.callback_handler.callbacks); trainer.train()")
    book.run("found = trainer.evaluate()")
    autolog.disarm()
    (run,) = book.runs()
    trainer = book.namespace["trainer"]
    assert (run.name, run.status) == ("BertForSequenceClassification", "finished")
    history = trainer.state.log_history
    for name in ("loss", "grad_norm", "learning_rate"):
        expected = [(row["step"], row[name]) for row in history if name in row]
        assert read_points(book, run.run_id, name) == expected
    losses = [row["eval_loss"] for row in history if "eval_loss" in row]
    assert read_values(book, run.run_id, "eval_loss") == pytest.approx(losses)
    assert run.tags["best_step"].partition(",")[0] in {"4", "8"}
    params = ("num_train_epochs", "per_device_train_batch_size", "learning_rate", "optim", "steps")
    assert [run.params[key] for key in params] == [2, 4, 0.01, "adamw_torch_fused", 8]
    assert (run.params["config.hidden_size"], run.params["optimizer"]) == (16, "AdamW")
    assert "learning_rate" in run.tags["params.changed"]
    assert "output_dir" not in run.params
    assert run.metrics["train_loss"] > 0
    assert run.metrics["train_time_s"] > 0
    assert [each.path for each in run.artifacts] == ["model.txt"]
    assert trainer.callback_handler.callbacks == book.namespace["before"]
    assert autolog.run_of(trainer.model) == run.run_id


def test_loop_is_seen_once_and_failures_end_it(book: Notebook) -> None:
    """The loop is the trainer's alone; one that raises or is interrupted is said to be so."""
    book.run(
        "from transformers import TrainerCallback\n"
        "class Stop(TrainerCallback):\n"
        "    def __init__(self, error): self.error = error\n"
        "    def on_step_end(self, *args, **given): raise self.error\n"
    )
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error):
            book.run(f"make(callbacks=[Stop({error.__name__}())]).train()")
    book.run(
        "make(1).train()\n"
        "net = make_model(); step = torch.optim.SGD(net.parameters(), lr=0.1)\n"
        "loss = net(X).sum(); loss.backward(); step.step()\n"
    )
    assert [run.status for run in book.runs()] == [
        "failed", "interrupted", "finished", "finished",
    ]  # fmt: skip
    assert book.names()[-1] == "Sequential"
    assert not BUSY.value


EVALUATED = """
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
def measure(given):
    return {'accuracy': accuracy_score(given.label_ids, given.predictions.argmax(-1))}
trainer = make(2, compute_metrics=measure, save_strategy='epoch', load_best_model_at_end=True,
    metric_for_best_model='accuracy')
trainer.train()
"""


def test_evaluations_belong_to_the_training(book: Notebook) -> None:
    """The user's measure tells the best; what is evaluated later is no other model's result."""
    book.run(EVALUATED)
    trained = book.runs()[0]
    best = book.namespace["trainer"].state.best_global_step
    assert trained.tags["best_step"].startswith(f"{best}, by eval_accuracy = ")
    assert trained.tags["checkpoint.best"].endswith(f"checkpoint-{best}")
    assert not [name for name in trained.metrics if name.endswith(("_runtime", "_per_second"))]
    book.run("LogisticRegression().fit([[0], [1]], [0, 1])")
    book.run("trainer.evaluate(); found = trainer.predict(rows)")
    book.run("trainer.args.num_train_epochs = 3; trainer.train(resume_from_checkpoint=True)")
    autolog.disarm()
    trained, other, resumed = book.runs()
    expected = book.namespace["found"].metrics["test_accuracy"]
    assert trained.metrics["test_accuracy"] == expected
    assert "accuracy" not in trained.metrics
    assert set(other.metrics) == {"fit_time_s"}
    assert resumed.params["resume_from_checkpoint"].endswith("checkpoint-8")
    written = {data.name for data in trained.datasets if data.role == "written"}
    assert "model.safetensors" in {name.rpartition("/")[2] for name in written}


def _fail_with(call: Callable[[], Any]) -> tuple[str, list[str]]:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - whatever the library says of it
        return type(error).__name__, traceback.format_exception(error)
    raise AssertionError("it was to fail")


def test_nothing_is_changed(book: Notebook) -> None:
    """The class stays the same objects, errors have the same frames, numbers are the same."""
    module = importlib.import_module("transformers.trainer")
    kept = list(vars(module.Trainer).values())

    def train() -> list[float]:
        trainer = book.namespace["make"](1)
        trainer.train()
        return [float(each.detach().sum()) for each in trainer.model.parameters()]

    def fail() -> None:
        trainer = book.namespace["make"](1)
        trainer.train_dataset = [{"input_ids": "no"}]
        trainer.train()

    ours, failure = train(), _fail_with(fail)
    assert "mlops" in vars(module)["find_executable_batch_size"].__module__
    autolog.disarm()
    for name in ("find_executable_batch_size", "speed_metrics"):
        assert "transformers" in vars(module)[name].__module__
    assert all(one is other for one, other in zip(kept, vars(module.Trainer).values(), strict=True))
    assert (train(), _fail_with(fail)) == (ours, failure)


@pytest.mark.parametrize("method", ["begin", "note", "finish"])
def test_a_hook_that_raises_is_told_once(
    book: Notebook,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    method: str,
) -> None:
    """Trainings go on; one line says that they are no longer recorded; no run stays open."""

    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("injected fault")

    monkeypatch.setattr(NetRecorder, method, explode)
    capsys.readouterr()
    book.run("for _ in range(2): trainer = make(1); trainer.train()")
    lines = [line for line in capsys.readouterr().err.splitlines() if "mlops" in line]
    assert lines == [
        "mlops_nb: Hugging Face Trainer trainings are no longer recorded in this session: "
        "RuntimeError: injected fault"
    ]
    assert not BUSY.value
    assert "running" not in {run.status for run in book.runs()}

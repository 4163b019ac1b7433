"""Loops of every shape: several optimizers, closures, gathered gradients, scaled losses, loaders."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

import pytest

from mlops_nb import autolog
from mlops_nb.autolog import torch_values
from mlops_nb.store import Store
from tests.autolog.conftest import Notebook
from tests.autolog.torchbook import FIRST_CELL, LOOP, read_points, read_values

GAN = """
G, D = nn.Linear(2, 4), nn.Linear(4, 1)
opt_g = torch.optim.Adam(G.parameters(), lr=0.01)
opt_d = torch.optim.SGD(D.parameters(), lr=0.02)
bce = nn.BCEWithLogitsLoss()
for step in range(5):
    opt_d.zero_grad()
    fake = G(torch.randn(8, 2))
    loss_real = bce(D(X[:8]), torch.ones(8, 1))
    loss_real.backward()
    loss_fake = bce(D(fake.detach()), torch.zeros(8, 1))
    loss_fake.backward()
    opt_d.step()
    opt_g.zero_grad()
    loss_g = bce(D(fake), torch.ones(8, 1))
    loss_g.backward()
    opt_g.step()
"""


def test_two_optimizers_are_one_run(torchbook: Notebook) -> None:
    """A GAN has named losses, and the rates, norms and settings of each of its optimizers."""
    torchbook.run(GAN)
    (run,) = torchbook.runs()
    assert run.name == "Linear + Linear"
    for name in ("loss_real", "loss_fake", "loss_g"):
        assert len(read_values(torchbook, run.run_id, name)) == 5
    assert (run.metrics["lr/opt_g"], run.metrics["lr/opt_d"]) == (0.01, 0.02)
    assert {"grad_norm/opt_d", "grad_norm/opt_g"} <= set(run.metrics)
    assert (run.params["opt_g"], run.params["opt_d.lr"]) == ("Adam", 0.02)
    assert not [name for name in run.params if "accumulation" in name]
    for name in ("G", "D"):
        assert autolog.run_of(torchbook.namespace[name]) == run.run_id


def test_one_loss_for_two_optimizers(torchbook: Notebook) -> None:
    """Two optimizers that go by one loss are one run with one series of it."""
    torchbook.run(
        "a, b = nn.Linear(4, 8), nn.Linear(8, 2)\n"
        "opts = [torch.optim.SGD(part.parameters(), lr=0.1) for part in (a, b)]\n"
        "for _ in range(4):\n"
        "    loss = nn.functional.cross_entropy(b(a(X)), y)\n"
        "    loss.backward()\n"
        "    for opt in opts:\n        opt.step(); opt.zero_grad()\n"
    )
    (run,) = torchbook.runs()
    assert len(read_values(torchbook, run.run_id, "loss")) == 4
    assert run.params["steps"] == 4


@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad")  # of torch 2.8
def test_closure_is_one_step(torchbook: Notebook) -> None:
    """LBFGS computes the loss many times a step; the one it begins with counts."""
    torchbook.run(
        "w = torch.tensor([3.0, -2.0], requires_grad=True)\n"
        "opt = torch.optim.LBFGS([w], max_iter=5)\n"
        "calls, seen = [], []\n"
        "def closure():\n"
        "    opt.zero_grad()\n"
        "    loss = (w ** 4).sum()\n"
        "    loss.backward()\n"
        "    calls.append(loss.item())\n"
        "    return loss\n"
        "for _ in range(3):\n    seen.append(opt.step(closure).item())"
    )
    (run,) = torchbook.runs()
    assert len(torchbook.namespace["calls"]) > 3
    assert read_values(torchbook, run.run_id, "loss") == torchbook.namespace["seen"]
    assert (run.name, run.params["steps"]) == ("LBFGS", 3)


def test_an_optimizer_for_each_parameter(torchbook: Notebook) -> None:
    """Steps that are made within ``backward`` train one model, however many optimizers make them."""
    torchbook.run(
        "net = nn.Linear(4, 2)\n"
        "opts = {part: torch.optim.SGD([part], lr=0.1) for part in net.parameters()}\n"
        "def step(part):\n    opts[part].step()\n    opts[part].zero_grad()\n"
        "for part in net.parameters():\n    part.register_post_accumulate_grad_hook(step)\n"
        "seen = []\n"
        "for number in range(3):\n    loss = nn.functional.cross_entropy(net(X), y)\n"
        "    loss.backward()\n    seen.append(loss.item())"
    )
    (run,) = torchbook.runs()
    assert (run.name, run.params["model"]) == ("Linear", "Linear")
    assert read_values(torchbook, run.run_id, "loss") == pytest.approx(torchbook.namespace["seen"])


def test_gathered_gradients_are_one_value_a_step(torchbook: Notebook) -> None:
    """Where gradients of several batches make a step, its loss is the sum of what they come from."""
    torchbook.run(
        "model = make_model()\n"
        "opt = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "parts = []\n"
        "for number in range(8):\n"
        "    loss = nn.functional.cross_entropy(model(X[number * 8:][:8]), y[number * 8:][:8])\n"
        "    (loss / 4).backward()\n"
        "    parts.append(loss.item() / 4)\n"
        "    if number % 4 == 3:\n        opt.step(); opt.zero_grad()"
    )
    (run,) = torchbook.runs()
    parts = torchbook.namespace["parts"]
    expected = [sum(parts[:4]), sum(parts[4:])]
    assert read_values(torchbook, run.run_id, "loss") == pytest.approx(expected, rel=1e-6)
    assert run.params["gradient_accumulation_steps"] == 4
    assert "gradient_accumulation_steps" in run.tags["params.changed"]


@pytest.mark.parametrize(
    "line", ["scaler.scale(loss).backward()", "scaled = scaler.scale(loss); scaled.backward()"]
)
@pytest.mark.parametrize("enabled", [True, False])
def test_scaled_losses_are_recorded_unscaled(
    torchbook: Notebook, line: str, *, enabled: bool
) -> None:
    """With a ``GradScaler`` the loss of the user is recorded, also past steps it leaves out."""
    torchbook.run(
        "model = make_model()\n"
        "opt = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        f"scaler = torch.amp.GradScaler('cpu', init_scale=1024.0, enabled={enabled})\n"
        "seen = []\n"
        "for number in range(6):\n"
        "    opt.zero_grad()\n"
        "    with torch.autocast('cpu', dtype=torch.bfloat16):\n"
        "        loss = nn.functional.cross_entropy(model(X), y)\n"
        f"    {line}\n"
        "    if number == 2 and scaler.is_enabled():\n"
        "        model[0].weight.grad[0, 0] = float('inf')\n"
        "    elif number < 10:\n        seen.append(loss.item())\n"
        "    scaler.step(opt)\n"
        "    scaler.update()"
    )
    (run,) = torchbook.runs()
    assert read_values(torchbook, run.run_id, "loss") == torchbook.namespace["seen"]
    assert run.params.get("amp") == ("GradScaler" if enabled else None)


def test_scheduler_gives_a_series_of_rates(torchbook: Notebook) -> None:
    """The rate is recorded where it changes, with the scheduler's settings."""
    torchbook.run(
        "model = make_model()\n"
        "opt = torch.optim.SGD(model.parameters(), lr=0.4)\n"
        "plan = torch.optim.lr_scheduler.StepLR(opt, step_size=2, gamma=0.5)\n"
        "for _ in range(5):\n"
        "    loss = nn.functional.cross_entropy(model(X), y)\n"
        "    loss.backward(); opt.step(); plan.step()"
    )
    (run,) = torchbook.runs()
    assert read_points(torchbook, run.run_id, "lr") == [(1, 0.4), (3, 0.2), (5, 0.1)]
    assert run.params["optimizer.scheduler"] == "StepLR"
    assert run.params["optimizer.scheduler.gamma"] == 0.5
    assert run.params["optimizer.lr"] == 0.4


def test_groups_and_rates_that_are_tensors(torchbook: Notebook) -> None:
    """Each group has its rate; rates that are tensors are sampled."""
    torchbook.run(
        "model = make_model()\n"
        "groups = [{'params': model[0].parameters()}, {'params': model[2].parameters(), 'lr': 0.5}]\n"
        "opt = torch.optim.SGD(groups, lr=torch.tensor(0.25))\n"
        "for _ in range(3):\n"
        "    loss = nn.functional.cross_entropy(model(X), y)\n"
        "    loss.backward(); opt.step()"
    )
    (run,) = torchbook.runs()
    assert run.metrics["lr"] == 0.25
    assert read_points(torchbook, run.run_id, "lr.1") == [(1, 0.5)]
    assert (run.params["optimizer.lr"], run.params["optimizer.1.lr"]) == (0.25, 0.5)


def test_calls_of_every_kind(torchbook: Notebook) -> None:
    """``autograd.backward`` is seen, vectors and ``autograd.grad`` are passed over."""
    torchbook.run(
        "w = torch.ones(2, requires_grad=True)\n"
        "opt = torch.optim.SGD([w], lr=0.1)\n"
        "from torch.autograd import backward\n"
        "for _ in range(2):\n"
        "    cost = (w * 2).sum(); other = w.sum()\n"
        "    torch.autograd.grad(w.sum(), w)\n"
        "    (w * 3).backward(torch.ones(2))\n"
        "    backward(cost)\n"
        "    torch.autograd.backward([other, other * 1])\n"
        "    opt.step()"
    )
    (run,) = torchbook.runs()
    assert read_values(torchbook, run.run_id, "cost")[0] == 4.0
    assert read_values(torchbook, run.run_id, "loss")[0] == 4.0


def test_loop_without_a_loader_has_epochs(torchbook: Notebook) -> None:
    """Where batches are cut by hand the loop's own ``epoch`` counts."""
    torchbook.run(
        "model = make_model()\n"
        "opt = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "for epoch in range(1, 4):\n"
        "    for start in range(0, 64, 32):\n"
        "        loss = nn.functional.cross_entropy(model(X[start:][:32]), y[start:][:32])\n"
        "        loss.backward(); opt.step()\n"
        "    val_loss = nn.functional.cross_entropy(model(X), y)\n"
    )
    (run,) = torchbook.runs()
    assert read_values(torchbook, run.run_id, "epoch") == [1.0, 2.0, 3.0]
    assert run.params["epochs"] == 3
    assert [step for step, _ in read_points(torchbook, run.run_id, "val_loss")] == [1, 2, 3]


def test_validation_loader_is_no_epoch(torchbook: Notebook) -> None:
    """Passes over another loader, in the loop or between epochs, are not counted."""
    torchbook.run(
        LOOP.replace(
            "        optimizer.zero_grad()",
            "        optimizer.zero_grad()\n        sum(len(p) for p, _ in other)",
        ).replace("seen = []", "seen = []; other = DataLoader(TensorDataset(X, y), 32)")
        + "    first = next(iter(other)); held = iter(other)\n"
    )
    (run,) = torchbook.runs()
    assert (run.params["epochs"], run.params["batch_size"]) == (3, 16)
    assert len(read_values(torchbook, run.run_id, "samples_per_s")) == 3


is_slow = pytest.mark.skipif("MLOPS_NB_SLOW" not in os.environ, reason="workers import torch anew")


@pytest.mark.parametrize("way", ["fork", pytest.param("spawn", marks=is_slow)])
def test_workers_of_a_loader(torchbook: Notebook, way: str) -> None:
    """Workers that stay on count an epoch each time, and record nothing themselves."""
    given = f"num_workers=1, persistent_workers=True, multiprocessing_context={way!r}"
    torchbook.run(LOOP.replace("batch_size=16", f"batch_size=16, {given}") + "loader = None\n")
    (run,) = torchbook.runs()
    assert read_values(torchbook, run.run_id, "loss") == torchbook.namespace["seen"]
    assert (run.params["epochs"], run.params["num_workers"]) == (3, 1)


def test_settings_that_a_scheduler_has_changed(torchbook: Notebook) -> None:
    """What OneCycleLR puts in the place of rate and betas is not what the user chose."""
    torchbook.run(
        "net = make_model()\nopt = torch.optim.Adam(net.parameters(), lr=0.02)\n"
        "cycle = torch.optim.lr_scheduler.OneCycleLR(opt, 0.05, total_steps=4)\n"
        "for number in range(4):\n"
        "    loss = nn.functional.cross_entropy(net(X), y)\n"
        "    loss.backward(); opt.step(); cycle.step()\n"
    )
    (run,) = torchbook.runs()
    assert (run.params["optimizer.lr"], run.params["optimizer.max_lr"]) == (0.02, 0.05)
    assert run.params["optimizer.betas"] == [0.9, 0.999]
    changed = run.tags["params.changed"].split(", ")
    assert {"optimizer.lr", "optimizer.max_lr"} <= set(changed)
    assert "optimizer.betas" not in changed


def test_loop_in_a_thread(torchbook: Notebook) -> None:
    """Trainings in threads are each a run, also one that goes on when its cell is over."""
    ready, go_on = threading.Event(), threading.Event()
    torchbook.namespace |= {"ready": ready, "go_on": go_on}
    torchbook.run(
        "import threading\n"
        "def train(late):\n"
        "    net = make_model()\n"
        "    opt = torch.optim.SGD(net.parameters(), lr=0.1)\n"
        "    for number in range(4):\n"
        "        loss = nn.functional.cross_entropy(net(X), y)\n"
        "        loss.backward(); opt.step()\n"
        "        if late and number == 1:\n            ready.set(); go_on.wait(30)\n"
        "quick = threading.Thread(target=train, args=(False,)); quick.start(); quick.join()\n"
        "slow = threading.Thread(target=train, args=(True,)); slow.start(); ready.wait(30)"
    )
    go_on.set()
    torchbook.namespace["slow"].join(30)
    torchbook.run("pass")
    runs = torchbook.runs()
    assert [len(read_values(torchbook, run.run_id, "loss")) for run in runs] == [4, 4]
    assert {run.status for run in runs} == {"finished"}


def test_values_on_a_device_are_read_together(
    torchbook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Losses that are not in main memory are copied there, and read by one call for many steps."""
    from torch.utils._python_dispatch import TorchDispatchMode

    reads: list[str] = []

    class Count(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            if "local_scalar" in str(func):  # what `item` waits in
                reads.append(str(func))
            return func(*args, **(kwargs or {}))

    def take_later(tensor: Any) -> Any:
        return tensor.detach().reshape(()).clone()

    # There is no device here: what is said of main memory is taken away instead.
    monkeypatch.setattr(torch_values, "take", take_later)
    monkeypatch.setattr("mlops_nb.autolog.torch_loop.take", take_later)
    torchbook.namespace["Count"] = Count
    torchbook.run(
        "model = make_model()\n"
        "opt = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "kept = []\n"
        "with Count():\n"
        "    for _ in range(20):\n"
        "        loss = nn.functional.cross_entropy(model(X), y)\n"
        "        torch.autograd.backward([loss, loss * 0])\n"
        "        opt.step(); opt.zero_grad()\n"
        "        kept.append(loss.detach())\n"
    )
    (run,) = torchbook.runs()
    assert read_values(torchbook, run.run_id, "loss") == [
        each.item() for each in torchbook.namespace["kept"]
    ]
    assert len(reads) <= 1  # the variable `loss`, which is in main memory, as the loop begins


def test_session_paused_in_a_loop(torchbook: Notebook) -> None:
    """Steps made while the session is paused are not recorded."""
    torchbook.namespace["session"] = torchbook.session
    torchbook.run(LOOP + "    session.is_paused = epoch == 0\n")
    (run,) = torchbook.runs()
    assert len(read_values(torchbook, run.run_id, "loss")) == 8


def test_backward_without_steps_is_no_run(torchbook: Notebook) -> None:
    """Gradients that no optimizer uses make no run."""
    torchbook.run("for _ in range(20):\n    model = make_model(); model(X).sum().backward()")
    assert torchbook.runs() == []


def test_loop_within_a_recorded_fit(torchbook: Notebook) -> None:
    """A torch training inside a fit of scikit-learn belongs to the fit."""
    torchbook.run(
        "from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context\n"
        "class Net(ClassifierMixin, BaseEstimator):\n"
        "    _parameter_constraints = {}\n"
        "    @_fit_context(prefer_skip_nested_validation=True)\n"
        "    def fit(self, X, y):\n"
        "        self.net_ = make_model()\n"
        "        opt = torch.optim.SGD(self.net_.parameters(), lr=0.1)\n"
        "        for _ in range(3):\n"
        "            loss = nn.functional.cross_entropy(self.net_(X), y)\n"
        "            loss.backward(); opt.step()\n"
        "        return self\n"
        "    def predict(self, X): return self.net_(X).argmax(1)\n"
        "net = Net().fit(X, y)"
    )
    assert torchbook.names() == ["Net"]


def test_script_without_cells(unarmed: Notebook, store: Store) -> None:
    """Without cells a training's run ends when recording ends."""
    autolog.arm(unarmed.session)
    try:
        exec(compile(FIRST_CELL + LOOP, "<script>", "exec"), {"__name__": "__main__"})
    finally:
        autolog.disarm()
    (run,) = unarmed.runs()
    assert (run.status, run.params["steps"]) == ("finished", 12)
    assert "torch" in sys.modules


def test_variables_that_are_hostile(torchbook: Notebook) -> None:
    """Objects beside the model whose every method raises disturb neither training nor record."""
    torchbook.run(
        "class Bad:\n"
        "    def __getattribute__(self, name): raise RuntimeError(name)\n"
        "    def __eq__(self, other): raise RuntimeError('eq')\n"
        "    __hash__ = None\n"
        "bad, epoch_acc, val_loss = Bad(), Bad(), Bad()\n" + LOOP + "    val_loss = Bad()\n"
    )
    (run,) = torchbook.runs()
    assert len(read_values(torchbook, run.run_id, "loss")) == 12
    assert {row[1] for row in autolog.status() if row[0].startswith("torch")} == {"armed"}

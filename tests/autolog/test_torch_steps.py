"""The short way that most steps take, and what must not take it."""

from __future__ import annotations

import _thread
import gc
import threading
import weakref

from tests.autolog.conftest import Notebook
from tests.autolog.torchbook import LOOP, read_values


def test_losses_of_two_places_in_turn(torchbook: Notebook) -> None:
    """Two calls of `backward` that take turns keep their names, by method and by function."""
    torchbook.run(
        "model = make_model()\n"
        "opt = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "for step in range(6):\n"
        "    opt.zero_grad()\n"
        "    if step % 2:\n"
        "        odd = nn.functional.cross_entropy(model(X), y)\n        odd.backward()\n"
        "    elif step % 3:\n"
        "        even = nn.functional.cross_entropy(model(X), y)\n        even.backward()\n"
        "    else:\n"
        "        third = nn.functional.cross_entropy(model(X), y)\n"
        "        torch.autograd.backward(third)\n"
        "    opt.step()\n"
    )
    (run,) = torchbook.runs()
    counts = {name: len(read_values(torchbook, run.run_id, name)) for name in ("odd", "even")}
    assert counts == {"odd": 3, "even": 2}
    assert len(read_values(torchbook, run.run_id, "third")) == 1


def test_two_optimizers_in_turn_at_one_place(torchbook: Notebook) -> None:
    """Optimizers that one line steps in turn are told apart at each step."""
    torchbook.run(
        "a, b = nn.Linear(4, 2), nn.Linear(4, 2)\n"
        "opts = [torch.optim.SGD(part.parameters(), lr=0.1) for part in (a, b)]\n"
        "for step in range(6):\n"
        "    loss = nn.functional.cross_entropy((a, b)[step % 2](X), y)\n"
        "    loss.backward()\n"
        "    opts[step % 2].step()\n"
    )
    series = [
        read_values(torchbook, run.run_id, name)
        for run in torchbook.runs()
        for name in run.metrics
        if name.partition("/")[0] == "loss" and not name.endswith("/epoch")
    ]
    assert sorted(map(len, series)) == [3, 3]


def test_functions_that_step_in_turn(torchbook: Notebook) -> None:
    """A critic that steps thrice in a function of its own before the generator is of the same run."""
    torchbook.run(
        "G, D = nn.Linear(2, 4), nn.Linear(4, 1)\n"
        "opt_g = torch.optim.Adam(G.parameters(), lr=0.01)\n"
        "opt_d = torch.optim.SGD(D.parameters(), lr=0.02)\n"
        "def train_critic():\n"
        "    critic_loss = D(G(torch.randn(8, 2)).detach()).mean() - D(X[:8]).mean()\n"
        "    opt_d.zero_grad(); critic_loss.backward(); opt_d.step()\n"
        "def train_generator():\n"
        "    generator_loss = -D(G(torch.randn(8, 2))).mean()\n"
        "    opt_g.zero_grad(); generator_loss.backward(); opt_g.step()\n"
        "for epoch in range(2):\n"
        "    for _ in range(3):\n"
        "        train_critic()\n"
        "    train_generator()"
    )
    (run,) = torchbook.runs()
    counts = {name: len(read_values(torchbook, run.run_id, name)) for name in run.metrics}
    assert (counts["critic_loss"], counts["generator_loss"]) == (6, 2)


def test_functions_that_train_in_turn(torchbook: Notebook) -> None:
    """What a function trains in a loop of its own is a run of each call, in a loop of calls too."""
    torchbook.run(
        "def train(net, opt):\n"
        "    for _ in range(3):\n"
        "        nn.functional.cross_entropy(net(X), y).backward(); opt.step()\n"
        "nets = [make_model(), make_model()]\n"
        "first, second = [torch.optim.SGD(net.parameters(), lr=0.1) for net in nets]\n"
        "for _ in range(1):\n"
        "    train(nets[0], first)\n"
        "    train(nets[1], second)"
    )
    assert [run.params["steps"] for run in torchbook.runs()] == [3, 3]


def test_backward_without_a_caller(torchbook: Notebook) -> None:
    """A `backward` that nothing in Python calls, as threads begin, is no failure of ours."""
    torchbook.run(LOOP)
    done, weight = threading.Event(), torchbook.namespace["torch"].zeros(1, requires_grad=True)
    namespace = {"torch": torchbook.namespace["torch"], "done": done, "loss": (weight + 1).sum()}
    code = compile("torch.autograd.backward(loss); done.set()", "<thread>", "exec")
    _thread.start_new_thread(exec, (code, namespace))
    assert done.wait(30)
    torchbook.run(LOOP)
    first, second = torchbook.runs()
    assert first.params["steps"] == second.params["steps"] == 12


def test_backward_of_several_numbers(torchbook: Notebook) -> None:
    """A `backward` of a vector, with its gradient, is passed over; the others at its place are not."""
    torchbook.run(
        "model = make_model()\n"
        "opt = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "for step in range(4):\n"
        "    out = nn.functional.cross_entropy(model(X), y, reduction='mean' if step else 'none')\n"
        "    out.backward(torch.ones_like(out))\n"
        "    opt.step(); opt.zero_grad()\n"
    )
    (run,) = torchbook.runs()
    assert run.params["steps"] == 4
    assert len(read_values(torchbook, run.run_id, "out")) == 3


def test_nothing_outlives_the_cell(torchbook: Notebook) -> None:
    """The code of a cell's function and its model go when the user lets them go."""
    torchbook.run(
        "def train():\n"
        "    model = make_model()\n"
        "    opt = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "    for _ in range(3):\n"
        "        loss = model(X).sum(); loss.backward(); opt.step()\n"
        "    return model\n"
        "model = train()\n"
    )
    function, model = (torchbook.namespace.pop(name) for name in ("train", "model"))
    known = [weakref.ref(each) for each in (function, function.__code__, model)]
    del function, model
    gc.collect()
    assert [each() for each in known] == [None] * 3


def test_backwards_without_steps_gather_no_more(torchbook: Notebook) -> None:
    """Losses that no optimizer follows are let go, and a training after them is recorded."""
    torchbook.run(
        "weight = torch.zeros(1, requires_grad=True)\n"
        "for _ in range(10_000):\n    weight.sum().backward()\n"
    )
    from mlops_nb.autolog import torch_steps

    (steps,) = [each for each in torch_steps._living if not each.is_off]
    assert len(steps.local.losses) <= torch_steps._MOST_WAITING
    torchbook.run(LOOP)
    (run,) = torchbook.runs()
    assert len(read_values(torchbook, run.run_id, "loss")) == 12


def test_a_scaler_of_another_training(torchbook: Notebook) -> None:
    """A ``GradScaler`` that an earlier training used, or another optimizer, is not this one's."""
    torchbook.run(
        "model = make_model()\n"
        "opt = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "scaler = torch.amp.GradScaler('cpu')\n"
        "def step(optimizer, scaler=None):\n"
        "    loss = nn.functional.cross_entropy(model(X), y)\n"
        "    (loss if scaler is None else scaler.scale(loss)).backward()\n"
        "    optimizer.step() if scaler is None else scaler.step(optimizer)\n"
        "    if scaler is not None: scaler.update()\n"
        "for _ in range(2): step(opt, scaler)"
    )
    torchbook.run("plain = torch.optim.Adam(model.parameters())\nfor _ in range(2): step(plain)")
    assert [run.params.get("amp") for run in torchbook.runs()] == ["GradScaler", None]


def test_results_of_all_folds_are_not_the_last_ones(torchbook: Notebook) -> None:
    """What stands outside of a loop that trains again and again belongs to none of its trainings."""
    torchbook.run(
        "fold_scores, last_loss = [], 0.0\n"
        "for fold in range(3):\n"
        "    model = make_model()\n"
        "    opt = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "    fold_losses = []\n"
        "    for epoch in range(3):\n"
        "        loss = nn.functional.cross_entropy(model(X), y)\n"
        "        opt.zero_grad(); loss.backward(); opt.step()\n"
        "        fold_losses.append(loss.item())\n"
        "    fold_acc = (model(X).argmax(1) == y).float().mean().item()\n"
        "    fold_scores.append(fold_acc)\n"
        "mean_acc = sum(fold_scores) / 3\n"
    )
    runs = torchbook.runs()
    assert len(runs) == 3
    found = [{"mean_acc", "fold_scores", "fold_acc", "fold_losses"} & set(r.metrics) for r in runs]
    assert found[-1] == {"fold_acc", "fold_losses"}
    assert all("fold_scores" not in run.tags["best_epoch"] for run in runs)


def test_results_after_a_training_in_two_parts(torchbook: Notebook) -> None:
    """An optimizer that is made anew between epochs leaves the results below to the last part."""
    torchbook.run(
        "model = make_model()\nopt = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "for epoch in range(4):\n"
        "    if epoch == 2: opt = torch.optim.Adam(model.parameters())\n"
        "    loss = nn.functional.cross_entropy(model(X), y)\n"
        "    opt.zero_grad(); loss.backward(); opt.step()\n"
        "final_acc = (model(X).argmax(1) == y).float().mean().item()"
    )
    assert "final_acc" in torchbook.runs()[-1].metrics
